import Glibc
import RoutingPolicy

/// The first few of many candidates, in the order that a selector says: they are offered one by one, and what ranks too low is forgotten. So its memory doesn't grow
/// with the policy.
struct Ranking: ~Copyable {
    struct Candidate {
        var model: Int
        /// Higher ranks first; equal ones as they were offered.
        var key: Double
    }

    /// What `weighted` draws by, and `best` compares: weight × success rate × (1000 / max(mean latency in ms, 100)). A model that was never asked counts as
    /// one that always answers within 100 ms; one that always fails keeps a fiftieth of its share, so that its recovery is seen.
    static func score(weight: Double, _ statistics: StatisticsSummary) -> Double {
        weight * Double(max(statistics.successRate, 0.02) * (1000 / max(statistics.meanLatencyMilliseconds ?? 100, 100)))
    }

    private let order: Order
    private let kept: UnsafeMutableBufferPointer<Candidate>
    private(set) var count = 0
    /// `weighted`: how much of the scores is still passed over before the next candidate takes a place.
    private var jump = 0.0
    private var offered = 0
    /// `round_robin` and `least_busy`: who would be first, of so many.
    private let turn: Int
    private let turns: Int

    /// - Parameters:
    ///   - kept: where the ranked candidates are held; as many as it has room for, at least 3.
    ///   - turn: for `round_robin`, and for the ties of `least_busy`: counts up from request to request.
    ///   - total: how many will be offered; only those two orders look at it.
    init(_ order: Order, keeping kept: UnsafeMutableBufferPointer<Candidate>, turn: Int = 0, of total: Int = 0) {
        self.order = order
        self.kept = kept
        turns = max(total, 1)
        self.turn = Int(UInt(bitPattern: turn) % UInt(turns))
    }

    /// The place of what was offered now, in this turn.
    private var distance: Int {
        let ahead = offered - 1 - turn
        return ahead < 0 ? ahead + turns : ahead
    }

    /// - Parameter chance: from 0 up to 1, exclusive.
    @inline(__always)
    mutating func offer(_ model: Int, score: Double, chance: () -> Double) {
        offered += 1
        switch order {
        case .listed: insert(model, key: 0)
        case .weighted: draw(model, score, chance)
        case .best, .top3, .fastest, .cheapest: insert(model, key: score)
        case .roundRobin: insert(model, key: -Double(distance))
        case .leastBusy: insert(model, key: score - Double(distance) / Double(turns + 1))
        }
    }

    /// In their order. `top3` draws among the first three now.
    mutating func ranked(chance: () -> Double) -> UnsafeMutableBufferPointer<Candidate>.SubSequence {
        if order == .top3 {
            var best = UnsafeMutableBufferPointer(rebasing: kept[..<min(3, count)])
            for index in best.indices { best[index].key = logarithm(chance()) / max(best[index].key, .leastNormalMagnitude) }
            best.sort { $0.key > $1.key }
        }
        return kept[..<count]
    }

    /// Draws without replacement, each by its share, in one pass: the algorithm A-ExpJ. Who has the highest ln(u) / score is first, and so on; between two changes a
    /// random number says how much of the scores passes without one. Source: P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006.
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

/// Of a number from 0 to 1; finite.
private func logarithm(_ chance: Double) -> Double {
    log(max(chance, .leastNormalMagnitude))
}
