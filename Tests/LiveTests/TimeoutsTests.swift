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
        try expect(504, timer: "first_byte", stream: true, timeouts: "first_byte: 300ms") { exchange in
            for byte in Array("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n".utf8) {
                try exchange.send([byte])
                try exchange.pause(.milliseconds(50))
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
        let start = ContinuousClock.now
        let response = try router.chat("r")
        #expect(response.status == 504)
        #expect(response.errorCode == "request_timeout")
        #expect(.now - start >= .milliseconds(490))
        #expect(.now - start < ceiling(.milliseconds(750)))
        for upstream in upstreams { try upstream.waitForPeerClose() }
    }

    @Test func `timeout_secs of a request bounds its attempts, and is not sent upstream`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.silent)
        let router = try Self.router(upstream, "total: 60s")
        let response = try router.chat("a", extra: #""timeout_secs":1"#)
        #expect(response.status == 504)
        #expect(response.json?["_router"]?["errors"]?[0]?["message"]?.string?.contains("'timeout_secs'") == true)
        #expect(try router.metric("llm_router_attempt_failures_total", #"reason="timeout_attempt""#) == 1)
        #expect(try router.chat("a", extra: #""timeout_secs":0"#).status == 400)
        #expect(upstream.requests.first?.json?["timeout_secs"] == nil)
    }

    @Test func `a silent stream ends with an error event, and pings of the upstream restart the idle timer`() throws {
        let upstream = try ScriptedUpstream { exchange in
            try exchange.startStream()
            try exchange.event(OpenAIReplies.contentChunk("one"))
            for _ in 0..<24 {
                try exchange.pause(.milliseconds(50))
                try exchange.chunk(": ping\n\n")
            }
            try exchange.event(OpenAIReplies.contentChunk("two"))
            exchange.hold()
        }
        let router = try Self.router(upstream, "idle: 1s", server: "keepalive: 100ms")
        let response = try router.stream("a", within: .seconds(30))
        #expect(response.content == "onetwo")
        #expect(response.errors.count == 1)
        #expect(response.doneCount == 0)
        try expectTimer("idle", router)
        try upstream.waitForPeerClose()
    }

    @Test func `connect bounds the wait for a connection`() throws {
        let hole = try BlackHole()
        let policy = PolicyText(defaults: "timeouts: { connect: 300ms }").with {
            $0.moreProviders = ["  hole: { plugin: openai-compatible, base_url: \"http://127.0.0.1:\(hole.port)/v1\" }"]
            $0.moreModels = ["  hole: { provider: hole }"]
        }
        let router = try RouterProcess(policy)
        let start = ContinuousClock.now
        #expect(try router.chat("hole").status == 502)
        #expect(.now - start >= .milliseconds(290))
        #expect(.now - start < ceiling(.milliseconds(550)))
        #expect(try router.metric("llm_router_attempt_failures_total", "model=\"hole\"", "connect") == 1)
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
        try expect(502, timer: nil, stream: false, timeouts: "response: 60s") { exchange in
            try exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello")
            exchange.hold()
        }
    }
}
