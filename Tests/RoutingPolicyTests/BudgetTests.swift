import Testing

@testable import RoutingPolicy

/// `budget`, `expires` and `metadata` of a key, and `state`.
struct BudgetTests {
    private func report(_ key: String, top: String = "") -> PolicyReport {
        load(
            """
            version: 1
            providers: { p: { plugin: echo } }
            models: { m: { provider: p, price: { input: 1, output: 1 } } }
            keys: { k: { secret: secret-of-the-key-k, \(key) } }
            \(top)
            """)
    }

    private func key(_ text: String) throws -> KeyDefinition {
        let report = report(text)
        return try #require(report.policy, "\(report.rendered())").keys[0]
    }

    private func errors(_ key: String, top: String = "") -> [String] {
        report(key, top: top).issues.filter { $0.severity == .error }.map(\.message)
    }

    @Test
    func `a budget is hard and monthly unless it says otherwise`() throws {
        let budget = try #require(try key("budget: { usd: 50 }").budget)
        #expect(budget.dollars == 50 && budget.tokens == nil && budget.period == .month && budget.isHard && budget.needsPrice)
        #expect(budget.words == "$50 a month")
        let tokens = try #require(try key("budget: { tokens: 1000, per: total, hard: false }").budget)
        #expect(tokens.words == "1000 tokens in all" && !tokens.needsPrice)
        #expect(try key("budget: { usd: 1, unpriced: allow }").budget?.needsPrice == false)
    }

    @Test
    func `a budget bounds something`() {
        #expect(errors("budget: { per: day }") == ["'budget' has neither 'usd' nor 'tokens'"])
        #expect(errors("budget: {}") == ["'budget' has neither 'usd' nor 'tokens'"])
        #expect(errors("budget: { usd: 1, per: year }").count == 1)
        #expect(errors("budget: { usd: -1 }").count == 1)
    }

    @Test
    func `a date lasts to the end of its day in UTC, and a time is itself`() throws {
        #expect(try key("expires: 1970-01-02").expires == 2 * 86_400)
        #expect(try key("expires: 1970-01-02T01:00:00+01:00").expires == 86_400)
        #expect(try key("limits: { concurrent: 1 }").expires == nil)
        for wrong in ["tomorrow", "2027-02-30", "2027", "31.01.2027"] { #expect(errors("expires: \(wrong)").count == 1, "\(wrong)") }
    }

    @Test
    func `metadata is false, or names with texts`() throws {
        #expect(try key("metadata: false").wantsMetadata == false)
        let labelled = try key("metadata: { team: search, cost_center: 7 }")
        #expect(labelled.wantsMetadata)
        #expect(labelled.labels == [KeyLabel(name: "team", text: "search"), KeyLabel(name: "cost_center", text: "7")])
        let many = (0...16).map { "n\($0): x" }.joined(separator: ", ")
        #expect(errors("metadata: { \(many) }").count == 1)
    }

    @Test
    func `state is in memory, or in a file with an absolute path`() {
        #expect(report("").policy?.state.file == nil)
        #expect(report("", top: "state: memory").policy?.state.file == nil)
        #expect(report("", top: "state: { file: /var/lib/llm-router/state.db }").policy?.state.file == "/var/lib/llm-router/state.db")
        for wrong in ["state: disk", "state: { file: state.db }", "state: { file: /var/lib/ }"] {
            #expect(errors("", top: wrong).count == 1, "\(wrong)")
        }
    }

    @Test
    func `each of them shows in a difference`() throws {
        let before = try #require(report("").policy)
        let after = try #require(
            report("expires: 2030-01-01, budget: { usd: 5 }, metadata: { team: a }", top: "state: { file: /s.db }").policy)
        let words = PolicyDifference.words(from: before, to: after, draining: [:]).joined(separator: "\n")
        for part in ["budget", "expires", "team", "state"] { #expect(words.contains(part), "\(part) in \(words)") }
    }
}
