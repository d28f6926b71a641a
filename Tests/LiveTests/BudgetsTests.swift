import Glibc
import TestSupport
import Testing

/// Budgets and the end of keys.
@Suite struct BudgetsTests {
    /// Responds with 10 prompt and 5 completion tokens, which cost $0.15 at the price of `PolicyText.model`.
    private static func upstream() throws -> ScriptedUpstream {
        let usage = #"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}"#
        return try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("yes", usage: usage)) }
    }

    /// Keeps the reservation of a request below what it costs.
    private static let short = #""max_tokens":1"#

    /// A model of the upstream with a price of one cent per token.
    private func policy(_ upstream: ScriptedUpstream, keys: [String], state: String = "memory") -> String {
        var policy = PolicyText(["plain": upstream], keys: keys)
        policy.moreModels = ["  m: { provider: p-plain, price: { input: 10000, output: 10000 } }"]
        return policy.text + "state: \(state)\n"
    }

    @Test func `a hard budget refuses what exceeds it until its period ends, and a restart forgets nothing`() throws {
        let upstream = try Self.upstream(), folder = try TemporaryFolder()
        let text = policy(
            upstream, keys: ["  k: { secret: \"key-k\", budget: { tokens: 30, per: total } }", "  free: { secret: \"key-free\" }"],
            state: "{ file: \(folder.path)/state.db }")
        do {
            let router = try RouterProcess(text)
            let first = try router.chat("m", extra: Self.short, key: "key-k"),
                second = try router.chat("m", extra: Self.short, key: "key-k")
            #expect(first.status == 200 && second.status == 200)
            router.process.signal(SIGTERM)
            #expect(try router.process.waitForExit(within: .seconds(10)) == .code(0))
        }
        let router = try RouterProcess(text)
        let refused = try router.chat("m", extra: Self.short, key: "key-k")
        #expect(refused.status == 429 && refused.errorCode == "budget_exceeded", "\(refused.text)")
        #expect(refused.head["x-should-retry"] == "false")
        #expect(try router.chat("m", key: "key-free").status == 200)
        #expect(upstream.requests.count == 3)
    }

    @Test func `a budget in dollars counts prices, and refuses models without one`() throws {
        let upstream = try Self.upstream()
        let router = try RouterProcess(policy(upstream, keys: ["  k: { secret: \"key-k\", budget: { usd: 0.3, per: day } }"]))
        let unpriced = try router.chat("plain", key: "key-k")
        #expect(unpriced.status == 400 && unpriced.text.contains("has no price"))
        #expect(try router.chat("m", extra: Self.short, key: "key-k").status == 200)
        #expect(try router.chat("m", extra: Self.short, key: "key-k").status == 200)
        let refused = try router.chat("m", extra: Self.short, key: "key-k")
        #expect(refused.status == 429 && refused.errorCode == "budget_exceeded")
        #expect(Int(refused.head["retry-after"] ?? "").map { 1...86_400 ~= $0 } == true)
        #expect(refused.text.contains("$0.3 a day"))
    }

    @Test func `requests at the same time exceed a budget by at most one, however long their responses may be`() throws {
        let usage = #"{"prompt_tokens":10,"completion_tokens":70,"total_tokens":80}"#
        let upstream = try ScriptedUpstream { try $0.respond(200, OpenAIReplies.buffered("yes", usage: usage)) }
        let router = try RouterProcess(policy(upstream, keys: ["  k: { secret: \"key-k\", budget: { usd: 1, per: total } }"]))
        let responses = try concurrently(20) { _ in try router.chat("m", extra: #""max_tokens":8000"#, key: "key-k") }
        // Two cost $1.60.
        #expect((1...2).contains(responses.count { $0.status == 200 }) && upstream.requests.count <= 2)
        let waiting = responses.filter { $0.errorCode == "rate_limit_exceeded" }
        #expect(waiting.allSatisfy { $0.status == 429 && $0.head["retry-after"] == "1" && $0.head["x-should-retry"] == nil })
        while try router.chat("m", extra: #""max_tokens":8000"#, key: "key-k").status == 200 {}
        #expect(upstream.requests.count == 2)
        let refused = try router.chat("m", extra: #""max_tokens":8000"#, key: "key-k")
        #expect(refused.status == 429 && refused.errorCode == "budget_exceeded", "\(refused.text)")
    }

    @Test func `a soft budget serves on, and warns once`() throws {
        let upstream = try Self.upstream()
        let router = try RouterProcess(
            policy(upstream, keys: ["  k: { secret: \"key-k\", budget: { usd: 0.2, per: month, hard: false } }"]))
        for _ in 0..<4 { #expect(try router.chat("m", key: "key-k").status == 200) }
        try router.waitForLog("used up its budget")
        #expect(router.standardError.split(separator: "\n").count { $0.contains("used up its budget") } == 1)
    }

    @Test func `what the operator says of a key is in the log`() throws {
        let upstream = try Self.upstream()
        let router = try RouterProcess(
            policy(upstream, keys: ["  k: { secret: \"key-k\", metadata: { team: search, \"cost center\": \"7\" } }"]))
        #expect(try router.chat("m", key: "key-k").status == 200)
        let record = try #require(try router.waitForRecords(1).first)
        #expect(record["metadata"]?["team"]?.string == "search" && record["metadata"]?["cost center"]?.string == "7")
    }

    @Test func `an expired key is refused with the time of its end`() throws {
        let upstream = try Self.upstream()
        let router = try RouterProcess(
            policy(
                upstream,
                keys: ["  old: { secret: \"key-old\", expires: 2020-01-31 }", "  new: { secret: \"key-new\", expires: 2999-01-31 }"]))
        let refused = try router.chat("m", key: "key-old")
        #expect(refused.status == 401 && refused.errorCode == "expired_api_key")
        #expect(refused.text.contains("2020-02-01T00:00:00.000Z"))
        #expect(try router.chat("m", key: "key-new").status == 200)
    }
}
