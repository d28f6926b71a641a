import Codecs
package import Engine
import HTTPWire
import RoutingPolicy

/// A script's names and arguments, as `EVALSHA` takes them.
package struct RedisCall: Sendable, Equatable {
    package var script: RedisScript
    package var names: [String]
    package var arguments: [String]
}

extension RedisCall {
    /// - Parameter now: the router's time, in seconds since 1970. It may be wrong by less than a day.
    package static func take(_ demand: SharedDemand, prefix: String, now: Int) -> RedisCall {
        let budget = demand.terms.budget.flatMap { $0.isHard ? $0 : nil }
        return RedisCall(
            script: .take, names: RedisScript.names(ofKey: demand.terms.key, prefix: prefix),
            arguments: common(demand.terms.limits, budget, now) + [
                "\(max(demand.tokens, 0))", "\(demand.lease)", "\(budget?.dollars.map(nanodollars) ?? -1)", "\(budget?.tokens ?? -1)",
                "\(nanodollars(demand.spending.dollars))", "\(tokens(demand.spending.tokens))", id(demand.reservation),
                "\(demand.lifetime.components.seconds * 1000)",
            ])
    }

    /// - Parameter mayHaveRun: whether the same settlement was sent before, without an answer.
    package static func settle(_ settlement: SharedSettlement, prefix: String, now: Int, mayHaveRun: Bool) -> RedisCall {
        RedisCall(
            script: .settle, names: RedisScript.names(ofKey: settlement.terms.key, prefix: prefix),
            arguments: common(settlement.terms.limits, settlement.terms.budget, now) + [
                "\(settlement.returnedRequests)", "\(settlement.moreTokens)", "\(nanodollars(settlement.spending.dollars))",
                "\(tokens(settlement.spending.tokens))", mayHaveRun ? "1" : "0",
            ] + settlement.reservations.map { "\(id($0.id)):\(nanodollars($0.spending.dollars)):\(tokens($0.spending.tokens))" })
    }

    private static func common(_ limits: Limits, _ budget: Budget?, _ now: Int) -> [String] {
        let periods = budget.map { boundaries($0.period, around: now) } ?? [-1, 0, 0, 0]
        return ([limits.requestsPerMinute ?? 0, limits.tokensPerMinute ?? 0] + periods).map { "\($0)" }
    }

    /// The starts of the period before, of the one around a time, and of the two after it.
    private static func boundaries(_ period: Budget.Period, around now: Int) -> [Int] {
        let (start, end) = period.window(around: now)
        guard let end else { return [0, 0, 0, 0] }
        return [period.window(around: start - 1).start, start, end, period.window(around: end).end ?? 0]
    }

    private static func id(_ number: UInt64) -> String { String(number, radix: 16) }

    /// The largest sum that a Lua number counts exactly.
    private static let most = 1 << 53

    /// Costs come from providers, and may be nonsense.
    private static func nanodollars(_ dollars: Double) -> Int {
        dollars > 0 ? Int(min((dollars * 1e9).rounded(), Double(most))) : 0
    }

    private static func tokens(_ count: Int) -> Int { min(max(count, 0), most) }
}

extension RedisCall {
    package static func announce(_ news: BreakerNews, prefix: String) -> RedisCall {
        let milliseconds = news.openFor == .zero ? 0 : max(1, Int(clamping: news.openFor.wholeNanoseconds / 1_000_000))
        return RedisCall(
            script: .announce, names: [RedisScript.breakersName(prefix: prefix)], arguments: [news.name.joined, "\(milliseconds)"])
    }

    package static func breakers(prefix: String) -> RedisCall {
        RedisCall(script: .breakers, names: [RedisScript.breakersName(prefix: prefix)], arguments: [])
    }
}

extension BreakerName {
    /// Names of a policy contain no spaces.
    fileprivate var joined: String { [provider, model, upstream].compactMap { $0 }.joined(separator: " ") }

    fileprivate init?(joined: String) {
        let parts = joined.split(separator: " ", maxSplits: 2).map(String.init)
        guard parts.count == 1 || parts.count == 3 else { return nil }
        self.init(provider: parts[0], model: parts.count == 3 ? parts[1] : nil, upstream: parts.count == 3 ? parts[2] : nil)
    }
}

extension [BreakerName: Duration] {
    /// What `RedisScript.breakers` returns; nil for anything else.
    package init?(_ reply: RedisReply) {
        guard case .array(let items) = reply, items.count.isMultiple(of: 2) else { return nil }
        self = [:]
        for index in stride(from: 0, to: items.count, by: 2) {
            guard case .text(let text) = items[index], case .integer(let milliseconds) = items[index + 1] else { return nil }
            if let name = BreakerName(joined: text), milliseconds > 0 { self[name] = .milliseconds(milliseconds) }
        }
    }
}

extension SharedAnswer {
    /// What `RedisScript.take` returns; nil for anything else.
    package init?(_ reply: RedisReply, to demand: SharedDemand) {
        guard let numbers = reply.integers, numbers.count == 11 else { return nil }
        switch numbers[0] {
        case 0: self.init(.taken)
        case 1: self.init(.limited(retryAfter: .microseconds(numbers[1])))
        case 2: self.init(.overBudget)
        default: return nil
        }
        if demand.terms.limits.requestsPerMinute != nil { requestsLeft = numbers[2] }
        if demand.terms.limits.tokensPerMinute != nil { tokensLeft = numbers[3] }
        (leasedRequests, leasedTokens) = (numbers[4], numbers[5])
        if demand.terms.budget?.isHard == true { budget = SharedBudgetView(numbers[6...]) }
    }
}

extension SharedBudgetView {
    /// What `RedisScript.settle` returns; nil for anything else.
    package init?(_ reply: RedisReply) {
        guard let numbers = reply.integers, numbers.count == 5 else { return nil }
        self.init(numbers[...])
    }

    fileprivate init(_ numbers: ArraySlice<Int>) {
        let first = numbers.startIndex
        self.init(
            spent: Spending(dollars: Double(numbers[first]) / 1e9, tokens: numbers[first + 1]),
            reserved: Spending(dollars: Double(numbers[first + 2]) / 1e9, tokens: numbers[first + 3]),
            periodEnd: numbers[first + 4] == 0 ? nil : numbers[first + 4])
    }
}

extension RedisReply {
    fileprivate var integers: [Int]? {
        guard case .array(let items) = self else { return nil }
        let numbers = items.compactMap { if case .integer(let number) = $0 { number } else { nil } }
        return numbers.count == items.count ? numbers : nil
    }
}
