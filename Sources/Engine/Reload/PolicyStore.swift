import Synchronization

/// The policy in service, for all event loops. Readers compare a counter and take the lock only after a swap.
package final class PolicyStore: Sendable {
    private let stored: Mutex<Snapshot>
    private let counter: Atomic<Int>

    package init(_ snapshot: Snapshot) {
        stored = Mutex(snapshot)
        counter = Atomic(snapshot.generation)
    }

    package var generation: Int { counter.load(ordering: .acquiring) }

    package var current: Snapshot { stored.withLock { $0 } }

    /// Puts a policy into service. Requests under way keep theirs.
    func swap(_ snapshot: Snapshot) {
        stored.withLock { $0 = snapshot }
        counter.store(snapshot.generation, ordering: .releasing)
    }
}
