package import RoutingPolicy

/// A policy with everything that is derived from it.
package struct ProvisionedPolicy: Sendable {
    package private(set) var policy: RoutingPolicy
    /// The number of the snapshot, starting from 1.
    package let generation: Int
    /// In the order of `policy.providers`; nil for a provider that is off.
    package let instances: [ProviderInstance?]
    /// Masks the secrets of the providers and the keys in texts from outside.
    package let mask: SecretMask
    /// When this policy was loaded, in seconds since 1970.
    package let loadedAt: Int
    /// In the order of `policy.routes`.
    package let chains: [RouteChains]
    /// The candidates of a request for `auto`.
    package let auto: RouteChains
    /// `defaults.fallback`.
    let defaultFallback: RouteChains
    /// The index of the model that this policy has beyond those of the policy file: the `fallback_model` of one
    /// request. nil in every other one.
    package private(set) var unlistedModel: Int?
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    private(set) var modelTimeouts: [Timeouts]
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    private(set) var modelRetry: [Retry]
    /// In the order of `policy.models`.
    private(set) var traits: [ModelTraits]
    /// In the order of `policy.models`. A state outlives this policy if the model's definition stays the same.
    package private(set) var states: ModelStates

    /// The lowest number of tokens, prompt and response together, from which on the exact estimate matters. It is the
    /// smallest context of a model, or 0 if the policy limits tokens per minute or the cost of a hedge.
    package let exactTokensFrom: Int
    /// The keys by the first byte of their digests, so that a lookup compares only a few.
    let keyIndices: [[Int]]
    let routeIndices: [String: Int]
    /// By the name that clients use.
    let modelIndices: [String: [Int]]
    /// By `provider/name`.
    let qualifiedIndices: [String: Int]

    init(policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], states: ModelStates, loadedAt: Int) {
        self.policy = policy
        self.generation = generation
        self.instances = instances
        mask = SecretMask(instances.flatMap { $0?.provider.secrets ?? [] } + policy.keys.compactMap(\.secret))
        self.loadedAt = loadedAt
        unlistedModel = nil
        modelTimeouts = policy.models.map(policy.timeouts)
        modelRetry = policy.models.map(policy.retry)
        traits = policy.models.map(ModelTraits.init)
        self.states = states
        let limits = policy.models.map(policy.limits) + policy.providers.map(\.limits) + policy.keys.map(\.limits)
        let isAlwaysExact = limits.contains { $0.tokensPerMinute != nil } || policy.routes.contains { $0.hedge?.maxCost != nil }
        exactTokensFrom = isAlwaysExact ? 0 : policy.models.compactMap(\.context).min() ?? .max
        keyIndices = policy.keys.indices.reduce(into: Array(repeating: [], count: 256)) {
            $0[Int(policy.keys[$1].digest.first ?? 0)].append($1)
        }
        routeIndices = Dictionary(policy.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        modelIndices = Dictionary(grouping: policy.models.indices) { policy.models[$0].name }
        qualifiedIndices = Dictionary(
            policy.models.enumerated().map { ("\(policy.providers[$1.provider].name)/\($1.name)", $0) },
            uniquingKeysWith: { first, _ in first })
        // Segment 0 is the rotation of models with the same name.
        var segmentCount = 1
        chains = policy.routes.indices.map { RouteChains(route: $0, policy: policy, segmentCount: &segmentCount) }
        auto = routeIndices["auto"].map { [chains] in chains[$0] } ?? RouteChains(allOf: policy, segmentCount: &segmentCount)
        defaultFallback = RouteChains(defaultFallbackOf: policy, segmentCount: &segmentCount)
    }

    /// Adds a model at the end, for one request.
    mutating func add(_ model: ModelDefinition) {
        unlistedModel = policy.models.count
        modelTimeouts.append(policy.timeouts(of: model))
        modelRetry.append(policy.retry(of: model))
        traits.append(ModelTraits(model))
        states = states.adding(model, of: policy)
        policy.models.append(model)
    }
}
