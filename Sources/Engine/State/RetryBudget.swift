import Synchronization

/// Bounds the repeats (retries, further models, hedges) that are under way in the process, so that a dying upstream is not stormed: at most 20 % of the
/// requests under way, but always 3.
package final class RetryBudget: Sendable {
    private static let always = 3
    private static let share = 5

    /// One event loop's count of requests under way. Only that loop writes it.
    package final class Cell: Sendable {
        private let underWay = Atomic(0)
        // A cache line of its own: without it two loops' cells may share one, and each request would cost both loops.
        private let padding = InlineArray<14, Int>(repeating: 0)

        package func begin() { underWay.store(count + 1, ordering: .relaxed) }

        package func end() { underWay.store(count - 1, ordering: .relaxed) }

        package var count: Int { underWay.load(ordering: .relaxed) }
    }

    /// One for each event loop.
    package let cells: [Cell]
    private let repeats = Atomic(0)

    package init(loops: Int) {
        cells = (0..<loops).map { _ in Cell() }
    }

    /// Requests under way, over all loops.
    package var requests: Int { cells.reduce(0) { $0 + $1.count } }

    /// Repeats under way.
    package var repeatsUnderWay: Int { repeats.load(ordering: .relaxed) }

    /// False where the budget is used up. Otherwise `end` follows, once, when the repeat has ended.
    package func tryBegin() -> Bool {
        let limit = max(Self.always, requests / Self.share)
        var current = repeats.load(ordering: .relaxed)
        while current < limit {
            let (exchanged, original) = repeats.weakCompareExchange(expected: current, desired: current + 1, ordering: .relaxed)
            if exchanged { return true }
            current = original
        }
        return false
    }

    package func end() {
        repeats.subtract(1, ordering: .relaxed)
    }
}
