import NIOCore

/// The header of the PROXY protocol, version 2, with which a proxy begins a connection: who the client is.
/// Source: https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, section 2.2.
struct ProxyHeader: Equatable {
    /// The client's IP address; nil if the connection is the proxy's own, for example to check the router's health, or
    /// if the client has none.
    var host: String?

    /// The bytes that can't begin any request: a receiver never takes one for the other.
    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    /// The signature, the version and the command, the family and the protocol, and the length of the rest.
    private static let fixedLength = signature.count + 4
    /// Of the rest: the addresses, and what a proxy adds to them, such as the names that TLS has verified.
    static let maxLength = 4096

    /// Reads the header; nil if bytes of it are missing.
    static func read(_ input: inout ByteBuffer) throws(WireFault) -> ProxyHeader? {
        let begin = input.readableBytesView.prefix(signature.count)
        guard begin.elementsEqual(signature.prefix(begin.count)) else {
            throw begin.starts(with: "PROXY ".utf8)
                ? fault("is of version 1; let the proxy send version 2") : fault("is missing; let the proxy send it, in version 2")
        }
        let start = input.readerIndex + signature.count
        guard let kind = input.getInteger(at: start, as: UInt8.self), let family = input.getInteger(at: start + 1, as: UInt8.self),
            let length = input.getInteger(at: start + 2, as: UInt16.self)
        else { return nil }
        guard kind >> 4 == 2 else { throw fault("is of an unknown version") }
        guard Int(length) <= maxLength else { throw fault("is longer than \(maxLength) bytes") }
        guard input.readableBytes >= fixedLength + Int(length) else { return nil }
        input.moveReaderIndex(forwardBy: fixedLength)
        guard let rest = input.readSlice(length: Int(length)) else { return nil }
        switch kind & 0x0F {
        case 0: return ProxyHeader(host: nil)
        case 1: return ProxyHeader(host: try host(rest, family: family >> 4))
        default: throw fault("has an unknown command")
        }
    }

    /// The source address, which comes first.
    private static func host(_ rest: ByteBuffer, family: UInt8) throws(WireFault) -> String? {
        switch family {
        case 0, 3: return nil  // unspecified, or the path of a unix socket
        case 1: return try address(rest, bytes: 4, of: 12)
        case 2: return try address(rest, bytes: 16, of: 36)
        default: throw fault("has an unknown family of addresses")
        }
    }

    /// - Parameter length: of both addresses and their ports.
    private static func address(_ rest: ByteBuffer, bytes count: Int, of length: Int) throws(WireFault) -> String? {
        guard rest.readableBytes >= length, let bytes = rest.getBytes(at: rest.readerIndex, length: count) else {
            throw fault("is shorter than its addresses")
        }
        return IPAddress(bytes: bytes)?.text
    }

    private static func fault(_ what: String) -> WireFault {
        WireFault(400, "the header of the PROXY protocol \(what)", code: "bad_proxy_header")
    }
}
