import NIOCore

@testable import HTTPWire

/// A header of the PROXY protocol is read in the same way wherever the reads split it, takes exactly its own bytes, and
/// gives an address or none.
@Sendable func checkProxyHeader(_ bytes: [UInt8]) throws {
    var whole = ByteBuffer(bytes: bytes)
    let expected = Result { try ProxyHeader.read(&whole) }
    for length in 0..<bytes.count {
        var part = ByteBuffer(bytes: bytes.prefix(length))
        switch (Result { try ProxyHeader.read(&part) }, expected) {
        case (.success(nil), _):
            guard part.readableBytes == length else { throw Violation(description: "bytes of an incomplete header are gone") }
        case (.success(let early?), .success(let header?)):
            let used = length - part.readableBytes
            guard early == header, used == bytes.count - whole.readableBytes else {
                throw Violation(description: "the header depends on what follows it")
            }
        case (.failure, .failure): break
        case (.success, _), (.failure, _): throw Violation(description: "the first \(length) bytes mean something else than all")
        }
    }
    guard case .success(let header?) = expected else { return }
    let used = bytes.count - whole.readableBytes
    guard used == 16 + Int(bytes[14]) << 8 + Int(bytes[15]) else { throw Violation(description: "the header took \(used) bytes") }
    if let host = header.host, IPAddress(host)?.text != host { throw Violation(description: "'\(host)' is no address") }
}
