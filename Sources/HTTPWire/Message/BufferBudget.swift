import Synchronization

/// The limit on the memory of large messages (`server.max_buffered`): request bodies, events and responses that are
/// being assembled, and responses that their clients have not read yet.
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

    /// Whether a message of `bytes` that is to be made now fits.
    func hasRoom(for bytes: Int) -> Bool {
        bytes <= BufferShare.freeBytes || usedBytes + bytes <= limit.load(ordering: .relaxed)
    }

    /// Takes `bytes` from the budget. Returns false, and takes nothing, if they don't fit.
    fileprivate func take(_ bytes: Int) -> Bool {
        let (_, after) = used.add(bytes, ordering: .relaxed)
        if after <= limit.load(ordering: .relaxed) { return true }
        used.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// Takes `bytes` even if they don't fit.
    fileprivate func force(_ bytes: Int) {
        used.add(bytes, ordering: .relaxed)
    }

    fileprivate func giveBack(_ bytes: Int) {
        used.subtract(bytes, ordering: .relaxed)
    }
}

/// One message's share of the budget. Messages of up to 64 KiB don't count, so that one of usual size touches no shared
/// counter.
package struct BufferShare {
    fileprivate static let freeBytes = 64 << 10
    private let budget: BufferBudget
    private var taken = 0

    package init(_ budget: BufferBudget) {
        self.budget = budget
    }

    /// The bytes that count.
    var bytes: Int { taken }
    var isEmpty: Bool { taken == 0 }

    /// Adjusts the share to `bytes`. Returns false if the budget is used up.
    package mutating func cover(_ bytes: Int) -> Bool {
        guard bytes > Self.freeBytes || taken > 0 else { return true }
        let target = Self.counted(bytes)
        if target > taken {
            guard budget.take(target - taken) else { return false }
        } else {
            budget.giveBack(taken - target)
        }
        taken = target
        return true
    }

    /// Adjusts the share to `bytes` that are in memory already, even if the budget is used up.
    package mutating func hold(_ bytes: Int) {
        let target = Self.counted(bytes)
        if target > taken { budget.force(target - taken) } else if target < taken { budget.giveBack(taken - target) }
        taken = target
    }

    package mutating func release() { hold(0) }

    private static func counted(_ bytes: Int) -> Int { counts(bytes) ? bytes : 0 }

    /// Whether so many bytes count at all.
    package static func counts(_ bytes: Int) -> Bool { bytes > freeBytes }
}
