import TestSupport
import Testing

/// Retries: how many, when, and how the upstream's `Retry-After` affects them.
@Suite struct RetriesTests {
    private static let retries = "retry: { retries: 3, delay: 20ms, jitter: 0 }"

    @Test(arguments: [false, true])
    func `without another model a failed attempt is retried up to retries times`(stream: Bool) throws {
        let upstream = try ScriptedUpstream(each: [
            ScriptedUpstream.failing(500), ScriptedUpstream.failing(502), ScriptedUpstream.responding("at last"),
        ])
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: Self.retries))
        let content = stream ? try router.stream("a").content : try router.chat("a").content
        #expect(content == "at last")
        #expect(upstream.requests.count == 3)
        let waits = zip(upstream.requests, upstream.requests.dropFirst()).map { $1.at - $0.at }
        #expect(waits[0] >= .milliseconds(20) && waits[1] >= .milliseconds(40))
    }

    @Test func `max_attempts bounds the retries, and a request may allow fewer`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.failing(500))
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "max_attempts: 3, " + Self.retries))
        #expect(try router.chat("a").json?["_router"]?["attempts"]?.int == 3)
        #expect(try router.chat("a", extra: #""max_same_model_retries":1,"retry_delay":1"#).json?["_router"]?["attempts"]?.int == 2)
        #expect(try router.chat("a", fields: ["x-router-max-same-model-retries: 0"]).json?["_router"]?["attempts"]?.int == 1)
        #expect(upstream.requests.allSatisfy { !$0.text.contains("retr") })
    }

    @Test(arguments: [("Retry-After: 1", 1.0), ("retry-after-ms: 300", 0.3), ("Retry-After: abc", 0.02), ("Retry-After: -1", 0.02)])
    func `a rate limited model is retried after the wait that its upstream asked for`(field: String, seconds: Double) throws {
        let upstream = try ScriptedUpstream(each: [ScriptedUpstream.failing(429, fields: [field]), ScriptedUpstream.responding("now")])
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: Self.retries))
        #expect(try router.chat("a").content == "now")
        let waited = upstream.requests[1].at - upstream.requests[0].at
        #expect(waited >= .seconds(seconds) && waited < .seconds(seconds) + ceiling(.milliseconds(300)))
    }

    @Test func `a rate limited model without a wait from its upstream is ready for the retry`() throws {
        let upstream = try ScriptedUpstream { exchange in
            if exchange.number % 2 == 0 {
                try ScriptedUpstream.failing(429)(exchange)
            } else {
                try ScriptedUpstream.responding("now")(exchange)
            }
        }
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "retry: { retries: 1, delay: 20ms, jitter: 1 }"))
        for _ in 0..<10 { #expect(try router.chat("a").content == "now") }
    }

    @Test func `if all candidates are in cooldown, a request waits, with comments on its stream`() throws {
        let upstream = try ScriptedUpstream(each: [
            ScriptedUpstream.failing(429, fields: ["Retry-After: 2"]), ScriptedUpstream.responding("ready"),
        ])
        let router = try RouterProcess(PolicyText(["a": upstream], server: "keepalive: 200ms", defaults: "retry: { retries: 0 }"))
        #expect(try router.chat("a").status == 429)
        let response = try router.stream("a")
        #expect(response.content == "ready" && response.isDone)
        #expect(response.comments >= 3)
        #expect(upstream.requests[1].at - upstream.requests[0].at >= .seconds(2))
    }

    @Test func `if the wait exceeds the deadline, the request fails at once with the earliest retry-after`() throws {
        let (a, b) = (
            try ScriptedUpstream(ScriptedUpstream.failing(429, fields: ["Retry-After: 86400"])),
            try ScriptedUpstream(ScriptedUpstream.failing(429, fields: ["Retry-After: 90"]))
        )
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], defaults: "timeouts: { total: 60s }", routes: ["  r: { try: [a, b] }"]))
        for attempts in [2, 0] {
            let response = try router.chat("r", within: .seconds(5))
            #expect(response.status == 429)
            #expect(response.errorType == "rate_limit_error")
            #expect((80...91).contains(Int(response.head["retry-after"] ?? "") ?? 0))
            #expect(response.head["x-router-attempts"] == "\(attempts)")
        }
        // A cooldown is as long as the upstream asked for.
        let alone = try router.chat("a", within: .seconds(5))
        #expect((86_390...86_400).contains(Int(alone.head["retry-after"] ?? "") ?? 0))
        #expect(a.requests.count == 1 && b.requests.count == 1)
    }

    @Test func `failover of a route replaces rows of the failure table`() throws {
        let (a, b) = (
            try ScriptedUpstream(ScriptedUpstream.failing(403, "no credit")), try ScriptedUpstream(ScriptedUpstream.responding("b"))
        )
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], routes: ["  stop: { try: [a, b], failover: { 403: stop } }", "  go: { try: [a, b] }"]))
        let stopped = try router.chat("stop")
        #expect(stopped.status == 403)
        #expect(stopped.json?["error"]?["message"]?.string == "no credit")
        #expect(b.requests.isEmpty)
        #expect(try router.chat("go").content == "b")
    }

    /// The retry budget: a failing upstream gets few more requests than the clients send.
    @Test func `retries at a failing provider stay within the budget and max_attempts`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.failing(503))
        let policy = PolicyText(["a": upstream], defaults: "retry: { retries: 3, delay: 400ms }, max_attempts: 4")
        let router = try RouterProcess(policy)
        let requests = scaled(100, soak: 400)
        let statuses = try concurrently(requests) { _ in try router.chat("a").status }
        #expect(statuses.allSatisfy { $0 == 503 })
        // A fifth of the running requests may be retried, a fifth of these once more, and so on; three always may.
        let seen = upstream.requests.count
        #expect(seen > requests && seen <= requests * 5 / 4 + 9, "\(seen) of \(requests)")
    }

    @Test func `a retry waits longer if another request learns meanwhile of a longer cooldown`() throws {
        let bothStarted = Gate()
        let upstream = try ScriptedUpstream { exchange in
            switch exchange.number {
            case 0: try bothStarted.wait()
            case 1:
                bothStarted.open()
                try exchange.pause(.milliseconds(150))
            default: return try ScriptedUpstream.responding("yes")(exchange)
            }
            try ScriptedUpstream.failing(429, fields: ["retry-after-ms: 300"])(exchange)
        }
        let router = try RouterProcess(PolicyText(["a": upstream], defaults: "retry: { retries: 1, delay: 300ms, jitter: 0 }"))
        let responses = try concurrently(2) { _ in try router.chat("a") }
        #expect(responses.map(\.content) == ["yes", "yes"])
        #expect(responses.map { $0.json?["_router"]?["attempts"]?.int } == [2, 2])
    }

    @Test func `a retry is dropped if the failure opens the breaker`() throws {
        let upstream = try ScriptedUpstream(ScriptedUpstream.failing(500))
        let router = try RouterProcess(
            PolicyText(["a": upstream], defaults: "retry: { retries: 3, delay: 30s, max_delay: 30s }, breaker: { failures: 1 }"))
        let response = try router.chat("a")
        #expect(response.status >= 500 && upstream.requests.count == 1)
    }
}
