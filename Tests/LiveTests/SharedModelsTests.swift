import Glibc
import TestSupport
import Testing

/// What routers tell each other of models and conversations, in a real Redis.
@Suite struct SharedModelsTests {
    private static let root = "  root: { secret: \"key-root\", admin: true }"
    private static let state = "state: { redis: \"${REDIS_URL}\", prefix: test }\n"

    private func router(_ policy: PolicyText, _ redis: RedisServer) throws -> RouterProcess {
        try RouterProcess(policy.text + Self.state, environment: ["REDIS_URL": redis.address])
    }

    private static func upstream(_ content: String = "yes") throws -> ScriptedUpstream {
        try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered(content)) }
    }

    @Test func `three routers call a provider as often as its limit allows, and a few times more at most`() throws {
        let redis = try RedisServer(), upstream = try Self.upstream()
        var policy = PolicyText(["m": upstream], keys: [Self.root])
        policy.provider += ", limits: { requests_per_minute: 600 }"
        let routers = try (0..<3).map { _ in try router(policy, redis) }
        let start = ContinuousClock.now, clients = 12
        let admitted = try concurrently(clients, within: .seconds(200)) { index in
            try (0..<75).count { _ in try routers[index % 3].chat("m", extra: #""max_model_switches":1"#, key: "key-root").status == 200 }
        }.reduce(0, +)
        let refilled = Int((.now - start) / .milliseconds(100)) + 1
        // A router learns what is left from the answer to its last request, so each client may have one beyond it.
        #expect((600...600 + refilled + clients).contains(admitted), "\(refilled) refilled")
        #expect(admitted == upstream.requests.count)
    }

    @Test func `a model that cools down after a 429 does so in all routers, until an operator ends it`() throws {
        let redis = try RedisServer()
        let limited = try ScriptedUpstream { try $0.respond(429, OpenAIReplies.error("slow down"), fields: ["retry-after: 300"]) }
        let policy = PolicyText(["a": limited], keys: [Self.root])
        let one = try router(policy, redis), other = try router(policy, redis)
        func state(of router: RouterProcess) throws -> String? {
            try router.get("/admin/state/a", key: "key-root").json?["models"]?[0]?["state"]?.string
        }
        #expect(try one.chat("a", key: "key-root").status == 429)
        try eventually("the model cools down in the other router") { try state(of: other) == "cooldown" }
        #expect(limited.requests.count == 1)
        #expect(try other.call("POST", "/admin/state/a/reset", key: "key-root").status == 200)
        try eventually("the cooldown has ended in the first router") { try state(of: one) == "ready" }
    }

    @Test func `a conversation stays with its model, whichever router it reaches`() throws {
        let redis = try RedisServer(), a = try Self.upstream("a"), b = try Self.upstream("b")
        let policy = PolicyText(["a": a, "b": b], routes: ["  r: { try: [a, b], sticky: { by: session, ttl: 1h } }"])
        let one = try router(policy, redis), other = try router(policy, redis)
        func model(_ router: RouterProcess) throws -> String? {
            try router.call("POST", "/v1/chat/completions", body: RouterProcess.chatBody("r"), fields: ["x-session-affinity: s"])
                .head["x-router-model"]
        }
        #expect(try model(one) == "a")
        func conversations() throws -> [Substring] { try redis.command("KEYS", "test:1:*:conversation").split(separator: "\n") }
        try eventually("the conversation is shared") { try conversations().count == 1 }
        // As a third router would, in which the first model has failed.
        _ = try redis.command("SET", String(try conversations()[0]), "p-b\nb\n")
        #expect(try model(other) == "b")
        #expect(try model(one) == "b")
        #expect(try conversations().count == 1)
        redis.pause()
        #expect(try model(one) == "b")
        redis.resume()
    }
}
