import NIOCore
package import RoutingPolicy

/// The states of the models of a policy, and the limiters of its providers and keys.
package struct ModelStates: Sendable {
    /// In the order of `RoutingPolicy.models`.
    package let models: [ModelState]
    /// By the name of the provider.
    package let providerLimiters: [String: Limiter]
    /// The breaker of each provider's account, by the name of the provider.
    package let accounts: [String: SharedBreaker]
    /// By the name of the key.
    package let keyLimiters: [String: Limiter]
    let unlisted: UnlistedStates

    /// Creates the states of `policy` and reuses those parts of the running policy's states whose definition is
    /// unchanged: statistics with the same window, a breaker with the same settings, a limiter with the same limits. A
    /// model keeps its state only if its provider's instance and its upstream name are unchanged.
    ///
    /// - Parameter isKept: whether the provider with this index in `policy.providers` keeps its running instance.
    package static func provision(_ policy: RoutingPolicy, over running: ModelStates?, isKept: (Int) -> Bool) -> ModelStates {
        let kept = policy.providers.indices.map(isKept)
        var providerLimiters: [String: Limiter] = [:], accounts: [String: SharedBreaker] = [:]
        for (index, provider) in policy.providers.enumerated() {
            providerLimiters[provider.name] = limiter(provider.limits, over: kept[index] ? running?.providerLimiters[provider.name] : nil)
            accounts[provider.name] = (kept[index] ? running?.accounts[provider.name] : nil) ?? .account()
        }
        var keyLimiters: [String: Limiter] = [:]
        for key in policy.keys { keyLimiters[key.name] = limiter(key.limits, over: running?.keyLimiters[key.name]) }

        let known = Dictionary((running?.models ?? []).map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
        let models = policy.models.map { model in
            let provider = policy.providers[model.provider].name
            let key = ModelStateKey(provider: provider, name: model.name, upstream: model.upstream)
            return state(
                of: model, key, policy, account: accounts[provider] ?? .account(), provider: providerLimiters[provider],
                over: kept[model.provider] ? known[key] : nil)
        }
        let keptNames = Set(policy.providers.indices.filter { kept[$0] }.map { policy.providers[$0].name })
        return ModelStates(
            models: models, providerLimiters: providerLimiters, accounts: accounts, keyLimiters: keyLimiters,
            unlisted: running.map { UnlistedStates(keeping: $0.unlisted, of: keptNames) } ?? UnlistedStates())
    }

    /// A copy with the state of one more model, at the end, which the policy does not list.
    func adding(_ model: ModelDefinition, of policy: RoutingPolicy) -> ModelStates {
        let provider = policy.providers[model.provider].name
        let key = ModelStateKey(provider: provider, name: model.name, upstream: model.upstream)
        let state = unlisted.state(key) { known in
            Self.state(
                of: model, key, policy, account: accounts[provider] ?? .account(), provider: providerLimiters[provider], over: known)
        }
        return ModelStates(
            models: models + [state], providerLimiters: providerLimiters, accounts: accounts, keyLimiters: keyLimiters, unlisted: unlisted)
    }

    private init(
        models: [ModelState], providerLimiters: [String: Limiter], accounts: [String: SharedBreaker], keyLimiters: [String: Limiter],
        unlisted: UnlistedStates
    ) {
        self.models = models
        self.providerLimiters = providerLimiters
        self.accounts = accounts
        self.keyLimiters = keyLimiters
        self.unlisted = unlisted
    }

    private static func state(
        of model: ModelDefinition, _ key: ModelStateKey, _ policy: RoutingPolicy, account: SharedBreaker, provider: Limiter?,
        over known: ModelState?
    ) -> ModelState {
        let window = policy.defaults.statistics.window
        let breaker = policy.breaker(of: model), limits = policy.limits(of: model)
        guard let known else {
            return ModelState(
                key: key, statistics: ModelStatistics(window: window), breaker: SharedBreaker(breaker), account: account,
                limits: LimitChain(own: Limiter(limits), shared: provider), attemptsInFlight: Gauge())
        }
        let own = limiter(limits, over: known.limits.own)
        let hasSameLimits = own === known.limits.own && provider === known.limits.shared
        let hasSameBreaker = known.breaker.settings == breaker, hasSameWindow = known.statistics.window == window
        if hasSameLimits, hasSameBreaker, hasSameWindow { return known }
        return ModelState(
            key: key, statistics: hasSameWindow ? known.statistics : ModelStatistics(window: window),
            breaker: hasSameBreaker ? known.breaker : SharedBreaker(breaker), account: account,
            limits: LimitChain(own: own, shared: provider),
            attemptsInFlight: known.attemptsInFlight)
    }

    private static func limiter(_ limits: Limits, over known: Limiter?) -> Limiter? {
        if let known, known.limits == limits { return known }
        return Limiter(limits)
    }
}
