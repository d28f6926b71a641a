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
    func `metadata has names that metrics can tell apart`() throws {
        func names(_ metadata: String) throws -> [String] { try key("metadata: { \(metadata) }").labels.map(\.metricName) }
        #expect(
            try names("team: a, Cost-Center: b, app.io/part_1: c, été: d") == [
                "metadata_team", "metadata_Cost_Center", "metadata_app_io_part_1", "metadata__t_",
            ])
        for twice in ["a-b: 1, a_b: 2", "a b: 1, a.b: 2", "команда: 1, область: 2"] {
            #expect(errors("metadata: { \(twice) }").count == 1, "\(twice)")
        }
    }

    @Test
    func `a budget that a restart forgets is a warning, unless the policy wants it so`() {
        func warnings(_ key: String, top: String = "") -> [String] { report(key, top: top).issues.map(\.message) }
        let forgotten = warnings("budget: { usd: 1 }")
        #expect(forgotten.count == 1 && forgotten[0].contains("begins the budgets of keys anew"))
        #expect(warnings("budget: { tokens: 1, hard: false }").count == 1)
        #expect(warnings("limits: { requests_per_minute: 1 }").isEmpty)
        for state in ["memory", "{ file: /s.db }", "redis://127.0.0.1:6379"] {
            #expect(warnings("budget: { usd: 1 }", top: "state: \(state)").isEmpty, "\(state)")
        }
    }

    @Test(arguments: [
        ("www-data", true), ("www-data:adm", true), (":adm", true), ("33:33", true), ("a.b-c", true), (":", false), ("a:", false),
        ("a:b:c", false), ("-1", false), ("99999999999", false), ("4294967295", false), ("a b", false), ("+5", false),
    ])
    func `an owner is a user, a group or both`(owner: String, isRight: Bool) {
        #expect(errors("", top: "listen: [{ address: \"unix:/run/a.sock\", owner: \"\(owner)\" }]").isEmpty == isRight)
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
