import Synchronization

/// The limit on the memory of all events and responses that are being assembled (`server.max_buffered`).
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

    /// Takes `bytes` from the budget. Returns false, and takes nothing, if they don't fit.
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

/// One attempt's share of the budget. Buffers of up to 64 KiB don't count, so that a chunk of usual size touches no
/// shared counter.
struct BufferShare {
    private static let freeBytes = 64 << 10
    private let budget: BufferBudget
    private var taken = 0

    init(_ budget: BufferBudget) {
        self.budget = budget
    }

    /// Adjusts the share to `bytes`. Returns false if the budget is used up.
    mutating func cover(_ bytes: Int) -> Bool {
        guard bytes > Self.freeBytes || taken > 0 else { return true }
        let target = bytes > Self.freeBytes ? bytes : 0
        if target > taken {
            guard budget.take(target - taken) else { return false }
        } else {
            budget.giveBack(taken - target)
        }
        taken = target
        return true
    }
}
