import NIOCore
import Testing

@testable import HTTPWire

struct ResponseOutputTests {
    @Test("a value cannot split the head, and a name that is not a token adds nothing")
    func splitting() {
        var head = ResponseHead(status: 200)
        head.add("x-a", "1\r\nSet-Cookie: x\0\u{7F}")
        head.add(name: "bad name", value: "x")
        head.add(name: "ok", value: "y")
        #expect(String(buffer: head.lines) == "x-a: 1  Set-Cookie: x  \r\nok: y\r\n")
    }

    @Test("an upstream request's framing fields are replaced, and no value can split it")
    func message() {
        let head = UpstreamRequestHead(
            method: "POST", target: "/a b\r\nX: y", authority: "h\r\n",
            fields: [("A", "1\n2"), ("Content-Length", "9"), ("Connection", "x"), ("b c", "d"), ("te", "x")])
        let message = UpstreamMessage(head, body: [ByteBuffer(string: "ab"), ByteBuffer(string: "c")])
        #expect(text(message) == "POST /a%20b%0D%0AX:%20y HTTP/1.1\r\nhost: h  \r\nA: 1 2\r\ncontent-length: 3\r\n\r\nabc")
        #expect(
            text(UpstreamMessage(UpstreamRequestHead(method: "GET", target: "x", authority: "h", fields: []), body: []))
                == "GET /x HTTP/1.1\r\nhost: h\r\n\r\n")
    }

    private func text(_ message: UpstreamMessage) -> String {
        var buffer = ByteBuffer()
        message.writeStart(to: &buffer)
        return String(buffer: buffer)
    }

    @Test(
        "numbers are rendered in decimal, and chunk sizes in hex",
        arguments: [
            (0, "0", "0"), (9, "9", "9"), (10, "10", "a"), (255, "255", "ff"), (4096, "4096", "1000"),
            (Int.max, "9223372036854775807", "7fffffffffffffff"),
        ])
    func numbers(_ number: Int, _ decimal: String, _ hex: String) {
        var buffer = ByteBuffer()
        buffer.writeDecimal(number)
        buffer.writeString(" ")
        buffer.writeChunkSize(number)
        #expect(String(buffer: buffer) == "\(decimal) \(hex)\r\n")
    }

    @Test("a chunk consists of its size, its bytes and CR LF", arguments: [0, 1, 15, 16, 4096])
    func chunk(_ size: Int) {
        let bytes = String(repeating: "x", count: size)
        var buffer = ByteBuffer(string: "before")
        buffer.writeChunk(ByteBuffer(string: bytes))
        #expect(String(buffer: buffer) == "before\(String(size, radix: 16))\r\n\(bytes)\r\n")
    }
}
