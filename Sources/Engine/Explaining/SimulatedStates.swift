import RoutingPolicy

/// Copies of the models' states, which a simulated call changes in place of the originals. A state is copied when the
/// call first reaches its model.
struct SimulatedStates {
    private let snapshot: Snapshot
    /// Returns the state of a model; nil for one that has served nothing yet.
    private let original: (Int) -> ModelState?
    private var models: [Int: ModelState] = [:]
    /// By the provider's index.
    private var accounts: [Int: SharedBreaker] = [:]
    private var limiters: [Int: Limiter?] = [:]

    init(_ snapshot: Snapshot, original: @escaping (Int) -> ModelState?) {
        self.snapshot = snapshot
        self.original = original
    }

    mutating func state(ofModel model: Int) -> ModelState {
        if let known = models[model] { return known }
        let definition = snapshot.models[model], original = original(model), provider = definition.provider
        let account = accounts[provider] ?? original?.account.copy() ?? .account()
        let limiter =
            limiters[provider] ?? (original.map { $0.limits.shared?.copy() } ?? Limiter(snapshot.policy.providers[provider].limits))
        let state = original?.copy(account: account, provider: limiter) ?? fresh(definition, account: account, provider: limiter)
        (models[model], accounts[provider], limiters[provider]) = (state, account, .some(limiter))
        return state
    }

    /// Whether no place is left in the model's queue.
    func isQueueFull(ofModel model: Int) -> Bool { original(model)?.limits.isQueueFull ?? false }

    private func fresh(_ model: ModelDefinition, account: SharedBreaker, provider: Limiter?) -> ModelState {
        let policy = snapshot.policy
        return ModelState(
            key: ModelStateKey(provider: policy.providers[model.provider].name, name: model.name, upstream: model.upstream),
            statistics: ModelStatistics(window: policy.defaults.statistics.window), breaker: SharedBreaker(policy.breaker(of: model)),
            account: account, limits: LimitChain(own: Limiter(policy.limits(of: model)), shared: provider), attemptsInFlight: Gauge())
    }
}
