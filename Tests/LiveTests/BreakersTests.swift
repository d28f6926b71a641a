import TestSupport
import Testing

/// Circuit breakers: which requests reach the upstream while they are closed, open or half-open.
@Suite struct BreakersTests {
    private static let settings = "breaker: { failures: 3, cooldown: 300ms, successes: 2, jitter: 0 }"

    @Test func `a breaker opens after failures in a row, and then only the next model is called`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.failing(500)), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let router = try RouterProcess(
            PolicyText(["a": a, "b": b], defaults: "breaker: { failures: 3, cooldown: 60s }", routes: ["  r: { try: [a, b] }"]))
        let attempts = try (0..<6).map { _ in try router.chat("r").head["x-router-attempts"] ?? "" }
        #expect(attempts == ["2", "2", "2", "1", "1", "1"])
        #expect(a.requests.count == 3)
        #expect(try router.metric("llm_router_breaker_open", #"model="a""#) == 1)
        #expect(try router.metric("llm_router_breaker_open", #"model="b""#) == 0)
    }

    @Test func `if no candidate is available, the error names up to three with their states, unless the key hides them`() throws {
        let (gate, probing) = (Gate(), Watched(false))
        let upstream = try ScriptedUpstream { exchange in
            guard probing.read({ $0 }) else { return try ScriptedUpstream.failing(500)(exchange) }
            try gate.wait()
            try ScriptedUpstream.responding("a")(exchange)
        }
        var policy = PolicyText(
            ["a": upstream], defaults: "breaker: { failures: 1, cooldown: 60s }, retry: { retries: 0 }",
            routes: ["  all: { try: [a, b, c, d] }", "  r: { try: [a, b, c, d], max_attempts: 1 }"],
            keys: ["  open: { secret: client-secret-open }", "  hidden: { secret: client-secret-hidden, metadata: false }"])
        policy.moreModels = ["b", "c", "d"].map { "  \($0): { provider: p-a }" }
        let router = try RouterProcess(policy)
        _ = try router.chat("all", key: "client-secret-open")
        probing.update { $0 = true }
        for model in ["a", "b", "c", "d"] {
            Threads.start { _ = try? router.chat(model, key: "client-secret-open", within: .seconds(30)) }
        }
        try eventually("all are probed") { upstream.requests.count == 8 }
        let open = try router.chat("all", key: "client-secret-open"), hidden = try router.chat("all", key: "client-secret-hidden")
        gate.open()
        #expect(open.status == 503 && hidden.status == 503)
        #expect(open.text.contains("no candidate is available: 'a': its breaker's probe is running; 'b': "))
        #expect(open.text.contains("; and 1 more") && !open.text.contains("'d'"))
        #expect(hidden.text.contains("\"no candidate is available\""))
    }

    @Test func `a breaker survives a reload that doesn't change its model`() throws {
        let (a, b) = (try ScriptedUpstream(ScriptedUpstream.failing(500)), try ScriptedUpstream(ScriptedUpstream.responding("b")))
        let policy = PolicyText(["a": a, "b": b], defaults: "breaker: { failures: 2, cooldown: 60s }", routes: ["  r: { try: [a, b] }"])
        let router = try RouterProcess(policy)
        for _ in 0..<2 { _ = try router.chat("r") }
        try router.reload(policy.with { $0.routes.append("  s: { try: [b] }") }.text)
        #expect(try router.chat("r").head["x-router-attempts"] == "1")
        try router.reload(policy.with { $0.defaults = "breaker: { failures: 3, cooldown: 60s }" }.text)
        #expect(try router.chat("r").head["x-router-attempts"] == "2")
    }
}
