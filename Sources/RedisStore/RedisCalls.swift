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
    /// Counts what ended requests of a key used, and decides about new ones.
    ///
    /// - Parameters:
    ///   - periods: those around the router's time. It may be wrong by less than a day.
    ///   - mayHaveRun: whether the same settlement was sent before, without an answer.
    static func count(
        _ settlement: SharedSettlement, _ demands: [SharedDemand] = [], prefix: String, _ periods: BudgetPeriods?, mayHaveRun: Bool = false
    ) -> RedisCall {
        var arguments = common(settlement.terms.limits, settlement.terms.budget, periods)
        arguments += [
            "\(-settlement.returnedRequests)", "\(settlement.moreTokens)", "\(nanodollars(settlement.spending.dollars))",
            "\(tokens(settlement.spending.tokens))", mayHaveRun ? "1" : "0", "\(settlement.reservations.count)",
        ]
        arguments += settlement.reservations.map { "\(id($0.id)):\(nanodollars($0.spending.dollars)):\(tokens($0.spending.tokens))" }
        var hasLease = false
        for demand in demands {
            // One request of a key asks for a lease at a time.
            let lease = hasLease ? 0 : demand.lease
            hasLease = hasLease || lease > 0
            arguments += [
                "\(max(demand.tokens, 0))", "\(lease)", "\(nanodollars(demand.spending.dollars))", "\(tokens(demand.spending.tokens))",
                id(demand.reservation), "\(demand.lifetime.components.seconds * 1000)",
            ]
        }
        return RedisCall(script: .count, names: RedisScript.names(ofKey: settlement.terms.key, prefix: prefix), arguments: arguments)
    }

    /// Counts what requests took from the limits of a model or a provider.
    package static func use(_ use: SharedUse, prefix: String) -> RedisCall {
        RedisCall(
            script: .count, names: [RedisScript.name(of: use.name, prefix: prefix)],
            arguments: common(use.limits, nil, nil) + ["\(use.requests)", "\(use.tokens)", "0", "0", "0", "0"])
    }

    private static func common(_ limits: Limits, _ budget: Budget?, _ periods: BudgetPeriods?) -> [String] {
        let hard = budget.flatMap { $0.isHard ? $0 : nil }
        let bounds = [hard?.dollars.map(nanodollars) ?? -1, hard?.tokens ?? -1]
        return ["\(limits.requestsPerMinute ?? 0)", "\(limits.tokensPerMinute ?? 0)"] + (periods?.words ?? ["-1", "0", "0", "0"])
            + bounds.map { "\($0)" }
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

/// What `RedisCall.count` and `RedisCall.use` return.
struct RedisCount {
    let left: SharedLeft
    private let leased: (requests: Int, tokens: Int)
    /// nil if the key has no budget.
    let budget: SharedBudgetView?
    private let verdicts: [SharedAnswer.Verdict]

    /// nil for anything else.
    ///
    /// - Parameter terms: those of the call.
    init?(_ reply: RedisReply, limits: Limits, budget terms: Budget? = nil, demands: Int = 0) {
        guard let numbers = reply.integers, numbers.count == 9 + 2 * demands else { return nil }
        left = SharedLeft(
            requests: limits.requestsPerMinute == nil ? nil : numbers[0], tokens: limits.tokensPerMinute == nil ? nil : numbers[1])
        leased = (numbers[2], numbers[3])
        budget = terms.map { _ in
            SharedBudgetView(
                spent: Spending(dollars: Double(numbers[4]) / 1e9, tokens: numbers[5]),
                reserved: Spending(dollars: Double(numbers[6]) / 1e9, tokens: numbers[7]), periodEnd: numbers[8] == 0 ? nil : numbers[8])
        }
        verdicts = stride(from: 9, to: numbers.count, by: 2).compactMap { index in
            switch numbers[index] {
            case 0: .taken
            case 1: .limited(retryAfter: .microseconds(numbers[index + 1]))
            case 2: .overBudget
            default: nil
            }
        }
        guard verdicts.count == demands else { return nil }
    }

    /// The answer to one of the demands, by its position.
    func answer(_ position: Int, to demand: SharedDemand) -> SharedAnswer {
        var answer = SharedAnswer(verdicts[position])
        (answer.requestsLeft, answer.tokensLeft, answer.budget) = (left.requests, left.tokens, budget)
        if demand.lease > 0, answer.verdict == .taken { (answer.leasedRequests, answer.leasedTokens) = leased }
        return answer
    }
}

extension RedisReply {
    fileprivate var integers: [Int]? {
        guard case .array(let items) = self else { return nil }
        let numbers = items.compactMap { if case .integer(let number) = $0 { number } else { nil } }
        return numbers.count == items.count ? numbers : nil
    }
}
