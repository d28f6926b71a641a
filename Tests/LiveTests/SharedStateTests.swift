import Glibc
import TestSupport
import Testing

/// Routers that count limits and budgets together, in a real Redis.
@Suite struct SharedStateTests {
    /// Responds with 10 prompt and 5 completion tokens, which cost $0.15 at the price below.
    private static func upstream() throws -> ScriptedUpstream {
        let usage = #"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#
        return try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("yes", usage: usage)) }
    }

    /// Keeps the reservation of a request below what it costs.
    private static let short = #""max_tokens":1"#
    private static let budget = "test:1:{k}:budget"

    /// A model of the upstream with a price of one cent per token, a key `k`, and one for the administrator.
    private func policy(_ upstream: ScriptedUpstream, key: String, state: String = "") -> String {
        var policy = PolicyText(
            ["plain": upstream], keys: ["  k: { secret: \"key-k\", \(key) }", "  root: { secret: \"key-root\", admin: true }"])
        policy.moreModels = ["  m: { provider: p-plain, price: { input: 10000, output: 10000 } }"]
        return policy.text + "state: { redis: \"${REDIS_URL}\", prefix: test\(state.isEmpty ? "" : ", \(state)") }\n"
    }

    private func router(_ policy: String, _ redis: RedisServer, _ address: String? = nil) throws -> RouterProcess {
        try RouterProcess(policy, environment: ["REDIS_URL": address ?? redis.address])
    }

    private func state(of router: RouterProcess) throws -> String? { try router.get("/health").json?["state"]?.string }

    private func metric(_ name: String, of router: RouterProcess) throws -> Int {
        Int(try router.metric("llm_router_state_\(name)", key: "key-root"))
    }

    /// The response to a request that Redis has decided about. On a loaded machine, it may answer too late.
    private func decision(of router: RouterProcess) throws -> Response {
        while true {
            let late = try metric("local_decisions_total", of: router)
            let response = try router.chat("m", extra: Self.short, key: "key-k")
            if try metric("local_decisions_total", of: router) == late { return response }
        }
    }

    @Test(arguments: [0, 1, 10])
    func `three routers admit as many requests as one limit, whatever the lease`(percent: Int) throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let lease = percent == 1 ? "" : "lease: \(percent)%"
        let text = policy(upstream, key: "limits: { requests_per_minute: 600 }", state: lease)
        let routers = try (0..<3).map { _ in try router(text, redis) }
        let start = ContinuousClock.now
        let admitted = try concurrently(12, within: .seconds(200)) { index in
            try (0..<75).count { _ in try routers[index % 3].chat("m", key: "key-k").status == 200 }
        }.reduce(0, +)
        let refilled = Int((.now - start) / .milliseconds(100)) + 1
        // On a loaded machine, Redis may answer too late. A router then decides by what Redis said last.
        let late = try routers.map { try metric("local_decisions_total", of: $0) }.reduce(0, +)
        // A router may hold a lease at the end, and so may an answer that came too late.
        let unspent = 6 * percent * (3 + late)
        #expect((600 - unspent...600 + refilled + late).contains(admitted), "\(refilled) refilled, \(late) late")
        #expect(admitted == upstream.requests.count)
    }

    @Test func `three routers exceed one budget by at most one request each, and a router that is killed loses nothing`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let text = policy(upstream, key: "budget: { usd: 1, per: day }")
        let routers = try (0..<3).map { _ in try router(text, redis) }
        let admitted = try concurrently(3) { index in
            try (0..<10).count { _ in try routers[index].chat("m", extra: Self.short, key: "key-k").status == 200 }
        }.reduce(0, +)
        let late = try routers.map { try metric("local_decisions_total", of: $0) }.reduce(0, +)
        // One by one, six cost $0.90, and the seventh may not fit; two more can be on their way when it is used up.
        #expect((6...9 + late).contains(admitted))
        try eventually("every request is settled") { try redis.command("HGET", Self.budget, "usd") == "\(admitted * 150_000_000)" }
        routers[0].process.kill()
        let successor = try router(text, redis)
        let refused = try decision(of: successor)
        #expect(refused.status == 429 && refused.errorCode == "budget_exceeded", "\(refused.text)")
        #expect(Int(refused.head["retry-after"] ?? "").map { 1...86_400 ~= $0 } == true)
    }

    @Test func `every router shows what all of them have spent`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let text = policy(upstream, key: "budget: { usd: 1, per: day }")
        let one = try router(text, redis), other = try router(text, redis)
        #expect(try one.chat("m", extra: Self.short, key: "key-k").status == 200)
        try eventually("the request is settled") { try redis.command("HGET", Self.budget, "usd") == "150000000" }
        for router in [one, other, try router(text, redis)] {
            let budget = try router.get("/admin/usage?by=key", key: "key-root").json?["budgets"]?[0]?["usd"]
            #expect(budget?["spent"]?.double == 0.15 && budget?["left"]?.double == 0.85, "\(String(describing: budget))")
            #expect(try router.metric("llm_router_key_budget_remaining_usd", key: "key-root") == 0.85)
        }
        redis.pause()
        let budget = try other.get("/admin/usage?by=key", key: "key-root").json?["budgets"]?[0]?["usd"]
        #expect(budget?["spent"]?.double == 0.15)
        redis.resume()
    }

    @Test func `a reload or a restart of one router changes no counter of another`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let text = policy(upstream, key: "limits: { requests_per_minute: 3 }")
        let one = try router(text, redis), other = try router(text, redis)
        #expect(try one.chat("m", key: "key-k").status == 200)
        try one.reload(text.replacing("price: { input: 10000", with: "tags: [new], price: { input: 10000"))
        #expect(try one.chat("m", key: "key-k").status == 200)
        one.process.kill()
        #expect(try other.chat("m", key: "key-k").status == 200)
        #expect(try decision(of: other).status == 429)
        #expect(try decision(of: router(text, redis)).status == 429)
    }

    @Test func `while the store hangs or is dead, each router enforces its own limits`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let router = try router(policy(upstream, key: "limits: { requests_per_minute: 3 }"), redis)
        #expect(try state(of: router) == "up")
        #expect(try router.chat("m", key: "key-k").status == 200)
        redis.pause()
        // What Redis said last counts: two are left.
        let statuses = try (0..<4).map { _ in try router.chat("m", key: "key-k").status }
        #expect(statuses == [200, 200, 429, 429])
        try router.waitForLog("the Redis server is down")
        #expect(try state(of: router) == "down")
        #expect(try router.metric("llm_router_state_up", key: "key-root") == 0)
        #expect(try metric("local_decisions_total", of: router) >= 4 && metric("failures_total", of: router) >= 1)
        redis.kill()
        #expect(try router.chat("m", key: "key-k").status == 429)
        try redis.restart()
        try router.waitForLog("the Redis server is up")
        try eventually("the state is up") { try state(of: router) == "up" && router.metric("llm_router_state_up", key: "key-root") == 1 }
        let store = try router.get("/admin/state", key: "key-root").json?["store"]
        #expect(store?["state"]?.string == "up" && store?["on_failure"]?.string == "local")
        #expect(store?["server"]?.string == "127.0.0.1:\(redis.port)")
    }

    @Test func `a breaker that opens in one router opens in the others, and closes for all`() throws {
        let redis = try RedisServer(), upstream = try ScriptedUpstream(ScriptedUpstream.failing(500, "disk full"))
        let text =
            PolicyText(
                ["a": upstream], defaults: "breaker: { failures: 1, cooldown: 300s }",
                keys: ["  root: { secret: \"key-root\", admin: true }"]
            ).text + "state: { redis: \"${REDIS_URL}\" }\n"
        let one = try router(text, redis), other = try router(text, redis)
        func state(of router: RouterProcess) throws -> String? {
            try router.get("/admin/state/a", key: "key-root").json?["models"]?[0]?["state"]?.string
        }
        #expect(try state(of: other) == "ready")
        #expect(try one.chat("a", key: "key-root").status >= 500)
        try eventually("the other router's breaker is open") { try state(of: other) == "open" }
        try other.waitForLog("a model's breaker opened, because another router's has")
        #expect(upstream.requests.count == 1)
        #expect(try other.call("POST", "/admin/state/a/reset", key: "key-root").status == 200)
        try eventually("the first router's breaker has closed") { try state(of: one) == "ready" }
    }

    @Test func `on_failure can refuse or allow`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let limited = "limits: { requests_per_minute: 1 }"
        let refusing = try router(policy(upstream, key: limited, state: "on_failure: refuse"), redis)
        let allowing = try router(policy(upstream, key: limited, state: "on_failure: allow"), redis)
        redis.kill()
        for router in [refusing, allowing] { try router.waitForLog("the Redis server is down") }
        let refused = try refusing.chat("m", key: "key-k")
        #expect(refused.status == 503 && refused.errorCode == "state_unavailable" && refused.head["retry-after"] == "1")
        for _ in 0..<3 { #expect(try allowing.chat("m", key: "key-k").status == 200) }
        #expect(try refusing.chat("m", key: "key-root").status == 200)
    }

    @Test func `a router starts and serves without its store, and shares from the moment when it comes`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        redis.kill()
        let router = try router(policy(upstream, key: "budget: { tokens: 100, per: total }"), redis)
        #expect(try router.chat("m", extra: Self.short, key: "key-k").status == 200)
        try redis.restart()
        try router.waitForLog("the Redis server is up")
        try eventually("what was spent meanwhile is in Redis") { try redis.command("HGET", Self.budget, "tokens") == "15" }
    }

    @Test func `the address of the store is never shown`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        let text = policy(upstream, key: "limits: { requests_per_minute: 5 }").replacing("${REDIS_URL}", with: redis.address)
        let router = try router(text, redis)
        #expect(try router.chat("m", key: "key-k").status == 200)
        redis.kill()
        try router.waitForLog("the Redis server is down")
        for path in ["/admin/state", "/admin/policy", "/health", "/metrics"] {
            let text = try router.get(path, key: "key-root").text
            for secret in ["p@ss", "p%40ss", "w/rd", "w%2Frd"] { #expect(!text.contains(secret), "\(path)") }
        }
        for secret in ["p@ss", "p%40ss", "w/rd", "w%2Frd"] { #expect(!router.standardError.contains(secret)) }
    }
}
