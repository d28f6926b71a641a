import Glibc
import RoutingPolicy

/// Ranks candidates by a selector's order and keeps the first few. Candidates are offered one by one, and those that
/// rank too low are dropped, so that the memory does not grow with the policy.
struct Ranking: ~Copyable {
    struct Candidate {
        var model: Int
        /// Higher keys rank first. Equal keys rank in the order in which they were offered.
        var key: Double
    }

    /// The score that `weighted` draws by and `best` compares:
    /// weight × success rate × (1000 / max(mean latency in ms, 100)).
    /// A model without samples scores as if it always succeeded within 100 ms. The success rate counts as at least 2 %,
    /// so that a model that always fails is still drawn sometimes and its recovery is noticed.
    static func score(weight: Double, _ statistics: StatisticsSummary) -> Double {
        weight * Double(max(statistics.successRate, 0.02) * (1000 / max(statistics.meanLatencyMilliseconds ?? 100, 100)))
    }

    private let order: Order
    private let kept: UnsafeMutableBufferPointer<Candidate>
    private(set) var count = 0
    /// For `weighted`: the sum of scores that is skipped before a candidate replaces another.
    private var jump = 0.0
    private var offered = 0
    /// For `round_robin` and `least_busy`: the position of the candidate that comes first, below `total`.
    private let start: Int
    private let total: Int

    /// - Parameters:
    ///   - kept: the memory for the ranked candidates. Its size, at least 3, is the number of candidates that are kept.
    ///   - turn: increases with each request, so that `round_robin` and the ties of `least_busy` rotate.
    ///   - total: the number of candidates that will be offered. Only `round_robin` and `least_busy` use it.
    init(_ order: Order, keeping kept: UnsafeMutableBufferPointer<Candidate>, turn: Int = 0, of total: Int = 0) {
        self.order = order
        self.kept = kept
        self.total = max(total, 1)
        start = Int(UInt(bitPattern: turn) % UInt(self.total))
    }

    /// The distance of the candidate that was just offered from the first one of the rotation.
    private var distance: Int {
        let ahead = offered - 1 - start
        return ahead < 0 ? ahead + total : ahead
    }

    /// - Parameter chance: returns a random number from 0 up to 1, exclusive.
    @inline(__always)
    mutating func offer(_ model: Int, score: Double, chance: () -> Double) {
        offered += 1
        switch order {
        case .listed: insert(model, key: 0)
        case .weighted: draw(model, score, chance)
        case .best, .top3, .fastest, .cheapest: insert(model, key: score)
        case .roundRobin: insert(model, key: -Double(distance))
        case .leastBusy: insert(model, key: score - Double(distance) / Double(total + 1))
        }
    }

    /// The kept candidates in their order. For `top3`, this draws among the first three.
    mutating func ranked(chance: () -> Double) -> UnsafeMutableBufferPointer<Candidate>.SubSequence {
        if order == .top3 {
            var best = UnsafeMutableBufferPointer(rebasing: kept[..<min(3, count)])
            for index in best.indices { best[index].key = logarithm(chance()) / max(best[index].key, .leastNormalMagnitude) }
            best.sort { $0.key > $1.key }
        }
        return kept[..<count]
    }

    /// Draws without replacement in one pass, each candidate with a probability in proportion to its score. This is the
    /// algorithm A-ExpJ: candidates rank by ln(u) / score, with a random u, and one random number determines how much
    /// score can be skipped before the next replacement.
    /// Source: P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006.
    @inline(__always)
    private mutating func draw(_ model: Int, _ score: Double, _ chance: () -> Double) {
        guard score > 0 else { return insert(model, key: -.infinity) }
        if count < kept.count || kept[count - 1].key == -.infinity {
            insert(model, key: logarithm(chance()) / score)
            if count == kept.count { jump = logarithm(chance()) / kept[count - 1].key }
            return
        }
        jump -= score
        guard jump <= 0 else { return }
        let least = exp(kept[count - 1].key * score)
        insert(model, key: logarithm(least + (1 - least) * chance()) / score)
        jump = logarithm(chance()) / kept[count - 1].key
    }

    private mutating func insert(_ model: Int, key: Double) {
        var position = count
        if count == kept.count {
            guard key > kept[count - 1].key else { return }
            position -= 1
        } else {
            kept.initializeElement(at: count, to: Candidate(model: model, key: key))
            count += 1
        }
        while position > 0, kept[position - 1].key < key {
            kept[position] = kept[position - 1]
            position -= 1
        }
        kept[position] = Candidate(model: model, key: key)
    }
}

extension StatisticsSummary {
    /// The mean latency in milliseconds by which `prefer_fast` ranks; a model without samples counts as 1 s.
    var preferredLatency: Float { meanLatencyMilliseconds ?? 1000 }
}

/// The natural logarithm of a number from 0 to 1. It is always finite.
private func logarithm(_ chance: Double) -> Double {
    log(max(chance, .leastNormalMagnitude))
}
