package import RoutingPolicy

/// A policy in service: what a request reads, once, at its start. Nothing in it changes.
package final class Snapshot: Sendable {
    package let policy: RoutingPolicy
    /// Counts from 1 with each swap.
    package let generation: Int
    /// In the order of `policy.providers`; nil for one that is off.
    package let instances: [ProviderInstance?]
    /// A stamp: seconds since 1970 when this policy was put into service.
    package let loadedAt: Int
    /// In the order of `policy.routes`.
    package let chains: [RouteChains]
    /// What a request for `auto` follows.
    package let auto: RouteChains
    /// In the order of `policy.models`: defaults, provider and model.
    let modelTimeouts: [Timeouts]
    let modelRetry: [Retry]
    /// In the order of `policy.models`.
    let traits: [ModelTraits]
    /// In the order of `policy.models`. It outlives the policy, where the model's definition does.
    package let states: ModelStates

    /// From so many tokens on, prompt and answer, a request's number of tokens decides something: a model's context, or, from 0, a limit or the cost of a hedge.
    package let exactTokensFrom: Int
    /// By the first byte of the digest, so that a look-up compares few.
    private let keyIndices: [[Int]]
    private let routeIndices: [String: Int]
    private let modelIndices: [String: [Int]]

    init(policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], states: ModelStates, loadedAt: Int) {
        self.policy = policy
        self.generation = generation
        self.instances = instances
        self.loadedAt = loadedAt
        modelTimeouts = policy.models.map { model in
            policy.timeouts.overridden(by: policy.providers[model.provider].timeouts).overridden(by: model.timeouts)
        }
        modelRetry = policy.models.map { model in
            policy.retry.overridden(by: policy.providers[model.provider].retry).overridden(by: model.retry)
        }
        traits = policy.models.map(ModelTraits.init)
        self.states = states
        let limits = policy.models.map(\.limits) + policy.providers.map(\.limits) + policy.keys.map(\.limits)
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
        // 0 is for the rotation of names.
        var segmentCount = 1
        chains = policy.routes.indices.map { RouteChains(route: $0, policy: policy, segmentCount: &segmentCount) }
        auto = routeIndices["auto"].map { [chains] in chains[$0] } ?? RouteChains(allOf: policy, segmentCount: &segmentCount)
    }

    /// The same, as an object of its own for one event loop: a request counts references to it a dozen times, and a count that all loops share would
    /// travel between cores each time.
    init(_ shared: Snapshot) {
        policy = shared.policy
        generation = shared.generation
        instances = shared.instances
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

    /// The key with this SHA-256, as an index into `policy.keys`. Each comparison takes the same time wherever the digests differ.
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

    /// A route's own over the model's.
    func timeouts(ofModel model: Int, on route: Int?) -> Timeouts {
        route.map { modelTimeouts[model].overridden(by: policy.routes[$0].timeouts) } ?? modelTimeouts[model]
    }

    package func state(ofModel model: Int) -> ModelState { states.models[model] }

    /// nil: the key has no limits, or there is none.
    func limits(ofKey name: String?) -> LimitChain? {
        guard !states.keyLimiters.isEmpty, let name, let limiter = states.keyLimiters[name] else { return nil }
        return LimitChain(own: limiter)
    }

    package func route(named name: String) -> Int? { routeIndices[name] }

    /// The models of a name, a key, or `provider/name`, in the policy's order.
    package func models(named name: String) -> [Int] { modelIndices[name] ?? [] }

    package func instance(ofModel model: Int) -> ProviderInstance? { instances[policy.models[model].provider] }

    /// The environment variables for want of which these models' providers are off, in order.
    package func unsetVariables(of models: [Int]) -> [String] {
        var seen: [String] = []
        for model in models {
            for name in policy.providers[policy.models[model].provider].unset where !seen.contains(name) { seen.append(name) }
        }
        return seen
    }
}
