import RoutingPolicy
import Testing

@testable import Engine

@Suite("the account of a key's budget")
struct KeyAccountTests {
    /// Noon of Sunday, 29 November 2026, UTC, in seconds since 1970.
    private static let noon = 1_795_953_600
    private static let day = 86_400

    private func budget(dollars: Double? = nil, tokens: Int? = nil, isHard: Bool = true) -> Budget {
        var budget = Budget()
        (budget.dollars, budget.tokens, budget.isHard) = (dollars, tokens, isHard)
        return budget
    }

    private func account(_ period: Budget.Period = .month, spent: Spending = Spending()) -> KeyAccount {
        KeyAccount(period, spent: spent, now: Self.noon)
    }

    @Test("a period begins at midnight, on Monday or on the first of the month, in UTC, and a total never ends")
    func windows() {
        let midnight = Self.noon - Self.day / 2
        #expect(Budget.Period.day.window(around: Self.noon) == (midnight, midnight + Self.day))
        #expect(Budget.Period.week.window(around: Self.noon) == (midnight - 6 * Self.day, midnight + Self.day))
        #expect(Budget.Period.month.window(around: Self.noon) == (midnight - 28 * Self.day, midnight + 2 * Self.day))
        #expect(Budget.Period.total.window(around: Self.noon) == (0, nil))
        #expect(Budget.Period.week.window(around: midnight + Self.day).start == midnight + Self.day)
    }

    @Test("each second lies in its period, and the next period begins where it ends", arguments: Budget.Period.allCases)
    func adjacent(period: Budget.Period) {
        for second in stride(from: -40 * Self.day, to: 800 * Self.day, by: 40_007) {
            let window = period.window(around: second)
            guard let end = window.end else { continue }
            #expect(window.start <= second && second < end)
            #expect(period.window(around: end).start == end && period.window(around: end - 1).start == window.start)
        }
    }

    @Test("a hard budget admits requests while something is left beside what is spent and reserved, and no other")
    func hard() {
        let budget = budget(dollars: 1), account = account(spent: Spending(dollars: 0.5))
        #expect(account.begin(Spending(dollars: 0.3), budget, now: Self.noon))
        #expect(!account.isUsedUp(budget, now: Self.noon))
        // However much it may cost.
        #expect(account.begin(Spending(dollars: 8), budget, now: Self.noon))
        #expect(!account.begin(Spending(), budget, now: Self.noon) && account.isUsedUp(budget, now: Self.noon))
        // Running requests can end for less than what is reserved.
        #expect(!account.isSpent(budget, now: Self.noon))
        _ = account.end(Spending(dollars: 8), spent: Spending(dollars: 0.1), budget, now: Self.noon)
        #expect(account.begin(Spending(dollars: 0.3), budget, now: Self.noon))
        _ = account.end(Spending(dollars: 0.3), spent: Spending(dollars: 0.4), budget, now: Self.noon)
        #expect(account.isSpent(budget, now: Self.noon))
    }

    @Test("requests at the same time exceed a budget by the cost of one", arguments: [0.1, 0.8, 3, 40])
    func parallel(cost: Double) {
        let budget = budget(dollars: 1), account = account()
        var running = 0
        for _ in 0..<200 {
            if account.begin(Spending(dollars: cost * 1.25), budget, now: Self.noon) { running += 1 }
            if running == 20 {
                _ = account.end(Spending(dollars: cost * 1.25), spent: Spending(dollars: cost), budget, now: Self.noon)
                running -= 1
            }
        }
        for _ in 0..<running { _ = account.end(Spending(dollars: cost * 1.25), spent: Spending(dollars: cost), budget, now: Self.noon) }
        #expect(account.view(now: Self.noon).spent.dollars <= 1 + cost)
    }

    @Test("a refusal says whether the budget is spent, or reserved and soon free again")
    func refusals() throws {
        let terms = budget(dollars: 1), budget = KeyBudget(terms: terms, account: account())
        #expect(budget.begin(Spending(dollars: 2), ofKey: "k", now: Self.noon) == nil)
        let reserved = try #require(budget.refusal(ofKey: "k", now: Self.noon))
        #expect(reserved.error.code == "rate_limit_exceeded" && reserved.retryAfter == .seconds(1))
        _ = budget.account.end(Spending(dollars: 2), spent: Spending(dollars: 1), terms, now: Self.noon)
        let spent = try #require(budget.begin(Spending(), ofKey: "k", now: Self.noon))
        #expect(spent.error.code == "budget_exceeded" && spent.retryAfter == .seconds(3 * Self.day / 2))
        #expect(budget.failure(ofKey: "k", isSpent: false, now: Self.noon).error.code == "rate_limit_exceeded")
    }

    @Test("what a request has cost takes the place of its reservation")
    func settle() {
        let budget = budget(tokens: 100), account = account()
        #expect(account.begin(Spending(tokens: 100), budget, now: Self.noon))
        #expect(!account.end(Spending(tokens: 100), spent: Spending(tokens: 40), budget, now: Self.noon))
        #expect(account.view(now: Self.noon).spent.tokens == 40 && account.view(now: Self.noon).reserved.tokens == 0)
        #expect(account.begin(Spending(tokens: 60), budget, now: Self.noon))
        #expect(account.end(Spending(tokens: 60), spent: Spending(tokens: 61), budget, now: Self.noon), "used up for the first time")
    }

    @Test("a soft budget admits everything, says once in a period that it is used up, and counts what lies beyond it")
    func soft() {
        let budget = budget(dollars: 1, isHard: false), account = account()
        let results = (0..<4).map { _ in
            #expect(account.begin(Spending(dollars: 0.6), budget, now: Self.noon))
            return account.end(Spending(dollars: 0.6), spent: Spending(dollars: 0.6), budget, now: Self.noon)
        }
        #expect(results == [false, true, false, false])
        #expect(account.view(now: Self.noon).requestsBeyond == 3)
    }

    @Test("a new period begins with nothing spent, and what a request from the last one costs counts in it")
    func newPeriod() {
        let budget = budget(dollars: 1), account = account(.day)
        #expect(account.begin(Spending(dollars: 1), budget, now: Self.noon))
        #expect(account.isUsedUp(budget, now: Self.noon + Self.day / 2 - 1))
        _ = account.end(Spending(dollars: 1), spent: Spending(dollars: 0.25), budget, now: Self.noon + Self.day / 2)
        #expect(account.view(now: Self.noon + Self.day / 2).spent.dollars == 0.25)
    }

    @Test("a clock that jumps back ends no period")
    func clock() {
        let budget = budget(dollars: 1), account = account(.day, spent: Spending(dollars: 1))
        #expect(account.isUsedUp(budget, now: Self.noon - 10 * Self.day))
        #expect(account.isUsedUp(budget, now: Self.noon))
    }

    @Test("an account outlives a policy with the same period, and another period begins with what was recorded")
    func provision() throws {
        func states(_ budget: String, over running: ModelStates?) throws -> ModelStates {
            let policy = try policy(
                """
                providers: { p: { plugin: silent } }
                models: { m: { provider: p, price: { input: 1, output: 1 } } }
                keys: { k: { secret: secret-of-the-key-k, budget: \(budget) } }
                """)
            return ModelStates.provision(policy, over: running, spent: { _, _, _ in Spending(dollars: 3) }, now: Self.noon) { _ in true }
        }
        let first = try states("{ usd: 5, per: day }", over: nil), second = try states("{ usd: 9, per: day }", over: first)
        #expect(first.keyAccounts["k"]?.view(now: Self.noon).spent.dollars == 3)
        #expect(second.keyAccounts["k"] === first.keyAccounts["k"])
        #expect(try states("{ usd: 9, per: week }", over: first).keyAccounts["k"] !== first.keyAccounts["k"])
    }
}
