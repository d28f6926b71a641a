import NIOCore
import RedisStore
import Testing

/// Replies of Redis' protocol.
struct RedisReplyTests {
    @Test(
        arguments: [
            ("+OK\r\n", .text("OK")), ("-WRONGPASS no\r\n", .error("WRONGPASS no")), (":-12\r\n", .integer(-12)),
            ("$5\r\na\r\nbc\r\n", .text("a\r\nbc")), ("$0\r\n\r\n", .text("")), ("$-1\r\n", .null), ("*-1\r\n", .null),
            ("*0\r\n", .array([])),
            ("*2\r\n:1\r\n*1\r\n+a\r\n", .array([.integer(1), .array([.text("a")])])),
        ] as [(String, RedisReply)])
    func `a reply is read when it is complete, wherever it was cut`(text: String, reply: RedisReply) throws {
        for cut in 0..<text.utf8.count {
            var buffer = ByteBuffer(string: String(text.utf8.prefix(cut)) ?? "")
            #expect(try RedisReply.read(from: &buffer) == nil && buffer.readableBytes == cut)
            buffer.writeBytes(Array(text.utf8.dropFirst(cut)))
            buffer.writeString(":7\r\n")
            #expect(try RedisReply.read(from: &buffer) == reply)
            #expect(try RedisReply.read(from: &buffer) == .integer(7))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "\r\n", ":x\r\n", "$x\r\n", "$-2\r\n", "$99999999\r\n", "$1\r\nab\r\n", "*99999999\r\n", "*-2\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", ":99999999999999999999\r\n", "+a\rb\r\n", String(repeating: "x", count: 70_000),
    ])
    func `anything else is an error`(text: String) {
        var buffer = ByteBuffer(string: text)
        #expect(throws: RedisReplyError.self) { try RedisReply.read(from: &buffer) }
    }
}
