/// `defaults:`: what applies if no nearer level says otherwise.
package struct PolicyDefaults: Sendable, Equatable, OptionHolder {
    package var timeouts = Timeouts()
    package var retry = Retry()
    package var breaker = BreakerSettings()
    /// Of each model that sets none of its own.
    package var limits = Limits()
    package var failover = Failover()
    package var statistics = StatisticsSettings()
    package var maxModels = 4
    package var maxAttempts = 4
    /// The chain for every request without a fallback of its own, also for those that name a model.
    package var fallback: [RouteStep] = []

    package init() {}
}

/// `statistics:`: what is remembered of each model's attempts.
package struct StatisticsSettings: Sendable, Equatable, OptionHolder {
    package var window: Duration = .seconds(600)

    package init() {}
}
