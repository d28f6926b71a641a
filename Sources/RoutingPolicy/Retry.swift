/// `retry:`: further tries of the same model.
package struct Retry: Sendable, Equatable {
    /// Further tries after the first, 0 to 10.
    package var retries: Int = 1
    /// Before the first of them; doubled each time.
    package var delay: Duration = .milliseconds(500)
    /// What the doubling never exceeds. A wait that the upstream asked for is not bounded by it.
    package var maxDelay: Duration = .seconds(30)
    /// Each wait is drawn from (1 - jitter)...(1 + jitter) of its length. 0 to 1.
    package var jitter: Double = 0.2

    package init() {}

    package func overridden(by overrides: RetryOverrides) -> Retry {
        var result = self
        result.retries = overrides.retries ?? retries
        result.delay = overrides.delay ?? delay
        result.maxDelay = overrides.maxDelay ?? maxDelay
        result.jitter = overrides.jitter ?? jitter
        return result
    }
}

/// What one level of the policy gives of `retry:`; nil leaves it to the level below (request > route > model > provider > defaults).
package struct RetryOverrides: Sendable, Equatable {
    package var retries: Int?
    package var delay: Duration?
    package var maxDelay: Duration?
    package var jitter: Double?

    package init() {}
}

/// `breaker:`, of defaults, a provider or a model; kept for provider and model together.
package struct BreakerSettings: Sendable, Equatable {
    /// Failures in a row that open it. At least 1.
    package var failures: Int = 3
    /// Open -> half-open. Doubles at each failed probe.
    package var cooldown: Duration = .seconds(30)
    package var maxCooldown: Duration = .seconds(300)
    /// Each cool-down is drawn from (1 - jitter)...(1 + jitter) of its length. 0 to 1.
    package var jitter: Double = 0.2
    /// Probes that must succeed in a row, one at a time, before it closes. At least 1.
    package var successes: Int = 2

    package init() {}
}
