import TestSupport
import Testing

/// Each wait has a named timer, and `total` bounds all of them together.
@Suite struct TimeoutsTests {
    private static func router(_ upstream: ScriptedUpstream, _ timeouts: String, server: String = "") throws -> RouterProcess {
        try RouterProcess(PolicyText(["a": upstream], server: server, defaults: "timeouts: { \(timeouts) }", routes: ["  r: { try: a }"]))
    }

    /// Expects that the failure is counted with a reason that contains the timer's name.
    private func expectTimer(_ name: String, _ router: RouterProcess, _ place: SourceLocation = #_sourceLocation) throws {
        let samples = try router.get("/metrics").text.split(separator: "\n").filter {
            $0.hasPrefix("llm_router_attempt_failures_total{") && $0.contains(name)
        }
        #expect(samples.count == 1, "\(name)", sourceLocation: place)
    }

    private func expect(
        _ status: Int, timer: String?, stream: Bool, timeouts: String, place: SourceLocation = #_sourceLocation,
        _ script: @escaping ScriptedUpstream.Script
    ) throws {
        let upstream = try ScriptedUpstream(script)
        let router = try Self.router(upstream, timeouts)
        let start = ContinuousClock.now
        let response = try router.call(
            "POST", "/v1/chat/completions", body: RouterProcess.chatBody("r", stream: stream), within: .seconds(20))
        let time = ContinuousClock.now - start
        #expect(response.status == status, "\(response.text)", sourceLocation: place)
        #expect(time < ceiling(.milliseconds(550)), sourceLocation: place)
        if timer != nil { #expect(time >= .milliseconds(290), sourceLocation: place) }
        if let timer { try expectTimer(timer, router, place) }
        try upstream.waitForPeerClose()
    }

    @Test func `first_byte bounds the wait for the complete head of a stream`() throws {
        try expect(504, timer: "first_byte", stream: true, timeouts: "first_byte: 300ms", ScriptedUpstream.silent)
        try expect(504, timer: "first_byte", stream: true, timeouts: "first_byte: 300ms") { exchange in
            for byte in Array("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".utf8) {
                try exchange.send([byte])
                try exchange.pause(.milliseconds(50))
            }
        }
        try expect(504, timer: "first_byte", stream: true, timeouts: "first_byte: 300ms") { exchange in
            while true {
                try exchange.send("HTTP/1.1 102 Processing\r\n\r\n")
                try exchange.pause(.milliseconds(20))
            }
        }
    }

    @Test func `first_content bounds the wait for the first content of a stream`() throws {
        try expect(504, timer: "first_content", stream: true, timeouts: "first_content: 300ms") { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.roleChunk)
            while true {
                try exchange.chunk(": ping\n\n")
                try exchange.pause(.milliseconds(50))
            }
        }
    }

    @Test func `response bounds a non-streamed response`() throws {
        try expect(504, timer: "response", stream: false, timeouts: "response: 300ms", ScriptedUpstream.silent)
        try expect(504, timer: "response", stream: false, timeouts: "response: 300ms") { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n")
            while true {
                try exchange.send(" ")
                try exchange.pause(.milliseconds(50))
            }
        }
    }

    @Test func `total bounds all attempts together`() throws {
        let upstreams = try (0..<3).map { _ in try ScriptedUpstream(ScriptedUpstream.silent) }
        let policy = PolicyText(
            ["a": upstreams[0], "b": upstreams[1], "c": upstreams[2]],
            defaults: "timeouts: { first_byte: 200ms, response: 200ms, total: 500ms }", routes: ["  r: { try: [a, b, c] }"])
        let router = try RouterProcess(policy)
        for stream in [false, true] {
            let start = ContinuousClock.now
            let response = try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("r", stream: stream))
            #expect(response.status == 504)
            #expect(response.errorCode == "request_timeout")
            #expect(.now - start >= .milliseconds(490))
            #expect(.now - start < ceiling(.milliseconds(750)))
        }
        for upstream in upstreams { try upstream.waitForPeerClose() }
    }

    @Test func `timeout_secs of a request bounds each attempt, so that the next model is called`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.silent)
        let router = try Self.router(upstream, "total: 60s")
        let response = try router.chat("a", extra: #""timeout_secs":1"#)
        #expect(response.status == 504)
        #expect(response.json?["_router"]?["errors"]?[0]?["message"]?.string?.contains("'timeout_secs'") == true)
        #expect(try router.metric("llm_router_attempt_failures_total", #"reason="timeout_attempt""#) == 1)
        let spare = try ScriptedUpstream(ScriptedUpstream.responding("spare"))
        let both = try RouterProcess(PolicyText(["a": upstream, "b": spare], routes: ["  r: { try: [a, b] }"]))
        for stream in [false, true] {
            let body = RouterProcess.chatBody("r", stream: stream, extra: #""timeout_secs":1.0"#)
            #expect(try both.call("POST", "/v1/chat/completions", body: body).text.contains("spare"))
        }
        #expect(try router.chat("a", extra: #""timeout_secs":0"#).status == 400)
        #expect(upstream.requests.first?.json?["timeout_secs"] == nil)
    }

    @Test func `a silent stream ends with an error event, and pings of the upstream restart the idle timer`() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("one"))
            for _ in 0..<60 {
                try exchange.pause(.milliseconds(50))
                try exchange.chunk(": ping\n\n")
            }
            try exchange.event(OpenAIReplies.contentChunk("two"))
            exchange.hold()
        }
        let router = try Self.router(upstream, "idle: 2s", server: "keepalive: 100ms")
        let response = try router.stream("a", within: .seconds(30))
        #expect(response.content == "onetwo")
        #expect(response.errors.count == 1)
        #expect(response.doneCount == 0)
        try expectTimer("idle", router)
        try upstream.waitForPeerClose()
    }

    @Test func `connect bounds TCP and TLS`() throws {
        let (hole, silent) = (try BlackHole(), try ScriptedUpstream(ScriptedUpstream.silent))
        let policy = PolicyText(defaults: "timeouts: { connect: 300ms }").with {
            $0.moreProviders = [
                "  hole: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(hole.port)/v1\" }",
                "  tls: { plugin: openai-compatible, base_url: \"https://127.0.0.1:\(silent.port)/v1\" }",
            ]
            $0.moreModels = ["  hole: { provider: hole }", "  tls: { provider: tls }"]
        }
        let router = try RouterProcess(policy)
        for model in ["hole", "tls"] {
            let start = ContinuousClock.now
            let response = try router.chat(model)
            #expect(response.status == 502, "\(model)")
            #expect(.now - start >= .milliseconds(290), "\(model)")
            #expect(.now - start < ceiling(.milliseconds(550)), "\(model)")
            #expect(try router.metric("llm_router_attempt_failures_total", "model=\"\(model)\"", "connect") == 1, "\(model)")
        }
    }

    @Test func `an endless head of a response is a 502`() throws {
        try expect(502, timer: nil, stream: true, timeouts: "first_byte: 60s") { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\n")
            while true { try exchange.send("A: \(String(repeating: "b", count: 1000))\r\n") }
        }
        try expect(502, timer: nil, stream: false, timeouts: "response: 60s") { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nA: ")
            while true { try exchange.send(String(repeating: "b", count: 65536)) }
        }
    }

    @Test func `a response with invalid framing is a 502`() throws {
        for head in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: +5", "Content-Length: 5\r\nContent-Length: 6",
            "Transfer-Encoding: gzip, chunked", "A : b", "A: b\r\n folded",
        ] {
            try expect(502, timer: nil, stream: false, timeouts: "response: 60s") { exchange in
                try exchange.send("HTTP/1.1 200 OK\r\n\(head)\r\n\r\nhello")
                exchange.hold()
            }
        }
    }
}
