import Synchronization

/// The outcome of the last reload. It is the only source for `/health`, the metrics and the logs.
package final class PolicyStatus: Sendable {
    package struct Value: Sendable {
        /// The digest of the policy in service.
        package var digest: String
        /// When the policy in service was loaded, in seconds since 1970.
        package var loadedAt: Int
        /// The rendered errors of the last reload; nil if it succeeded.
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
