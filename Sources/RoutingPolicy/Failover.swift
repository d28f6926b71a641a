package import ProviderKit

/// `failover:`: rows of the failure table that the policy overrides, by status (`403: stop`) or by class (`timeout: stop`).
package struct Failover: Sendable, Equatable {
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

    /// A status counts before a class.
    package func action(status: Int?, failure: FailureClass) -> Action? {
        if statuses.isEmpty, classes.isEmpty { return nil }
        return status.flatMap { statuses[$0] } ?? classes[failure]
    }
}

/// `hedge:` of a route: a second attempt beside a slow first one.
package struct Hedge: Sendable, Equatable {
    package enum Delay: Sendable, Equatable {
        case after(Duration)
        /// The first model's observed 95th percentile of the time to first content. Without 20 observations there is no hedge.
        case p95
    }

    package var delay: Delay
    /// US dollars that the second attempt may cost at most, by its model's price, the estimated prompt and `max_tokens`. nil: no cap. A model without
    /// a price exceeds every cap.
    package var maxCost: Double?

    package init(delay: Delay, maxCost: Double? = nil) {
        self.delay = delay
        self.maxCost = maxCost
    }
}
