import Synchronization

/// Bounds the memory of all events and answers under assembly together (`server.max_buffered`).
package final class BufferBudget: Sendable {
    private let used = Atomic(0)
    private let limit: Atomic<Int>

    package init(limit: Int) {
        self.limit = Atomic(limit)
    }

    package func setLimit(_ bytes: Int) {
        limit.store(bytes, ordering: .relaxed)
    }

    package var usedBytes: Int { used.load(ordering: .relaxed) }

    /// False where `bytes` more don't fit; then nothing is taken.
    func take(_ bytes: Int) -> Bool {
        let (_, after) = used.add(bytes, ordering: .relaxed)
        if after <= limit.load(ordering: .relaxed) { return true }
        used.subtract(bytes, ordering: .relaxed)
        return false
    }

    func giveBack(_ bytes: Int) {
        used.subtract(bytes, ordering: .relaxed)
    }
}

/// One holder's share of the budget. Small buffers are free, so that the usual chunk costs no shared counter.
struct BufferShare {
    private static let freeBytes = 64 << 10
    private let budget: BufferBudget
    private var taken = 0

    init(_ budget: BufferBudget) {
        self.budget = budget
    }

    /// Makes the share cover `bytes`. False where the budget is used up.
    mutating func cover(_ bytes: Int) -> Bool {
        guard bytes > Self.freeBytes || taken > 0 else { return true }
        let wanted = bytes > Self.freeBytes ? bytes : 0
        if wanted > taken {
            guard budget.take(wanted - taken) else { return false }
        } else {
            budget.giveBack(taken - wanted)
        }
        taken = wanted
        return true
    }
}
