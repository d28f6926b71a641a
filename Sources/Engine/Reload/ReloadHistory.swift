import Synchronization

/// The last loads of the policy, the first one at the start included.
package final class ReloadHistory: Sendable {
    /// One load.
    package struct Entry: Sendable {
        /// When it ended, in seconds since 1970.
        package var time: Int
        /// What asked for it, such as `SIGHUP`.
        package var source: String
        package var duration: Duration
        /// What changed, one line each; empty if the load failed.
        package var changes: [String] = []
        /// Why the new policy can't be used, one line each, without secrets; nil if it is in service.
        package var errors: [String]?
        /// The digest of the policy that was in service afterwards, and its generation.
        package var digest: String
        package var generation: Int
    }

    static let capacity = 50

    private let stored: Mutex<(entries: [Entry], count: Int)>

    init(_ snapshot: Snapshot) {
        let start = Entry(
            time: snapshot.loadedAt, source: "start", duration: .zero, digest: snapshot.policy.digest, generation: snapshot.generation)
        stored = Mutex(([start], 1))
    }

    /// The loads since the start, those included that are no longer kept.
    package var count: Int { stored.withLock { $0.count } }

    /// The kept loads, the oldest first.
    ///
    /// - Parameter number: how many loads since the start to leave out.
    package func entries(after number: Int = 0) -> [Entry] {
        stored.withLock { stored in Array(stored.entries.suffix(min(Self.capacity, max(0, stored.count - number)))) }
    }

    func add(_ entry: Entry) {
        stored.withLock { stored in
            if stored.entries.count == Self.capacity { stored.entries.removeFirst() }
            stored.entries.append(entry)
            stored.count += 1
        }
    }
}
