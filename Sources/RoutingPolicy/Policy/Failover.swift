package import ProviderKit

/// `failover:`: rows of the failure table that the policy overrides, by status (`403: stop`) or by class
/// (`timeout: stop`).
package struct Failover: Sendable, Equatable, OptionHolder {
    /// What follows a failed attempt, before anything was sent to the client.
    package enum Action: String, Sendable, CaseIterable {
        /// The same model again, as `retry:` says; then the next.
        case retry
        /// The next model.
        case next
        /// The client gets this failure.
        case stop
    }

    /// 400 to 599.
    package var statuses: [Int: Action] = [:]
    /// All classes but `cancelled`.
    package var classes: [FailureClass: Action] = [:]

    package init() {}

    /// A status takes precedence over a class.
    package func action(status: Int?, failure: FailureClass) -> Action? {
        if statuses.isEmpty, classes.isEmpty { return nil }
        return status.flatMap { statuses[$0] } ?? classes[failure]
    }
}
