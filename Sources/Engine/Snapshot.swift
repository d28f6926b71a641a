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
    /// By the first byte of the digest, so that a look-up compares few.
    private let keyIndices: [UInt8: [Int]]
    private let routeIndices: [String: Int]
    private let modelIndices: [String: [Int]]

    package init(policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], loadedAt: Int) {
        self.policy = policy
        self.generation = generation
        self.instances = instances
        self.loadedAt = loadedAt
        modelTimeouts = policy.models.map { model in
            policy.timeouts.overridden(by: policy.providers[model.provider].timeouts).overridden(by: model.timeouts)
        }
        keyIndices = Dictionary(grouping: policy.keys.indices) { policy.keys[$0].digest.first ?? 0 }
        routeIndices = Dictionary(policy.routes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
        var models: [String: [Int]] = [:]
        for (index, model) in policy.models.enumerated() {
            for name in Set([model.name, model.key, "\(policy.providers[model.provider].name)/\(model.name)"]) {
                models[name, default: []].append(index)
            }
        }
        modelIndices = models
        chains = policy.routes.indices.map { RouteChains(route: $0, policy: policy) }
        auto = routeIndices["auto"].map { [chains] in chains[$0] } ?? RouteChains(allOf: policy)
    }

    /// The key with this SHA-256. Each comparison takes the same time wherever the digests differ.
    package func key(digest: UnsafeRawBufferPointer) -> KeyDefinition? {
        for index in keyIndices[digest.first ?? 0] ?? [] {
            let known = policy.keys[index].digest
            guard known.count == digest.count else { continue }
            var difference: UInt8 = 0
            for position in known.indices { difference |= known[position] ^ digest[position] }
            if difference == 0 { return policy.keys[index] }
        }
        return nil
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

/// A route's models, flattened at load: each once, where it stands first. Models of providers that are off are left out of the chains.
package struct RouteChains: Sendable, Equatable {
    /// Index into `RoutingPolicy.routes`; nil for the `auto` of a policy without such a route.
    package var route: Int?
    /// Of `try`.
    package var tries: [Int]
    package var fallback: [Int]
    package var contextOverflow: [Int]?
    package var contentFilter: [Int]?
    /// All models that it names, those of providers that are off included.
    package var all: [Int]

    init(route: Int, policy: RoutingPolicy) {
        let definition = policy.routes[route]
        self.route = route
        let steps = Self.flatten(definition.steps, policy)
        let fallbacks = Self.flatten(definition.fallback, policy)
        let own = definition.fallbackOn.mapValues { Self.flatten($0, policy) }
        tries = Self.served(steps, policy)
        fallback = Self.served(fallbacks, policy)
        contextOverflow = own[.contextOverflow].map { Self.served($0, policy) }
        contentFilter = own[.contentFilter].map { Self.served($0, policy) }
        all = Self.unique(steps + fallbacks + (own[.contextOverflow] ?? []) + (own[.contentFilter] ?? []))
    }

    /// `auto` where the policy has no such route: every visible model, as listed.
    init(allOf policy: RoutingPolicy) {
        route = nil
        all = policy.models.indices.filter { !policy.models[$0].isHidden }
        tries = Self.served(all, policy)
        fallback = []
    }

    private static func flatten(_ steps: [RouteStep], _ policy: RoutingPolicy) -> [Int] {
        unique(steps.flatMap { step -> [Int] in
            switch step {
            case .models(let models): models
            case .selected(let selection): selection.models
            case .route(let route): flatten(policy.routes[route].steps, policy) + flatten(policy.routes[route].fallback, policy)
            }
        })
    }

    private static func served(_ models: [Int], _ policy: RoutingPolicy) -> [Int] {
        models.filter { policy.providers[policy.models[$0].provider].settings != nil }
    }

    private static func unique(_ models: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return models.filter { seen.insert($0).inserted }
    }
}
