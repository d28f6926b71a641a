import NIOCore
package import RoutingPolicy

/// What a key has spent from a time on and before another one, in seconds since 1970, as far as it was recorded. nil as
/// the end: until now.
package typealias EarlierSpending = @Sendable (_ key: String, _ start: Int, _ end: Int?) -> Spending

/// The states of the models of a policy, the limiters of its providers and keys, and the accounts of its keys.
package struct ModelStates: Sendable {
    /// In the order of `RoutingPolicy.models`.
    package private(set) var models: [ModelState]
    /// By the name of the provider.
    package let providerLimiters: [String: Limiter]
    /// The breaker of each provider's account, by the name of the provider.
    package let accounts: [String: SharedBreaker]
    /// By the name of the key.
    package let keyLimiters: [String: Limiter]
    /// By the name of the key, for those that have a budget.
    package let keyAccounts: [String: KeyAccount]
    let unlisted: UnlistedStates

    /// Creates the states of `policy` and reuses those parts of the running policy's states whose definition is
    /// unchanged: statistics with the same window, a breaker with the same settings, a limiter with the same limits. A
    /// model keeps its state only if its provider's instance and its upstream name are unchanged.
    ///
    /// - Parameters:
    ///   - earlier: what a key has spent in the current period, for an account that begins.
    ///   - now: in seconds since 1970.
    ///   - isKept: whether the provider with this index in `policy.providers` keeps its running instance.
    package static func provision(
        _ policy: RoutingPolicy, over running: ModelStates?, spent earlier: EarlierSpending = { _, _, _ in Spending() },
        now: Int = 0, isKept: (Int) -> Bool
    ) -> ModelStates {
        let kept = policy.providers.indices.map(isKept)
        let isShared = policy.state.redis != nil
        var providerLimiters: [String: Limiter] = [:], accounts: [String: SharedBreaker] = [:]
        for (index, provider) in policy.providers.enumerated() {
            providerLimiters[provider.name] = limiter(
                provider.limits, over: kept[index] ? running?.providerLimiters[provider.name] : nil,
                sharedName: isShared ? SharedName(provider: provider.name) : nil)
            accounts[provider.name] = (kept[index] ? running?.accounts[provider.name] : nil) ?? .account()
        }
        var keyLimiters: [String: Limiter] = [:]
        for key in policy.keys { keyLimiters[key.name] = limiter(key.limits, over: running?.keyLimiters[key.name], isShared: isShared) }

        var keyAccounts: [String: KeyAccount] = [:]
        for key in policy.keys {
            guard let period = key.budget?.period else { continue }
            let known = running?.keyAccounts[key.name].flatMap { $0.period == period ? $0 : nil }
            let window = period.window(around: now)
            keyAccounts[key.name] = known ?? KeyAccount(period, spent: earlier(key.name, window.start, window.end), now: now)
        }

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
            models: models, providerLimiters: providerLimiters, accounts: accounts, keyLimiters: keyLimiters, keyAccounts: keyAccounts,
            unlisted: running.map { UnlistedStates(keeping: $0.unlisted, of: keptNames) } ?? UnlistedStates())
    }

    /// A copy whose models' states are objects of one event loop's own.
    func copiedForLoop() -> ModelStates {
        var copy = self
        copy.models = models.map { $0.copiedForLoop() }
        return copy
    }

    /// The state of a model that the policy does not list. Its statistics and its breaker are its own; a wildcard's
    /// limits bound all models together that it stands for.
    ///
    /// - Parameter wildcard: the wildcard that stands for the model, an index into the policy's models.
    func unlistedState(of model: ModelDefinition, wildcard: Int?, _ policy: RoutingPolicy) -> ModelState {
        let provider = policy.providers[model.provider].name
        let key = ModelStateKey(provider: provider, name: model.name, upstream: model.upstream)
        return unlisted.state(key) { known in
            Self.state(
                of: model, key, policy, account: accounts[provider] ?? .account(), provider: providerLimiters[provider], over: known,
                sharing: wildcard.map { models[$0] })
        }
    }

    /// The states of the models that a wildcard stands for, as far as they are kept.
    package func states(ofWildcard wildcard: Int) -> [ModelState] {
        unlisted.states.filter { $0.attemptsInFlight === models[wildcard].attemptsInFlight }
    }

    /// - Parameter wildcard: the state whose limits and count of attempts this one shares.
    private static func state(
        of model: ModelDefinition, _ key: ModelStateKey, _ policy: RoutingPolicy, account: SharedBreaker, provider: Limiter?,
        over known: ModelState?, sharing wildcard: ModelState? = nil
    ) -> ModelState {
        let window = policy.defaults.statistics.window
        let breaker = policy.breaker(of: model)
        let sharedName = policy.state.redis == nil ? nil : SharedName(key)
        let own = wildcard.map(\.limits.own) ?? limiter(policy.limits(of: model), over: known?.limits.own, sharedName: sharedName)
        let gauge = wildcard?.attemptsInFlight ?? known?.attemptsInFlight ?? Gauge()
        if let known, own === known.limits.own, provider === known.limits.shared, known.breaker.settings == breaker,
            known.statistics.window == window, known.attemptsInFlight === gauge
        {
            return known
        }
        let statistics = known.flatMap { $0.statistics.window == window ? $0.statistics : nil }
        return ModelState(
            key: key, statistics: statistics ?? ModelStatistics(window: window),
            breaker: known.flatMap { $0.breaker.settings == breaker ? $0.breaker : nil } ?? SharedBreaker(breaker), account: account,
            limits: LimitChain(own: own, shared: provider), attemptsInFlight: gauge)
    }

    private static func limiter(
        _ limits: Limits, over known: Limiter?, isShared: Bool = false, sharedName: SharedName? = nil
    ) -> Limiter? {
        if let known, known.limits == limits, known.isShared == isShared, known.sharedName == sharedName { return known }
        return Limiter(limits, isShared: isShared, sharedName: sharedName)
    }
}
