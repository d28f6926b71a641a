import TestSupport
import Testing

/// Request smuggling: a request that another HTTP parser could read differently is refused, and nothing of it reaches
/// an upstream.
@Suite struct HTTPFramingTests {
    private static let smuggled = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

    /// Sends each request together with a second one. The router must send one error and close the connection.
    private func expectRefusals(_ cases: [(name: String, request: String)], statuses: Set<Int> = [400, 501]) throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream]))
        for (name, request) in cases {
            let client = try router.client()
            client.send(request + Self.smuggled)
            do {
                let response = try client.readResponse(within: .seconds(5))
                #expect(statuses.contains(response.status), "\(name): \(response.text)")
                #expect(try client.readToClose(within: .seconds(5)) == [], "\(name): a second response")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
        #expect(upstream.connections == 0)
        #expect(try router.chat("a", "still here").content == "still here")
    }

    private static func chat(_ fields: [String], version: String = "1.1", body: String) -> String {
        (["POST /v1/chat/completions HTTP/\(version)", "Host: localhost"] + fields).joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    private static let chunkedBody: String = {
        let body = RouterProcess.chatBody("a")
        return "\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n0\r\n\r\n"
    }()

    @Test func `a transfer coding that is not exactly chunked is refused`() throws {
        let values = [
            "chunked, chunked", "xchunked", "chunkedx", "identity", "gzip", "deflate", "gzip, chunked", "chunked, gzip",
            "chunked, identity", "identity, chunked",
            "chunked;q=1", "chunked ; a=b", ",chunked", "chunked,", "chunked,,", "\"chunked\"", "[chunked]", "chunk ed", "chun\tked",
            "chunked\u{0b}", "\u{0b}chunked",
            "chunked\u{0c}", "chunked\u{0}", "", "x, chunked", "chunked\\", "chunked chunked",
        ]
        var cases = values.map { (name: $0.debugDescription, request: Self.chat(["Transfer-Encoding: \($0)"], body: Self.chunkedBody)) }
        cases.append(("two fields", Self.chat(["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"], body: Self.chunkedBody)))
        cases.append(("two codings", Self.chat(["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], body: Self.chunkedBody)))
        cases.append(("space before the colon", Self.chat(["Transfer-Encoding : chunked"], body: Self.chunkedBody)))
        cases.append(("folded", Self.chat(["Transfer-Encoding:", " chunked"], body: Self.chunkedBody)))
        cases.append(("HTTP/1.0", Self.chat(["Transfer-Encoding: chunked"], version: "1.0", body: Self.chunkedBody)))
        try expectRefusals(cases)
    }

    @Test func `a length beside a transfer coding is refused`() throws {
        try expectRefusals([
            ("length first", Self.chat(["Content-Length: 5", "Transfer-Encoding: chunked"], body: Self.chunkedBody)),
            ("length last", Self.chat(["Transfer-Encoding: chunked", "Content-Length: 5"], body: Self.chunkedBody)),
            ("length 0", Self.chat(["Content-Length: 0", "transfer-encoding: chunked"], body: Self.chunkedBody)),
        ])
    }

    @Test func `a length that is not one plain number is refused`() throws {
        let values = [
            "+5", "-5", "5_0", "0x5", "5 5", "", "5,5", "5, 5", "5;", "5.0", "1e1", "99999999999999999999", "18446744073709551616", "９",
            "5\u{0b}", "'5'", "five", "05", "005", "00",
        ]
        var cases = values.map { (name: $0.debugDescription, request: Self.chat(["Content-Length: \($0)"], body: "hello")) }
        cases.append(("twice the same", Self.chat(["Content-Length: 5", "Content-Length: 5"], body: "hello")))
        cases.append(("twice", Self.chat(["Content-Length: 5", "Content-Length: 6"], body: "hello!")))
        try expectRefusals(cases)
    }

    @Test func `a faulty chunk is refused`() throws {
        let bodies = [
            "00000000000000005\r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n",
            "5_\r\nhello\r\n0\r\n\r\n",
            "g\r\nhello\r\n0\r\n\r\n", "\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "5\rhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhelloXX0\r\n\r\n", "5\r\nhello\r\n0\n\n", " 5\r\nhello\r\n0\r\n\r\n",
            "5;\(String(repeating: "x", count: 65536))\r\nhello\r\n0\r\n\r\n", "5;a\nb\r\nhello\r\n0\r\n\r\n", "0\r\nbad trailer\r\n\r\n",
        ]
        try expectRefusals(bodies.map { ("\($0.prefix(40).debugDescription)", Self.chat(["Transfer-Encoding: chunked"], body: $0)) })
        try expectRefusals(
            [("2^64", Self.chat(["Transfer-Encoding: chunked"], body: "ffffffffffffffff\r\nhello"))],
            statuses: [400, 413])
    }

    @Test func `trailers are dropped and never become headers`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let client = try router.client()
        let body = Self.chunkedBody.dropLast() + "Host: evil\r\nAuthorization: Bearer evil\r\nContent-Length: 3\r\nX-Evil: evil\r\n\r\n"
        client.send(Self.chat(["Transfer-Encoding: chunked"], body: String(body)))
        #expect(try client.readResponse().status == 200)
        let seen = try upstream.waitForRequest()
        #expect(!seen.text.contains("evil"))
        client.send(RouterProcess.request("GET", "/health"))
        #expect(try client.readResponse().status == 200)
    }

    @Test func `a faulty head is refused`() throws {
        func get(_ line: String, _ fields: String...) -> (String, String) {
            (([line] + fields).joined(separator: " | ").debugDescription, ([line] + fields).joined(separator: "\r\n") + "\r\n\r\n")
        }
        let good = "GET /models HTTP/1.1"
        try expectRefusals(
            [
                get("GET  /models HTTP/1.1", "Host: localhost"), get("GET /models  HTTP/1.1", "Host: localhost"),
                get("GET /models", "Host: localhost"),
                get("GET /models HTTP/1.1 ", "Host: localhost"),
                get("GET\t/models HTTP/1.1", "Host: localhost"), get("GET /models http/1.1", "Host: localhost"),
                get("GET /models HTTP/1.10", "Host: localhost"),
                get("GET /models HTTP/01.1", "Host: localhost"), get("GET /models HTTP/2.0", "Host: localhost"),
                get("GET /models HTTP/1.1x", "Host: localhost"),
                get(" GET /models HTTP/1.1", "Host: localhost"),
                get("G@T /models HTTP/1.1", "Host: localhost"), get("GET models HTTP/1.1", "Host: localhost"),
                get("GET /mo\u{0}dels HTTP/1.1", "Host: localhost"),
                get("GET /mo\u{1}dels HTTP/1.1", "Host: localhost"),
                get("GET http://other/models HTTP/1.1", "Host: localhost"), get(good), get(good, "Host: localhost", "Host: localhost"),
                get(good, "Host: a b"),
                get(good, "Host: x:port"),
                get(good, "Host: localhost", "A: b\rc"), get(good, "Host: localhost", "A: b\u{0}c"),
                get(good, "Host: localhost", "A: b\u{1}c"),
                get(good, "Host: localhost", "A : b"), get(good, "Host: localhost", ": b"),
                get(good, "Host: localhost", "no colon"), get(good, "Host: localhost", "A b: c"), get(good, "Host: localhost", "A(b): c"),
                get(good, "Host: localhost", "A: b", " folded"),
                get(good, " Leading: x", "Host: localhost"), get(good, "", "Host: localhost"),
                (name: "bare LF", request: "GET /models HTTP/1.1\nHost: localhost\n\n"),
                (name: "one bare LF", request: "GET /models HTTP/1.1\r\nHost: localhost\nA: b\r\n\r\n"),
            ], statuses: [400, 505])
    }
}
