package import ProviderKit

/// `breaker:`: when a failing model is skipped. A breaker belongs to a provider and model together.
package struct BreakerSettings: Sendable, Equatable {
    package var failures = 3
    /// From open to half-open. Doubles at each failed probe.
    package var cooldown: Duration = .seconds(30)
    package var maxCooldown: Duration = .seconds(300)
    /// 0 to 1.
    package var jitter = 0.2
    package var successes = 2
    /// The classes of failures that count.
    package var counts: Set<FailureClass> = [.unreachable, .reset, .timeout, .upstreamError]
    /// The classes of failures that open the breaker by themselves. `not_found` opens it for longer, and
    /// `provider_rejected` opens the breaker of the provider's account.
    package var opensAtOnce: Set<FailureClass> = [.notFound, .providerRejected]

    package init() {}

    /// No failure opens it: `breaker: off`.
    var isOff: Bool { counts.isEmpty && opensAtOnce.isEmpty }

    /// These settings, with what `overrides` sets in their place. A level that sets something turns a breaker on again.
    package func overridden(by overrides: BreakerOverrides) -> BreakerSettings {
        var base = self
        if isOff, overrides != BreakerOverrides() { (base.counts, base.opensAtOnce) = (Self().counts, Self().opensAtOnce) }
        return base.applying(overrides)
    }
}

/// What one level of the policy sets of `breaker:`; nil leaves an option to the level below.
package struct BreakerOverrides: Sendable, Equatable, OptionHolder {
    package var failures: Int?
    package var cooldown: Duration?
    package var maxCooldown: Duration?
    package var jitter: Double?
    package var successes: Int?
    package var counts: Set<FailureClass>?
    package var opensAtOnce: Set<FailureClass>?

    package init() {}
}

extension BreakerSettings: LayeredSettings {
    static let sectionName = "breaker"
    static let about =
        "may be set on defaults, a provider or a model: when a failing model is skipped, for each provider and model together; or off"
    static let shorthands = [(word: "off", overrides: off)]

    private static var off: BreakerOverrides {
        var overrides = BreakerOverrides()
        (overrides.counts, overrides.opensAtOnce) = ([], [])
        return overrides
    }

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
        .init("counts", \.counts, \.counts, .failures, help: "the classes of failures that count"),
        .init(
            "opens_at_once", \.opensAtOnce, \.opensAtOnce, .failures,
            help: "the classes of failures that open the breaker by themselves"),
    ]
}
