import TestSupport
import Testing

/// Limits of heads, bodies and times of requests, and requests that a connection refuses.
@Suite struct HTTPLimitsTests {
    private static func get(_ target: String = "/models", _ fields: [String]) -> String {
        (["GET \(target) HTTP/1.1", "Host: localhost"] + fields).joined(separator: "\r\n") + "\r\n\r\n"
    }

    @Test func `a head over a limit is refused with the limit's status`() throws {
        let router = try RouterProcess(PolicyText().demo)
        let cases: [(String, Int)] = [
            (Self.get("/models", (0..<101).map { "A\($0): b" }), 431),
            (Self.get("/models", ["A: \(String(repeating: "x", count: 32 * 1024))"]), 431),
            (Self.get("/models?\(String(repeating: "x", count: 8 * 1024))", []), 414),
        ]
        for (request, status) in cases {
            let client = try router.client()
            client.send(request)
            let response = HTTPHead(try client.readToClose())
            #expect(response.status == status)
        }
        #expect(try router.get("/models?\(String(repeating: "x", count: 4000))").status == 200)
    }

    @Test func `an endless head is refused at the limit and uses little memory`() throws {
        let router = try RouterProcess(PolicyText().demo)
        _ = try router.get("/health")
        let before = router.figures.rss
        let client = try router.client()
        client.send("GET /models HTTP/1.1\r\nHost: localhost\r\n")
        client.send(String(repeating: "a:b\r\n", count: 200_000), within: .seconds(5))
        #expect([0, 431].contains(HTTPHead(try client.readToClose()).status))
        #expect(router.figures.rss - before < 8 * 1024)
    }

    @Test func `a body over the limit is a 413, with or without a length`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "max_body: 64KiB"))
        let announced = try router.client()
        announced.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n")
        #expect(try announced.readResponse().status == 413)

        let chunked = try router.client()
        chunked.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<5 { chunked.send("4000\r\n\(String(repeating: " ", count: 0x4000))\r\n") }
        #expect(try chunked.readResponse().status == 413)
        let announcedChunk = try router.client()
        announcedChunk.send(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n")
        #expect(try announcedChunk.readResponse().status == 413)
        #expect(upstream.connections == 0)
    }

    @Test func `100 Continue is sent only if the body would be accepted`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], keys: ["  k: { secret: \"good-key\" }"]))
        let body = RouterProcess.chatBody("a", "after the 100")
        func head(_ key: String) -> String {
            "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(key)\r\n"
                + "Expect: 100-continue\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        }
        let refused = try router.client()
        refused.send(head("bad-key"))
        #expect(try refused.readResponse().status == 401)

        let accepted = try router.client()
        accepted.send(head("good-key"))
        #expect(try accepted.readHead().status == 100)
        accepted.send(body)
        #expect(try accepted.readResponse().content == "after the 100")
    }

    @Test func `an invalid body is a 400 and no upstream is called`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let messages = #""messages":[{"role":"user","content":"x"}]"#
        var bodies = [
            "", "{", "[]", "null", "{\"model\":\"a\",}", "{\"model\":\"a\",\(messages),}", "{\"model\":\"a\",\"x\":[1,],\(messages)}",
            "{\"model\":\"a\" \(messages)}",
            "{\"model\":\"a\",\(messages)} x", "{\"model\":\"a\",\"model\":\"b\",\(messages)}", "{\"model\":7,\(messages)}",
            "{\"model\":\"a\",\"x\":01,\(messages)}",
            "{\"model\":\"a\",\"x\":\"\u{1}\",\(messages)}", "{'model':'a'}", "{\"model\":\"a\",\"stream\":\"yes\",\(messages)}",
        ].map { Array($0.utf8) }
        bodies.append(Array("{\"model\":\"a\",\"x\":".utf8) + Array(repeating: UInt8(ascii: "["), count: 100_000))
        bodies.append(Array("{\"model\":\"a\",\"x\":\"".utf8) + [0xC3, 0x28] + Array("\",\(messages)}".utf8))
        for body in bodies {
            let client = try router.client()
            client.send(Array(RouterProcess.request("POST", "/v1/chat/completions", fields: ["Content-Length: \(body.count)"]).utf8) + body)
            let response = try client.readResponse()
            #expect(response.status == 400, "\(String(decoding: body.prefix(60), as: UTF8.self)): \(response.text)")
            #expect(response.errorType == "invalid_request_error")
        }
        #expect(upstream.requests.isEmpty)
    }

    @Test func `fields that the router doesn't read pass unchanged`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.responding("ok"))
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let many = (0..<scaled(10_000, soak: 100_000)).map { "\"k\($0)\":0" }.joined(separator: ",")
        for extra in [#""x":1e999"#, #""x":"\ud800""#, #""x":1,"x":2"#, #""x":12345678901234567890123"#, #""x" : [ 1 , 2.50 ]"#, many] {
            #expect(try router.chat("a", extra: extra).status == 200, "\(extra.prefix(40))")
            #expect(try #require(upstream.requests.last).text.contains(extra), "\(extra.prefix(40))")
        }
    }

    @Test func `slow heads and bodies time out while other requests are served`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream], server: "head_timeout: 1s, body_timeout: 1s"))
        #expect(try router.chat("a", "warm").content == "warm")
        let before = router.figures
        let start = ContinuousClock.now
        let count = scaled(100, soak: 2000)
        let slow = try (0..<count).map { index in
            let client = try router.client()
            client.send(
                index % 2 == 0 ? "GET /mod" : "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
            return client
        }
        for index in 0..<20 { #expect(try router.chat("a", "n\(index)").content == "n\(index)") }
        #expect(router.figures.pss - before.pss < count * 20 + 4 * 1024)
        for client in slow {
            let status = HTTPHead(try client.readToClose()).status
            #expect(status == 408)
        }
        #expect(.now - start >= .milliseconds(900))
        #expect(.now - start < ceiling(.seconds(2)))
    }

    @Test func `head_timeout bounds a head that arrives byte by byte`() throws {
        let router = try RouterProcess(PolicyText(server: "head_timeout: 500ms").demo)
        let client = try router.client()
        let start = ContinuousClock.now
        while .now - start < ceiling(.seconds(1)), client.send("G") { if !client.staysSilent(for: .milliseconds(50)) { break } }
        #expect(.now - start < ceiling(.seconds(1)))
        #expect([0, 400, 408].contains(HTTPHead(try client.readToClose()).status))
    }

    @Test func `pipelined requests get their responses in order, and a malformed one closes the connection`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.echoing)
        let router = try RouterProcess(PolicyText(["a": upstream]))
        let client = try router.client()
        let requests = (1...20).map { index in
            index == 12
                ? "GET /models HTTP/1.1\r\nHost : x\r\n\r\n"
                : RouterProcess.request("POST", "/v1/chat/completions", body: RouterProcess.chatBody("a", "n\(index)", stream: index == 7))
        }
        client.send(requests.joined())
        for index in 1...11 {
            if index == 7 {
                let response = try client.readStream()
                #expect(response.content == "n7")
                #expect(response.isDone)
            } else {
                #expect(try client.readResponse().content == "n\(index)")
            }
        }
        #expect(try client.readResponse().status == 400)
        try client.waitForClose()
        #expect(upstream.requests.count == 11)
    }

    @Test func `no request switches the connection to another protocol`() throws {
        let router = try RouterProcess(PolicyText().demo)
        let smuggled = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for request in [
            "CONNECT x:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
            Self.get("/models", ["Connection: Upgrade", "Upgrade: websocket"]),
        ] {
            let client = try router.client()
            client.send(request + smuggled)
            #expect([400, 405, 426, 501].contains(try client.readResponse().status), "\(request)")
            #expect(try client.readToClose() == [])
        }
        // TRACE would show a client's header fields to whoever can make it send the request.
        let trace = try router.client()
        trace.send("TRACE /models HTTP/1.1\r\nHost: localhost\r\nX-Secret: abcdefgh\r\n\r\n")
        let refusal = try trace.readResponse()
        #expect(refusal.status == 405 && refusal.head["allow"] != nil && !refusal.text.contains("abcdefgh"))
        // Java's HTTP client offers h2c in its first request. The request is served as HTTP/1.1, and the connection is
        // closed after the response.
        let client = try router.client()
        client.send(
            Self.get("/models", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"])
                + smuggled)
        #expect(try client.readResponse().status == 200)
        #expect(try client.readToClose() == [])
    }
}

extension PolicyText {
    /// The policy with a model `demo`, which needs no upstream.
    var demo: PolicyText {
        with {
            $0.moreProviders.append("  demo: { plugin: demo }")
            $0.moreModels.append("  demo: { provider: demo }")
        }
    }
}
