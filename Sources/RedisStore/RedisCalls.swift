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
        let terms = settlement.terms, isHard = terms.budget?.isHard == true
        var arguments = common(terms.limits, terms.budget, periods)
        arguments.reserveCapacity(20 + settlement.reservations.count + demands.count * (isHard ? 5 : 1))
        // One request of a key asks for a lease at a time.
        let asking = demands.firstIndex { $0.lease > 0 }
        arguments.append(String(-settlement.returnedRequests))
        arguments.append(String(settlement.moreTokens))
        arguments.append(String(nanodollars(settlement.spending.dollars)))
        arguments.append(String(tokens(settlement.spending.tokens)))
        arguments.append(mayHaveRun ? "1" : "0")
        arguments.append(asking.map { "\(demands[$0].lease)" } ?? "0")
        arguments.append(String((asking ?? 0) + 1))
        arguments.append(String(settlement.reservations.count))
        for reservation in settlement.reservations {
            arguments.append(
                "\(id(reservation.id)):\(nanodollars(reservation.spending.dollars)):\(tokens(reservation.spending.tokens))")
        }
        for demand in demands {
            arguments.append(String(max(demand.tokens, 0)))
            guard isHard else { continue }
            arguments.append(String(nanodollars(demand.spending.dollars)))
            arguments.append(String(tokens(demand.spending.tokens)))
            arguments.append(id(demand.reservation))
            arguments.append(String(demand.lifetime.components.seconds * 1000))
        }
        return RedisCall(script: .count, names: RedisScript.names(ofKey: terms.key, prefix: prefix), arguments: arguments)
    }

    /// Counts what requests took from the limits of a model or a provider.
    package static func use(_ use: SharedUse, prefix: String) -> RedisCall {
        RedisCall(
            script: .count, names: [RedisScript.name(of: use.name, prefix: prefix)],
            arguments: common(use.limits, nil, nil) + ["\(use.requests)", "\(use.tokens)", "0", "0", "0", "0", "0", "0"])
    }

    private static func common(_ limits: Limits, _ budget: Budget?, _ periods: BudgetPeriods?) -> [String] {
        let hard = budget.flatMap { $0.isHard ? $0 : nil }
        let bounds = [hard?.dollars.map(nanodollars) ?? -1, hard?.tokens ?? -1]
        return [String(limits.requestsPerMinute ?? 0), String(limits.tokensPerMinute ?? 0)] + (periods?.words ?? ["-1", "0", "0", "0"])
            + bounds.map { String($0) }
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
        guard let numbers = reply.integers, numbers.count >= 9, numbers.count.isMultiple(of: 3) else { return nil }
        left = SharedLeft(
            requests: limits.requestsPerMinute == nil ? nil : numbers[0], tokens: limits.tokensPerMinute == nil ? nil : numbers[1])
        leased = (numbers[2], numbers[3])
        budget = terms.map { _ in
            SharedBudgetView(
                spent: Spending(dollars: Double(numbers[4]) / 1e9, tokens: numbers[5]),
                reserved: Spending(dollars: Double(numbers[6]) / 1e9, tokens: numbers[7]), periodEnd: numbers[8] == 0 ? nil : numbers[8])
        }
        var verdicts = [SharedAnswer.Verdict](repeating: .taken, count: demands)
        for index in stride(from: 9, to: numbers.count, by: 3) {
            guard verdicts.indices.contains(numbers[index]) else { return nil }
            switch numbers[index + 1] {
            case 1: verdicts[numbers[index]] = .limited(retryAfter: .microseconds(numbers[index + 2]))
            case 2: verdicts[numbers[index]] = .overBudget
            default: return nil
            }
        }
        self.verdicts = verdicts
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
        var numbers: [Int] = []
        numbers.reserveCapacity(items.count)
        for item in items {
            guard case .integer(let number) = item else { return nil }
            numbers.append(number)
        }
        return numbers
    }
}
