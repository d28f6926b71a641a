import PolicyDrafts
import Testing

struct NewKeyTests {
    private func problem(models: [String] = [], endpoints: [String] = [], budget: String? = nil) -> NewKey.Problem? {
        do throws(NewKey.Problem) {
            _ = try NewKey("k", models: models, endpoints: endpoints, budget: budget, now: 0)
            return nil
        } catch { return error }
    }

    @Test(arguments: [[""], [" "], ["a", ""]])
    func `an empty name doesn't mean everything`(names: [String]) {
        #expect(problem(models: names)?.parameter == "models")
        #expect(problem(endpoints: names.map { $0 == "a" ? "chat" : $0 })?.parameter == "endpoints")
    }

    @Test(arguments: [
        ("50usd", "{ usd: 50 }"), ("50usd/month", "{ usd: 50, per: month }"),
        ("50usd,1000000tokens/day", "{ usd: 50, tokens: 1000000, per: day }"),
        ("50usd/day,1000000tokens", "{ usd: 50, tokens: 1000000, per: day }"),
        ("50usd/month,1000tokens/month", "{ usd: 50, tokens: 1000, per: month }"),
    ])
    func `a budget has amounts and a period`(text: String, budget: String) throws {
        #expect(try NewKey("k", budget: text, now: 0).yaml.contains("budget: \(budget)"))
    }

    @Test func `a budget has one period, and says so`() {
        #expect(problem(budget: "50usd/month,1000000tokens/day")?.message.contains("one period") == true)
    }

    @Test(arguments: ["", ",", "50usd,", "50usd/", "50usd,60usd", "50/month", "50usd/year", "/month"])
    func `what is no budget is refused`(text: String) {
        #expect(problem(budget: text)?.parameter == "budget")
    }
}
