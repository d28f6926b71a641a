package import RoutingPolicy

/// A policy that is ready to be served: everything that can fail has succeeded, and nothing of it is in service. It
/// must be ended exactly once, with `Engine.commit` or with `undo`.
package struct PreparedSnapshot: ~Copyable, Sendable {
    package let snapshot: Snapshot
    /// In the order in which they were prepared.
    fileprivate var resources: [any PreparedResource] = []

    fileprivate init(_ snapshot: Snapshot) { self.snapshot = snapshot }

    /// Releases the resources, the latest first.
    package consuming func undo() async {
        for resource in resources.reversed() { await resource.undo() }
    }
}

extension Engine {
    /// Provisions a policy over the running one, and acquires its resources in order. If one of them fails, the others
    /// are released.
    package func prepare(
        _ policy: RoutingPolicy, at seconds: Int, with resources: [any PolicyResource]
    ) async throws -> PreparedSnapshot {
        var prepared = PreparedSnapshot(Snapshot.provision(policy, over: store.current, spent: earlierSpending, at: seconds))
        do {
            for resource in resources {
                let acquired = try await resource.prepare(policy)
                prepared.resources.append(acquired)
            }
        } catch {
            await prepared.undo()
            throw error
        }
        return prepared
    }

    /// Puts a prepared policy into service, and drains the providers that it no longer has. It can't fail.
    ///
    /// - Returns: for each of these providers, how many streams it still has.
    package func commit(_ prepared: consuming PreparedSnapshot) async -> [String: Int] {
        let old = store.current, next = prepared.snapshot, removed = old.removed(in: next)
        var draining: [String: Int] = [:]
        for instance in removed { draining[instance.name] = await busyCount(of: instance) }
        budget.setLimit(next.policy.server.maxBufferedBytes)
        spool.update(folder: next.policy.server.spool, limit: next.policy.server.maxSpooledBytes)
        store.swap(next)
        for resource in prepared.resources { await resource.commit() }
        for instance in removed { drop(instance) }
        status.succeeded(next.policy, after: old.policy, at: next.loadedAt)
        return draining
    }
}
