import Synchronization

/// The policy in service, shared by all event loops. Readers compare a generation and take the lock only after a swap.
package final class PolicyStore: Sendable {
    private let stored: Mutex<Snapshot>
    private let storedGeneration: Atomic<Int>

    package init(_ snapshot: Snapshot) {
        stored = Mutex(snapshot)
        storedGeneration = Atomic(snapshot.generation)
    }

    package var generation: Int { storedGeneration.load(ordering: .acquiring) }

    package var current: Snapshot { stored.withLock { $0 } }

    /// Puts a policy into service. Requests in progress keep their policy.
    func swap(_ snapshot: Snapshot) {
        stored.withLock { $0 = snapshot }
        storedGeneration.store(snapshot.generation, ordering: .releasing)
    }
}
