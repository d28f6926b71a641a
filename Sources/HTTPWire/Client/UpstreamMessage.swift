package import NIOCore

/// A request to an upstream. Its framing fields are always rendered here, never taken from outside.
package struct UpstreamMessage: Sendable {
    /// A body up to this size is copied after the head, so that both go out in one write.
    package static let copyLimit = 16 * 1024

    private let request: UpstreamRequestHead
    private let bodyBytes: Int
    private let writeBody: @Sendable (inout ByteBuffer) -> Void
    /// Whether the response is collected as fast as it arrives, without backpressure.
    let isResponseBuffered: Bool
    /// The request's place in a trace; nil: it is in none.
    private let trace: TraceFields?
    /// The pieces of a large body, which are never copied.
    let separateBody: [BodyPiece]

    /// A request with a body of any size, which is sent without a copy.
    package init(_ request: UpstreamRequestHead, pieces: [BodyPiece], isResponseBuffered: Bool = false, trace: TraceFields? = nil) {
        self.init(
            request, bodyBytes: pieces.reduce(0) { $0 + $1.count }, separateBody: pieces.filter { $0.count > 0 },
            isResponseBuffered: isResponseBuffered, trace: trace, writeBody: { _ in })
    }

    package init(_ request: UpstreamRequestHead, body: [ByteBuffer], isResponseBuffered: Bool = false) {
        let bodyBytes = body.reduce(0) { $0 + $1.readableBytes }
        guard bodyBytes <= Self.copyLimit else {
            self.init(request, pieces: body.map { .bytes($0) }, isResponseBuffered: isResponseBuffered)
            return
        }
        self.init(request, bodyBytes: bodyBytes, isResponseBuffered: isResponseBuffered) { buffer in
            for part in body { buffer.writeImmutableBuffer(part) }
        }
    }

    /// - Parameters:
    ///   - bodyBytes: at most `copyLimit`, unless the body is in `separateBody`.
    ///   - writeBody: writes a body that isn't in `separateBody`. Called once for each connection that the request is
    ///     sent on.
    package init(
        _ request: UpstreamRequestHead, bodyBytes: Int, separateBody: [BodyPiece] = [], isResponseBuffered: Bool = false,
        trace: TraceFields? = nil, writeBody: @escaping @Sendable (inout ByteBuffer) -> Void
    ) {
        self.request = request
        self.bodyBytes = bodyBytes
        self.separateBody = separateBody
        self.isResponseBuffered = isResponseBuffered
        self.trace = trace
        self.writeBody = writeBody
    }

    var isHeadRequest: Bool { request.isHeadRequest }

    /// Replaces the contents of `buffer` with the request line, the fields, the empty line and a small body.
    @inline(__always)
    func writeStart(to buffer: inout ByteBuffer) {
        buffer.clear(minimumCapacity: request.lines.readableBytes + 128 + (separateBody.isEmpty ? bodyBytes : 0))
        writeHead(to: &buffer)
        if separateBody.isEmpty { writeBody(&buffer) }
    }

    @inline(__always)
    private func writeHead(to buffer: inout ByteBuffer) {
        buffer.writeImmutableBuffer(request.lines)
        trace?.write(to: &buffer)
        buffer.writeText(capacity: 48) { text in
            if bodyBytes > 0 || request.alwaysSendsLength {
                text.put("content-length: ")
                text.put(decimal: bodyBytes)
                text.putLineEnd()
            }
            text.putLineEnd()
        }
    }
}

/// The rendered request line and fields of a request, shared by many similar requests. `UpstreamMessage` adds the
/// fields that describe the body.
package struct UpstreamRequestHead: Sendable {
    fileprivate private(set) var lines = ByteBuffer()
    fileprivate let isHeadRequest: Bool
    /// Whether an empty body gets a Content-Length, too.
    fileprivate let alwaysSendsLength: Bool

    private static let framingFields: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
    ]

    /// - Parameters:
    ///   - target: path and query; characters that are not allowed there are percent-encoded.
    ///   - authority: the value of the Host field.
    ///   - fields: fields about framing or the connection are left out, and so are names that aren't tokens. Control
    ///     bytes in values become spaces.
    package init(method: String, target: String, authority: String, fields: [(String, String)]) {
        let method = !method.isEmpty && method.consists(of: Octet.isToken) ? method : "POST"
        isHeadRequest = method == "HEAD"
        alwaysSendsLength = ["POST", "PUT", "PATCH"].contains(method)
        lines.writeString(method)
        lines.writeStaticString(" ")
        Self.write(target: target, to: &lines)
        lines.writeStaticString(" HTTP/1.1\r\nhost: ")
        writeValue(authority)
        for (name, value) in fields
        where !name.isEmpty && name.consists(of: Octet.isToken) && !Self.framingFields.contains(name.lowercased()) {
            lines.writeString(name)
            lines.writeStaticString(": ")
            writeValue(value)
        }
    }

    private static func write(target: String, to buffer: inout ByteBuffer) {
        if target.utf8.first != UInt8(ascii: "/") { buffer.writeStaticString("/") }
        if target.consists(of: Octet.isTarget) {
            buffer.writeString(target)
            return
        }
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in target.utf8 {
            if Octet.isTarget(byte) {
                buffer.writeInteger(byte)
            } else {
                buffer.writeBytes([UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
    }

    private mutating func writeValue(_ value: String) {
        if value.consists(of: Octet.isText) {
            lines.writeString(value)
        } else {
            lines.writeBytes(value.utf8.map { Octet.isText($0) ? $0 : Octet.space })
        }
        lines.writeStaticString("\r\n")
    }
}
