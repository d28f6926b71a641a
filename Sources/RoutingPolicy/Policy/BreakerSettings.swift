/// `breaker:`: when a failing model is skipped. A breaker belongs to a provider and model together.
package struct BreakerSettings: Sendable, Equatable {
    package var failures = 3
    /// From open to half-open. Doubles at each failed probe.
    package var cooldown: Duration = .seconds(30)
    package var maxCooldown: Duration = .seconds(300)
    /// 0 to 1.
    package var jitter = 0.2
    package var successes = 2

    package init() {}

    package func overridden(by overrides: BreakerOverrides) -> BreakerSettings { applying(overrides) }
}

/// What one level of the policy sets of `breaker:`; nil leaves an option to the level below.
package struct BreakerOverrides: Sendable, Equatable, OptionHolder {
    package var failures: Int?
    package var cooldown: Duration?
    package var maxCooldown: Duration?
    package var jitter: Double?
    package var successes: Int?

    package init() {}
}

extension BreakerSettings: LayeredSettings {
    static let sectionName = "breaker"
    static let about =
        "may be set on defaults, a provider or a model: when a failing model is skipped; kept for each provider and model together"

    static let layered: [LayeredOption<BreakerSettings, BreakerOverrides>] = [
        .init("failures", \.failures, \.failures, .integer(1...1000), help: "consecutive failures that open the breaker"),
        .init(
            "cooldown", \.cooldown, \.cooldown, .duration,
            help: "how long the breaker stays open before a probe; doubled at each failed probe"),
        .init("max_cooldown", \.maxCooldown, \.maxCooldown, .duration, help: "the longest time that the doubling of 'cooldown' can reach"),
        .init("jitter", \.jitter, \.jitter, .ratio, help: "each cooldown is drawn from 1 - jitter to 1 + jitter of its length"),
        .init(
            "successes", \.successes, \.successes, .integer(1...1000),
            help: "successful probes in a row, one at a time, that close the breaker again"),
    ]
}
