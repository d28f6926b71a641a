import NIOCore
import Testing

@testable import HTTPWire

struct ResponseParserTests {
    private func parse(_ text: String, cuts: [Int] = [], isHeadRequest: Bool = false) throws(WireFault) -> ParsedResponse? {
        let bytes = Array(text.utf8)
        var parser = ResponseParser()
        var input = ByteBuffer()
        var last = 0
        for cut in cuts + [bytes.count] {
            input.writeBytes(bytes[last..<cut])
            last = cut
            if let response = try parser.next(&input, isHeadRequest: isHeadRequest) { return response }
        }
        return nil
    }

    static let heads: [(String, Int, BodyLength, Bool)] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200, .sized(3), true),
        ("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, .sized(0), true),
        ("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", 200, .chunked, true),
        ("HTTP/1.1 429 Zu viel é\r\n\r\n", 429, .untilClose, false),
        ("HTTP/1.1 204 No\r\n\r\n", 204, .none, true), ("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", 204, .none, false),
        ("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", 304, .none, true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n", 200, .sized(3), false),
        ("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n", 200, .sized(3), true),
        ("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n\r\n", 200, .sized(3), false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0003\r\n\r\n", 200, .sized(3), true),
        ("HTTP/1.1 100 Continue\r\n\r\n", 100, .none, true),
    ]

    @Test("a response's framing follows from its head, wherever the head is split", arguments: heads)
    func frames(_ head: String, _ status: Int, _ body: BodyLength, _ isKeepAlive: Bool) throws {
        for cuts in everyCut(head.utf8.count) {
            let response = try #require(try parse(head, cuts: cuts))
            #expect(response.status == status && response.body == body && response.isKeepAlive == isKeepAlive)
        }
    }

    @Test("a response to HEAD has no body, even if it announces one")
    func head() throws {
        let response = try #require(try parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", isHeadRequest: true))
        #expect(response.body == .none && response.isKeepAlive)
    }

    @Test(
        "an invalid or ambiguous response is malformed, wherever it is split",
        arguments: [
            "\r\nHTTP/1.1 200 OK\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n",
            "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 099 OK\r\n\r\n",
            "HTTP/1.1 600 OK\r\n\r\n", "HTTP/1.1 200 OK\n\r\n", "HTTP/1.1 200 O\0K\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
            "HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 3, 3\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "<html>", "HTTP/1.1 200 OK\r\nSet-Cookie\r\n\r\n",
        ]
    )
    func refuses(_ text: String) {
        for cuts in everyCut(text.utf8.count) { #expect(throws: WireFault.self) { try parse(text, cuts: cuts) } }
    }

    @Test(
        "what speaks another protocol is named with the next step",
        arguments: [
            ("\u{15}\u{3}\u{1}\0\u{2}\u{2}F", "the upstream speaks TLS: write 'https://' in 'base_url'"),
            ("\u{16}\u{3}\u{3}\0", "the upstream speaks TLS: write 'https://' in 'base_url'"),
            ("SSH-2.0-OpenSSH_9.6\r\n", ", but with 'SSH-2.0-OpenSSH_9.6'; check the host and the port of 'base_url'"),
            ("-ERR unknown command\r\n", ", but with '-ERR unknown command'; check the host and the port of 'base_url'"),
            ("220 mail.example.com ESMTP\r\n", ", but with '220 mail.example.com ESMTP'; check the host and the port of 'base_url'"),
            ("HTTP/2 200\r\n", ", but with 'HTTP/2 200'; check the host and the port of 'base_url'"),
            ("\0\0\u{12}\u{4}\0", "HTTP/1.0; check the host and the port of 'base_url'"),
            ("\u{15}\u{1}", "HTTP/1.0; check the host and the port of 'base_url'"),
        ]
    )
    func otherProtocols(_ text: String, _ words: String) {
        #expect(performing: { try parse(text) }, throws: { ($0 as? WireFault)?.reason.hasSuffix(words) == true })
    }

    @Test("a head larger than 64 KiB is malformed, complete or not")
    func limit() {
        let line = "A: \(String(repeating: "x", count: 1000))\r\n"
        let head = "HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 66)
        #expect(throws: WireFault.self) { try parse(head) }
        #expect(throws: WireFault.self) { try parse(head + "\r\n") }
    }
}
