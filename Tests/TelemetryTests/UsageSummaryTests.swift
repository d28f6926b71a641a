import RoutingPolicy
import TestSupport
import Testing

@testable import Engine
@testable import Telemetry

@Suite struct UsageSummaryTests {
    /// 2026-11-29T10:20:00Z.
    private static let now = 1_795_947_600

    @Test(arguments: [
        ("2026-11-29", 1_795_910_400), ("2026-11-29T10:59:00Z", 1_795_946_400), ("2026-11-29T11:30:00+01:00", 1_795_946_400),
        ("1h", 1_795_942_800), ("30d", 1_793_354_400), ("1960-01-01T00:30:00Z", -315_619_200),
    ])
    func `a time is a date, a time or an age, and the hour around it counts as a whole`(text: String, second: Int) throws {
        #expect(try UsageQuery(by: nil, since: text, now: Self.now).since == second)
    }

    @Test(
        arguments: [
            ("team", nil, "by", "use some of key, model"), ("modle", nil, "by", "did you mean 'model'"), ("key,", nil, "by", "use some of"),
            ("hour,day", nil, "by", "not both"), (nil, "yesterday", "since", "an age such as 24h"), (nil, "-5h", "since", "a date such as"),
            (nil, "2026-13-01", "since", "a date such as"), (nil, "d", "since", "a date such as"),
            (nil, "99999999999999999999h", "since", "a date such as"), (nil, "", "since", "a date such as"),
        ] as [(String?, String?, String, String)])
    func `what no query can have is refused with what to write`(by: String?, since: String?, parameter: String, words: String) throws {
        let problem = try #require(throws: UsageQuery.Problem.self) { try UsageQuery(by: by, since: since, now: Self.now) }
        #expect(problem.parameter == parameter && problem.message.contains(words), "\(problem.message)")
    }

    private func report(_ by: String) throws -> UsageSummary {
        let amount = UsageRow.Amount(requests: 2, promptTokens: 10, completionTokens: 5, dollars: 0.15, unpriced: 1)
        let rows = [("team", "m,\"x\""), ("", "n\u{1B}")].map { key, model in
            UsageRow(place: UsageRow.Place(hour: 1_795_946_400, key: key, provider: "p", model: model), amount: amount)
        }
        var terms = Budget()
        (terms.dollars, terms.tokens, terms.isHard) = (1, 20, false)
        let account = KeyAccount.View(
            spent: Spending(dollars: 1.25, tokens: 15), reserved: Spending(dollars: 0.25, tokens: 1), periodEnd: nil, requestsBeyond: 3)
        return UsageSummary(
            try UsageQuery(by: by, since: "2026-11-29", now: Self.now), rows: rows,
            budgets: [KeyBudgetView(key: "team", terms: terms, account: account)])
    }

    @Test func `JSON has the rows, their sum, and what is left of budgets`() throws {
        let json = try #require(JSON(try report("day,key").text(.json)))
        #expect(json["since"]?.string == "2026-11-29T00:00:00.000Z" && json["by"]?.array?.count == 2)
        #expect(json["usage"]?[0]?["key"]?.string == "team" && json["usage"]?[0]?["day"]?.string == "2026-11-29")
        #expect(json["usage"]?[0]?["model"] == nil && json["usage"]?[0]?["cost_usd"]?.double == 0.15)
        #expect(json["total"]?["requests"]?.double == 4 && json["total"]?["cost_usd"]?.double == 0.3)
        let budget = try #require(json["budgets"]?[0])
        #expect(budget["usd"]?["left"]?.double == -0.5 && budget["tokens"]?["left"]?.double == 4)
        #expect(budget["requests_beyond"]?.double == 3 && budget["begins_anew"] == .null)
    }

    @Test func `CSV has a line of names, and quotes what needs it`() throws {
        let lines = String(decoding: try report("key,model").text(.csv), as: UTF8.self).split(separator: "\n")
        #expect(lines[0] == "key,model,requests,prompt_tokens,completion_tokens,cost_usd,unpriced")
        #expect(lines[1] == #"team,"m,""x""",2,10,5,0.15,1"# && lines.count == 3)
    }

    @Test func `the table has columns, a sum, and no control characters`() throws {
        let table = String(decoding: try report("key,model").text(.table), as: UTF8.self)
        #expect(
            table == """
                KEY    MODEL  REQUESTS  PROMPT  COMPLETION  COST $  UNPRICED
                team   m,"x"         2      10           5    0.15         1
                -      n?            2      10           5    0.15         1
                total                4      20          10     0.3         2

                KEY   BUDGET                     SPENT  RESERVED  LEFT  BEYOND  BEGINS ANEW
                team  $1 per month, soft          1.25      0.25  -0.5       3  never
                team  20 tokens per month, soft     15         1     4       3  never

                """)
    }
}
