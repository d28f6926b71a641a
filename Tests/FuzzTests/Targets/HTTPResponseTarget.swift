import NIOCore

@testable import HTTPWire

/// A response is the same wherever its bytes are cut, and is complete only with its last byte: of a response that
/// ends before the connection does, no shorter prefix is complete, and what follows is left over.
func checkHTTPResponse(_ bytes: [UInt8]) throws {
    let response = try sameForEverySplit(of: bytes) { Response($0) }
    _ = try sameForEverySplit(of: bytes) { Response($0, isHeadRequest: true) }
    guard response.isComplete else { return }
    let count = bytes.count - response.rest
    let exact = Response([bytes[..<count]])
    try ensure(exact.isComplete && exact.rest == 0 && exact.body == response.body, "without what follows, it is \(exact)")
    try ensure(!Response([bytes[..<(count - 1)]]).isComplete, "without its last byte, it is complete")
}

private struct Response: Equatable {
    /// Of the interim responses too.
    var heads: [String] = []
    var body: [UInt8] = []
    var isComplete = false
    /// The bytes after the response.
    var rest = 0
    /// Whether something is wrong. What the error says depends on the bytes that had arrived.
    var isFaulty = false

    init(_ chunks: [ArraySlice<UInt8>], isHeadRequest: Bool = false) {
        var input = ByteBuffer(), parser = ResponseParser()
        var reader: BodyReader?
        do throws(WireFault) {
            for chunk in chunks {
                input.writeBytes(chunk)
                while reader == nil, input.readableBytes > 0, let head = try parser.next(&input, isHeadRequest: isHeadRequest) {
                    parser = ResponseParser()
                    var fields: [String] = []
                    head.fields.forEach(prefix: "") { fields.append("\($0): \($1)") }
                    heads.append("\(head.status) \(head.body) \(head.isKeepAlive) \(fields)")
                    if head.status >= 200 { reader = BodyReader(head.body) }
                }
                guard !isComplete, var current = reader else { continue }
                reading: while true {
                    switch try current.next(&input, limit: 7) {
                    case .bytes(let bytes): body += bytes.readableBytesView
                    case .more: break reading
                    case .end:
                        isComplete = true
                        break reading
                    }
                }
                reader = current
            }
            rest = isComplete ? input.readableBytes : 0
        } catch { isFaulty = true }
    }
}
