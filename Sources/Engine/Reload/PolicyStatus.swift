import Synchronization

/// How the last load went: the one place that `/health`, the gauge and the logs tell it from.
package final class PolicyStatus: Sendable {
    package struct Value: Sendable {
        package var digest: String
        /// Seconds since 1970.
        package var loadedAt: Int
        /// The rendered errors of the last reload; nil where it succeeded.
        package var lastErrors: [String]?
        package var reloads = 0
        package var failedReloads = 0
    }

    private let stored: Mutex<Value>

    package init(_ snapshot: Snapshot) {
        stored = Mutex(Value(digest: snapshot.policy.digest, loadedAt: snapshot.loadedAt))
    }

    package var value: Value { stored.withLock { $0 } }

    func succeeded(digest: String, at seconds: Int) {
        stored.withLock {
            $0.digest = digest
            $0.loadedAt = seconds
            $0.lastErrors = nil
            $0.reloads += 1
        }
    }

    func failed(_ errors: [String]) {
        stored.withLock {
            $0.lastErrors = errors
            $0.reloads += 1
            $0.failedReloads += 1
        }
    }
}
