package import NIOCore

/// A request to an upstream, rendered: its framing is always ours.
package struct UpstreamMessage: Sendable {
    /// Request line and fields, up to and including the empty line.
    package private(set) var head: ByteBuffer
    /// The body, in pieces that are never copied unless they are small.
    package private(set) var body: [ByteBuffer]
    let isHeadRequest: Bool
    let bodyBytes: Int

    private static let framingFields: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade", "expect",
    ]

    /// `target`: path and query; what may not stand there is percent-encoded. `authority` becomes the Host. Fields about framing and the connection are left out, and those whose
    /// name is no token; control bytes in values become spaces.
    package init(method: String, target: String, authority: String, fields: [(String, String)], body: [ByteBuffer]) {
        bodyBytes = body.reduce(0) { $0 + $1.readableBytes }
        isHeadRequest = method == "HEAD"
        self.body = body
        head = ByteBuffer()
        head.reserveCapacity(256 + target.utf8.count + fields.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 })
        head.writeBytes(method.utf8.allSatisfy(Octet.isToken) && !method.isEmpty ? Array(method.utf8) : Array("POST".utf8))
        head.writeStaticString(" ")
        writeTarget(target)
        head.writeStaticString(" HTTP/1.1\r\nhost: ")
        writeValue(authority)
        for (name, value) in fields where !name.isEmpty && name.utf8.allSatisfy(Octet.isToken) && !Self.framingFields.contains(name.lowercased()) {
            head.writeString(name)
            head.writeStaticString(": ")
            writeValue(value)
        }
        if bodyBytes > 0 || ["POST", "PUT", "PATCH"].contains(method) {
            head.writeStaticString("content-length: ")
            head.writeDecimal(bodyBytes)
            head.writeStaticString("\r\n")
        }
        head.writeStaticString("\r\n")
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

    private mutating func writeValue(_ value: String) {
        if value.utf8.allSatisfy(Octet.isText) { head.writeString(value) } else { head.writeBytes(value.utf8.map { Octet.isText($0) ? $0 : Octet.space }) }
        head.writeStaticString("\r\n")
    }
}
