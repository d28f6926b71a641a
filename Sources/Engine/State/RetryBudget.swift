import Synchronization

/// Bounds the repeats (retries, attempts at further models, and hedges) that are in progress in the process, so that a
/// failing upstream is not flooded with them. At most 20 % of the requests in progress may be repeats, but 3 are always
/// allowed.
package final class RetryBudget: Sendable {
    private static let minimum = 3
    private static let requestsPerRepeat = 5

    /// The number of requests in progress on one event loop. Only that loop writes it.
    package final class Cell: Sendable {
        private let requests = Atomic(0)
        // Keeps the cells of two loops out of the same cache line, where each write would slow down the other loop.
        private let padding = InlineArray<14, Int>(repeating: 0)

        package func begin() { requests.store(count + 1, ordering: .relaxed) }

        package func end() { requests.store(count - 1, ordering: .relaxed) }

        package var count: Int { requests.load(ordering: .relaxed) }
    }

    /// One cell for each event loop.
    package let cells: [Cell]
    private let repeats = Atomic(0)

    package init(loops: Int) {
        cells = (0..<loops).map { _ in Cell() }
    }

    /// The number of requests in progress on all event loops.
    package var requests: Int { cells.reduce(0) { $0 + $1.count } }

    /// The number of repeats in progress.
    package var repeatsInProgress: Int { repeats.load(ordering: .relaxed) }

    /// Returns false if the budget is used up. Otherwise the caller must call `end` once, when the repeat has ended.
    package func tryBegin() -> Bool {
        let limit = max(Self.minimum, requests / Self.requestsPerRepeat)
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
