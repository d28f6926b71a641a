package import NIOCore

/// A request to an upstream: its framing is always ours.
package struct UpstreamMessage: Sendable {
    /// A body that is no larger is copied behind the head, so that both go out in one write.
    package static let copyLimit = 16 * 1024

    private let request: UpstreamRequestHead
    private let bodyBytes: Int
    private let writeBody: @Sendable (inout ByteBuffer) -> Void
    /// Nobody holds the response back: it is gathered as fast as it comes.
    let isResponseBuffered: Bool
    /// A large body, in pieces that are never copied.
    let rest: [ByteBuffer]

    package init(_ request: UpstreamRequestHead, body: [ByteBuffer], isResponseBuffered: Bool = false) {
        let bodyBytes = body.reduce(0) { $0 + $1.readableBytes }
        let isSmall = bodyBytes <= Self.copyLimit
        self.init(
            request, bodyBytes: bodyBytes, rest: isSmall ? [] : body.filter { $0.readableBytes > 0 }, isResponseBuffered: isResponseBuffered
        ) { start in
            if isSmall { for piece in body { start.writeImmutableBuffer(piece) } }
        }
    }

    /// - Parameters:
    ///   - bodyBytes: at most `copyLimit`, unless the body is in `rest`.
    ///   - writeBody: writes the body, where it isn't in `rest`; once for each connection that the request is sent on.
    package init(
        _ request: UpstreamRequestHead, bodyBytes: Int, rest: [ByteBuffer] = [], isResponseBuffered: Bool = false,
        writeBody: @escaping @Sendable (inout ByteBuffer) -> Void
    ) {
        self.request = request
        self.bodyBytes = bodyBytes
        self.rest = rest
        self.isResponseBuffered = isResponseBuffered
        self.writeBody = writeBody
    }

    var isHeadRequest: Bool { request.isHeadRequest }

    /// Request line and fields, up to and including the empty line.
    package var head: ByteBuffer {
        var head = ByteBuffer.unshared()
        writeHead(to: &head)
        return head
    }

    /// Writes what goes out first, request line, fields, the empty line and a small body, over what `buffer` holds.
    func writeStart(to buffer: inout ByteBuffer) {
        buffer.clear(minimumCapacity: request.lines.readableBytes + 48 + (rest.isEmpty ? bodyBytes : 0))
        writeHead(to: &buffer)
        if rest.isEmpty { writeBody(&buffer) }
    }

    private func writeHead(to buffer: inout ByteBuffer) {
        buffer.writeImmutableBuffer(request.lines)
        if bodyBytes > 0 || request.announcesLength {
            buffer.writeStaticString("content-length: ")
            buffer.writeDecimal(bodyBytes)
            buffer.writeStaticString("\r\n\r\n")
        } else {
            buffer.writeStaticString("\r\n")
        }
    }
}

/// The request line and the fields of a request, rendered; made once for many requests that are alike. What tells of the body comes behind it.
package struct UpstreamRequestHead: Sendable {
    fileprivate private(set) var lines = ByteBuffer()
    fileprivate let isHeadRequest: Bool
    /// Of an empty body too.
    fileprivate let announcesLength: Bool

    private static let framingFields: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
    ]

    /// - Parameters:
    ///   - target: path and query; what may not stand there is percent-encoded.
    ///   - authority: becomes the Host.
    ///   - fields: those about framing and the connection are left out, and those whose name is no token; control bytes in values become spaces.
    package init(method: String, target: String, authority: String, fields: [(String, String)]) {
        let method = !method.isEmpty && method.consists(of: Octet.isToken) ? method : "POST"
        isHeadRequest = method == "HEAD"
        announcesLength = ["POST", "PUT", "PATCH"].contains(method)
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
