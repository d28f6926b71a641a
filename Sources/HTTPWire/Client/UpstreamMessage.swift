package import NIOCore

/// A request to an upstream, rendered: its framing is always ours.
package struct UpstreamMessage: Sendable {
    /// Request line and fields, up to and including the empty line.
    package private(set) var head: ByteBuffer
    /// The body, in pieces that are never copied unless they are small.
    package private(set) var body: [ByteBuffer]
    let isHeadRequest: Bool
    let bodyBytes: Int

    /// `target`: path and query; what may not stand there is percent-encoded.
    package init(method: String, target: String, fields: UpstreamFields, body: [ByteBuffer]) {
        bodyBytes = body.reduce(0) { $0 + $1.readableBytes }
        isHeadRequest = method == "HEAD"
        self.body = body
        head = ByteBuffer()
        head.reserveCapacity(64 + method.utf8.count + target.utf8.count + fields.lines.readableBytes)
        head.writeString(method.utf8.allSatisfy(Octet.isToken) && !method.isEmpty ? method : "POST")
        head.writeStaticString(" ")
        writeTarget(target)
        head.writeStaticString(" HTTP/1.1\r\n")
        head.writeImmutableBuffer(fields.lines)
        if bodyBytes > 0 || method == "POST" || method == "PUT" || method == "PATCH" {
            head.writeStaticString("content-length: ")
            head.writeDecimal(bodyBytes)
            head.writeStaticString("\r\n")
        }
        head.writeStaticString("\r\n")
    }

    package init(method: String, target: String, authority: String, fields: [(String, String)], body: [ByteBuffer]) {
        self.init(method: method, target: target, fields: UpstreamFields(authority: authority, fields), body: body)
    }

    private mutating func writeTarget(_ target: String) {
        if target.utf8.first != UInt8(ascii: "/") { head.writeStaticString("/") }
        if target.utf8.allSatisfy(Octet.isTarget) {
            head.writeString(target)
            return
        }
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in target.utf8 {
            if Octet.isTarget(byte) {
                head.writeInteger(byte)
            } else {
                head.writeBytes([UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            }
        }
    }
}

/// The field lines of a request, rendered; made once for many requests that are alike.
package struct UpstreamFields: Sendable {
    fileprivate private(set) var lines = ByteBuffer()

    private static let framingFields: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
    ]

    /// `authority` becomes the Host. Fields about framing and the connection are left out, and those whose name is no token; control bytes in values become spaces.
    package init(authority: String, _ fields: [(String, String)]) {
        lines.writeStaticString("host: ")
        writeValue(authority)
        for (name, value) in fields where !name.isEmpty && name.utf8.allSatisfy(Octet.isToken) && !Self.framingFields.contains(name.lowercased()) {
            lines.writeString(name)
            lines.writeStaticString(": ")
            writeValue(value)
        }
    }

    private mutating func writeValue(_ value: String) {
        if value.utf8.allSatisfy(Octet.isText) { lines.writeString(value) } else { lines.writeBytes(value.utf8.map { Octet.isText($0) ? $0 : Octet.space }) }
        lines.writeStaticString("\r\n")
    }
}
