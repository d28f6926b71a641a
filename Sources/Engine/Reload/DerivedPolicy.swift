import ProviderKit
import RoutingPolicy

/// What is derived from a policy and doesn't change if a request adds a model to it.
struct DerivedPolicy: Sendable {
    let generation: Int
    let instances: [ProviderInstance?]
    let mask: SecretMask
    let loadedAt: Int
    let chains: [RouteChains]
    let auto: RouteChains
    let defaultFallback: RouteChains
    let exactTokensFrom: Int
    let readsTraits: Bool
    let sharesState: Bool
    /// The keys by the first byte of their digests, so that a lookup compares only a few.
    let keyIndices: [[Int]]
    /// The keys by their clients' certificates.
    let certificateIndices: [[UInt8]: Int]
    /// What each name means that clients use.
    private(set) var names: [String: Meaning]
    /// By `provider/name`.
    let qualifiedIndices: [String: Int]
    /// The wildcards, with the longest prefix first.
    let wildcards: [Int]

    /// What a name in the policy means.
    struct Meaning: Sendable {
        /// The route with this name; nil if there is none.
        var route: Int?
        /// The models with this name, in the policy's order.
        var models: [Int] = []
    }

    init(_ policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], loadedAt: Int) {
        self.generation = generation
        self.instances = instances
        let files = instances.flatMap { $0?.tokenFiles ?? [] }
        var secrets = instances.flatMap { $0?.provider.secrets ?? [] } + policy.keys.compactMap(\.secret)
        if let password = policy.state.redis?.password { secrets.append(password) }
        secrets += policy.telemetry.otlp?.headers.secrets ?? []
        let tokens: @Sendable () -> [Secret] = { files.flatMap { $0.tokens } }
        mask = SecretMask(secrets, changing: files.isEmpty ? nil : tokens)
        self.loadedAt = loadedAt
        sharesState = policy.state.redis != nil
        let limits = policy.models.map(policy.limits) + policy.providers.map(\.limits) + policy.keys.map(\.limits)
        let steps = policy.routes.flatMap(\.allSteps) + policy.defaults.fallback
        let isAlwaysExact =
            limits.contains { $0.tokensPerMinute != nil } || policy.routes.contains { $0.hedge?.maxCost != nil }
            || steps.contains { if case .selected(let selection) = $0 { selection.order == .cheapest } else { false } }
        exactTokensFrom = isAlwaysExact ? 0 : policy.models.compactMap(\.context).min() ?? .max
        readsTraits = policy.routes.contains { !$0.conditions.isEmpty || $0.sticky != nil }
        keyIndices = policy.keys.indices.reduce(into: Array(repeating: [], count: 256)) { indices, key in
            if let first = policy.keys[key].digest.first { indices[Int(first)].append(key) }
        }
        certificateIndices = Dictionary(
            policy.keys.enumerated().compactMap { index, key in key.certificate.map { ($0, index) } },
            uniquingKeysWith: { first, _ in first })
        let named = policy.models.indices.filter { !policy.models[$0].isWildcard }
        var names: [String: Meaning] = [:]
        for (index, route) in policy.routes.enumerated() where names[route.name] == nil { names[route.name] = Meaning(route: index) }
        for index in named { names[policy.models[index].name, default: Meaning()].models.append(index) }
        self.names = names
        qualifiedIndices = Dictionary(
            named.map { ("\(policy.providers[policy.models[$0].provider].name)/\(policy.models[$0].name)", $0) },
            uniquingKeysWith: { first, _ in first })
        wildcards = policy.models.indices.filter { policy.models[$0].isWildcard }.sorted {
            policy.models[$0].key.utf8.count > policy.models[$1].key.utf8.count
        }
        // Segment 0 is the rotation of models with the same name.
        var segmentCount = 1
        chains = policy.routes.indices.map { RouteChains(route: $0, policy: policy, segmentCount: &segmentCount) }
        auto = names["auto"]?.route.map { [chains] in chains[$0] } ?? RouteChains(allOf: policy, segmentCount: &segmentCount)
        defaultFallback = RouteChains(defaultFallbackOf: policy, segmentCount: &segmentCount)
    }
}

extension DerivedPolicy {
    /// A copy whose table of names shares no storage with this one.
    func copiedForLoop() -> DerivedPolicy {
        var copy = self
        copy.names = names.mapValues { Meaning(route: $0.route, models: $0.models.map { $0 }) }
        return copy
    }
}

extension RouteDefinition {
    fileprivate var allSteps: [RouteStep] { steps + (fallback ?? []) + fallbackOn.values.joined() }
}
