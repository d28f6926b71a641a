package import RoutingPolicy

/// A policy in service, with everything that is derived from it. It is immutable, and a request reads it once, at its
/// start.
package final class Snapshot: Sendable {
    package let policy: RoutingPolicy
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
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    let modelTimeouts: [Timeouts]
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    let modelRetry: [Retry]
    /// In the order of `policy.models`.
    let traits: [ModelTraits]
    /// In the order of `policy.models`. A state outlives this policy if the model's definition stays the same.
    package let states: ModelStates

    /// The lowest number of tokens, prompt and response together, from which on the exact estimate matters. It is the
    /// smallest context of a model, or 0 if the policy limits tokens per minute or the cost of a hedge.
    package let exactTokensFrom: Int
    /// The keys by the first byte of their digests, so that a lookup compares only a few.
    private let keyIndices: [[Int]]
    private let routeIndices: [String: Int]
    private let modelIndices: [String: [Int]]

    init(policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], states: ModelStates, loadedAt: Int) {
        self.policy = policy
        self.generation = generation
        self.instances = instances
        mask = SecretMask(instances.flatMap { $0?.provider.secrets ?? [] } + policy.keys.compactMap(\.secret))
        self.loadedAt = loadedAt
        modelTimeouts = policy.models.map { model in
            policy.defaults.timeouts.overridden(by: policy.providers[model.provider].timeouts).overridden(by: model.timeouts)
        }
        modelRetry = policy.models.map { model in
            policy.defaults.retry.overridden(by: policy.providers[model.provider].retry).overridden(by: model.retry)
        }
        traits = policy.models.map(ModelTraits.init)
        self.states = states
        let limits = policy.models.map(policy.limits) + policy.providers.map(\.limits) + policy.keys.map(\.limits)
        let isAlwaysExact = limits.contains { $0.tokensPerMinute != nil } || policy.routes.contains { $0.hedge?.maxCost != nil }
        exactTokensFrom = isAlwaysExact ? 0 : policy.models.compactMap(\.context).min() ?? .max
        keyIndices = policy.keys.indices.reduce(into: Array(repeating: [], count: 256)) {
            $0[Int(policy.keys[$1].digest.first ?? 0)].append($1)
        }
        routeIndices = Dictionary(policy.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        var models: [String: [Int]] = [:]
        for (index, model) in policy.models.enumerated() {
            for name in Set([model.name, model.key, "\(policy.providers[model.provider].name)/\(model.name)"]) {
                models[name, default: []].append(index)
            }
        }
        modelIndices = models
        // Segment 0 is the rotation of models with the same name.
        var segmentCount = 1
        chains = policy.routes.indices.map { RouteChains(route: $0, policy: policy, segmentCount: &segmentCount) }
        auto = routeIndices["auto"].map { [chains] in chains[$0] } ?? RouteChains(allOf: policy, segmentCount: &segmentCount)
    }

    /// A copy for one event loop. A request retains the snapshot a dozen times, and a reference count that all loops
    /// share would move between cores each time.
    init(_ shared: Snapshot) {
        policy = shared.policy
        generation = shared.generation
        instances = shared.instances
        mask = shared.mask
        loadedAt = shared.loadedAt
        chains = shared.chains
        auto = shared.auto
        modelTimeouts = shared.modelTimeouts
        modelRetry = shared.modelRetry
        traits = shared.traits
        states = shared.states
        exactTokensFrom = shared.exactTokensFrom
        keyIndices = shared.keyIndices
        routeIndices = shared.routeIndices
        modelIndices = shared.modelIndices
    }

    /// The index in `policy.keys` of the key with this SHA-256 digest. Each comparison takes the same time, regardless
    /// of where the digests differ.
    package func key(digest: [UInt8]) -> Int? {
        for index in keyIndices[Int(digest.first ?? 0)] {
            let known = policy.keys[index].digest
            guard known.count == digest.count else { continue }
            var difference: UInt8 = 0
            for position in known.indices { difference |= known[position] ^ digest[position] }
            if difference == 0 { return index }
        }
        return nil
    }

    /// The timeouts of the model, overridden by those of the route.
    func timeouts(ofModel model: Int, on route: Int?) -> Timeouts {
        route.map { modelTimeouts[model].overridden(by: policy.routes[$0].timeouts) } ?? modelTimeouts[model]
    }

    package func state(ofModel model: Int) -> ModelState { states.models[model] }

    /// nil if the key has no limits, or if there is no key.
    func limits(ofKey name: String?) -> LimitChain? {
        guard !states.keyLimiters.isEmpty, let name, let limiter = states.keyLimiters[name] else { return nil }
        return LimitChain(own: limiter)
    }

    package func route(named name: String) -> Int? { routeIndices[name] }

    /// The models with this name or `provider/name`, in the policy's order.
    package func models(named name: String) -> [Int] { modelIndices[name] ?? [] }

    package func instance(ofModel model: Int) -> ProviderInstance? { instances[policy.models[model].provider] }

    /// The unset environment variables because of which the providers of these models are off, in order.
    package func unsetVariables(of models: [Int]) -> [String] {
        var seen: [String] = []
        for model in models {
            for name in policy.providers[policy.models[model].provider].unset where !seen.contains(name) { seen.append(name) }
        }
        return seen
    }
}
