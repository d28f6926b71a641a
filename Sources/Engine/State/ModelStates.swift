import NIOCore
package import RoutingPolicy

/// The states of a policy's models, and the limiters of its providers and keys.
package struct ModelStates: Sendable {
    /// In the order of `RoutingPolicy.models`.
    package let models: [ModelState]
    /// What a plan reads of each, side by side: it may read a thousand.
    private let parts: [Parts]
    /// By name, as the one below.
    package let providerLimiters: [String: Limiter]
    package let keyLimiters: [String: Limiter]

    /// Those of `policy`, over those of the policy that runs. What is defined as before is kept: statistics while their window is the same, a breaker while
    /// its settings are, a limiter while its limits are; all of a model only while its provider's instance and its upstream name stay.
    ///
    /// - Parameter isKept: whether a provider, an index into `policy.providers`, keeps its running instance.
    package static func provision(_ policy: RoutingPolicy, over running: ModelStates?, isKept: (Int) -> Bool) -> ModelStates {
        let kept = policy.providers.indices.map(isKept)
        var providerLimiters: [String: Limiter] = [:]
        for (index, provider) in policy.providers.enumerated() {
            providerLimiters[provider.name] = limiter(provider.limits, over: kept[index] ? running?.providerLimiters[provider.name] : nil)
        }
        var keyLimiters: [String: Limiter] = [:]
        for key in policy.keys { keyLimiters[key.name] = limiter(key.limits, over: running?.keyLimiters[key.name]) }

        let known = Dictionary((running?.models ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let models = policy.models.map { model in
            let provider = policy.providers[model.provider].name
            let key = ModelStateKey(provider: provider, name: model.name, upstream: model.upstream)
            return state(of: model, key, policy, provider: providerLimiters[provider], over: kept[model.provider] ? known[key] : nil)
        }
        return ModelStates(models: models, providerLimiters: providerLimiters, keyLimiters: keyLimiters)
    }

    private init(models: [ModelState], providerLimiters: [String: Limiter], keyLimiters: [String: Limiter]) {
        self.models = models
        self.providerLimiters = providerLimiters
        self.keyLimiters = keyLimiters
        parts = models.map(Parts.init)
    }

    /// As `ModelState.availability`.
    @inline(__always)
    func availability(ofModel index: Int, now: NIODeadline) -> Availability {
        let parts = parts[index]
        if parts.isLimited { return models[index].availability(now: now) }
        return parts.breaker._withUnsafeGuaranteedRef { $0.availability(now: now) }
    }

    @inline(__always)
    func statistics(ofModel index: Int, now: NIODeadline) -> StatisticsSummary {
        parts[index].statistics._withUnsafeGuaranteedRef { $0.summary(now: now) }
    }

    /// References to parts of a state that `models` holds. They aren't counted, which would cost more than what is read.
    private struct Parts {
        let breaker: Unmanaged<SharedBreaker>
        let statistics: Unmanaged<ModelStatistics>
        let isLimited: Bool

        init(_ state: ModelState) {
            breaker = .passUnretained(state.breaker)
            statistics = .passUnretained(state.statistics)
            isLimited = !state.limits.isEmpty
        }
    }

    private static func state(
        of model: ModelDefinition, _ key: ModelStateKey, _ policy: RoutingPolicy, provider: Limiter?, over known: ModelState?
    ) -> ModelState {
        let window = policy.statisticsWindow
        guard let known else {
            return ModelState(
                key: key, statistics: ModelStatistics(window: window), breaker: SharedBreaker(model.breaker),
                limits: LimitChain(own: Limiter(model.limits), shared: provider), underWay: Gauge())
        }
        let own = limiter(model.limits, over: known.limits.own)
        let hasSameLimits = own === known.limits.own && provider === known.limits.shared
        let hasSameBreaker = known.breaker.settings == model.breaker, hasSameWindow = known.statistics.window == window
        if hasSameLimits, hasSameBreaker, hasSameWindow { return known }
        return ModelState(
            key: key, statistics: hasSameWindow ? known.statistics : ModelStatistics(window: window),
            breaker: hasSameBreaker ? known.breaker : SharedBreaker(model.breaker), limits: LimitChain(own: own, shared: provider),
            underWay: known.underWay)
    }

    private static func limiter(_ limits: Limits, over known: Limiter?) -> Limiter? {
        if let known, known.limits == limits { return known }
        return Limiter(limits)
    }
}
