import RoutingPolicy
import Synchronization

/// The outcome of the last reload. It is the only source for `/health`, the metrics and the logs.
package final class PolicyStatus: Sendable {
    package struct Value: Sendable {
        /// The digest of the policy in service.
        package var digest: String
        /// The plugins of the policy in service that are not built in: `echo 1.0.0 (1a2b3c4d5e6f)`.
        package var plugins: [String]
        /// The plugins that the last reload that succeeded has added, changed and removed, as the log shows them.
        package var pluginChanges: [String] = []
        /// When the policy in service was loaded, in seconds since 1970.
        package var loadedAt: Int
        /// The rendered errors of the last reload; nil if it succeeded.
        package var lastErrors: [String]?
        package var reloads = 0
        package var failedReloads = 0
    }

    private let stored: Mutex<Value>

    package init(_ snapshot: Snapshot) {
        let policy = snapshot.policy
        stored = Mutex(Value(digest: policy.digest, plugins: policy.pluginNames, loadedAt: snapshot.loadedAt))
    }

    package var value: Value { stored.withLock { $0 } }

    func succeeded(_ policy: RoutingPolicy, after old: RoutingPolicy, at seconds: Int) {
        stored.withLock {
            $0.digest = policy.digest
            $0.plugins = policy.pluginNames
            $0.pluginChanges = PolicyDifference.plugins(from: old, to: policy)
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

extension RoutingPolicy {
    fileprivate var pluginNames: [String] { plugins.map { "\($0.name) \($0.build)" } }
}
