package import RoutingPolicy

/// A policy in service, with everything that is derived from it. It is immutable, and a request reads it once, at its
/// start.
package final class Snapshot: Sendable {
    package let policy: RoutingPolicy
    /// The index of the model that this copy has beyond those of the policy file: the `fallback_model` of one request.
    /// nil in every other snapshot.
    package let unlistedModel: Int?
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    let modelTimeouts: [Timeouts]
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    let modelRetry: [Retry]
    /// In the order of `policy.models`.
    let traits: [ModelTraits]
    /// In the order of `policy.models`. A state outlives this policy if the model's definition stays the same.
    package let states: ModelStates
    private let derived: DerivedPolicy

    init(policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], states: ModelStates, loadedAt: Int) {
        self.policy = policy
        unlistedModel = nil
        modelTimeouts = policy.models.map(policy.timeouts)
        modelRetry = policy.models.map(policy.retry)
        traits = policy.models.map(ModelTraits.init)
        self.states = states
        derived = DerivedPolicy(policy, generation: generation, instances: instances, loadedAt: loadedAt)
    }

    /// A copy for one event loop. A request retains the snapshot a dozen times, and a reference count that all loops
    /// share would move between cores each time.
    init(_ shared: Snapshot) {
        policy = shared.policy
        unlistedModel = shared.unlistedModel
        modelTimeouts = shared.modelTimeouts
        modelRetry = shared.modelRetry
        traits = shared.traits
        states = shared.states
        derived = shared.derived
    }

    /// A copy for one request, with one more model at the end.
    private init(_ shared: Snapshot, adding model: ModelDefinition) {
        var policy = shared.policy
        policy.models.append(model)
        self.policy = policy
        unlistedModel = shared.policy.models.count
        modelTimeouts = shared.modelTimeouts + [policy.timeouts(of: model)]
        modelRetry = shared.modelRetry + [policy.retry(of: model)]
        traits = shared.traits + [ModelTraits(model)]
        states = shared.states.adding(model, of: policy)
        derived = shared.derived
    }

    /// The number of the snapshot, starting from 1.
    package var generation: Int { derived.generation }
    /// In the order of `policy.providers`; nil for a provider that is off.
    package var instances: [ProviderInstance?] { derived.instances }
    /// Masks the secrets of the providers and the keys in texts from outside.
    package var mask: SecretMask { derived.mask.current }
    /// When this policy was loaded, in seconds since 1970.
    package var loadedAt: Int { derived.loadedAt }
    /// In the order of `policy.routes`.
    package var chains: [RouteChains] { derived.chains }
    /// The candidates of a request for `auto`.
    package var auto: RouteChains { derived.auto }
    /// `defaults.fallback`.
    var defaultFallback: RouteChains { derived.defaultFallback }
    /// The lowest number of tokens, prompt and response together, from which on the exact estimate matters. It is the
    /// smallest context of a model, or 0 if the policy limits tokens per minute or the cost of a hedge.
    package var exactTokensFrom: Int { derived.exactTokensFrom }

    /// The index in `policy.keys` of the key with this SHA-256 digest. Each comparison takes the same time, regardless
    /// of where the digests differ.
    package func key(digest: [UInt8]) -> Int? {
        for index in derived.keyIndices[Int(digest.first ?? 0)] {
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

    package func route(named name: String) -> Int? { derived.routeIndices[name] }

    /// The models with this name, in the policy's order; or else the one that is `provider/name`.
    package func models(named name: String) -> [Int] { derived.modelIndices[name] ?? derived.qualifiedIndices[name].map { [$0] } ?? [] }

    /// The provider's model with this name; or else the unlisted model, which has that name.
    func models(named name: String, of provider: String) -> [Int] {
        let named = (derived.modelIndices[name] ?? []).filter { policy.providers[policy.models[$0].provider].name == provider }
        return named.isEmpty ? unlistedModel.map { [$0] } ?? [] : named
    }

    /// This policy; or a copy that also has the request's `fallback_model`, if that is not one of the policy's models.
    /// With a `fallback_provider` it may be any model of that provider, if a pattern in the key's scope matches
    /// `provider/name`.
    package func including(fallbackOf request: PlanRequest) -> Snapshot {
        guard let fields = request.overrides?.fields, let name = fields.fallbackModel, let provider = fields.fallbackProvider,
            let index = policy.providers.firstIndex(where: { $0.name == provider }), models(named: name, of: provider).isEmpty,
            request.scope?.hasPattern(matching: "\(provider)/\(name)") != false
        else { return self }
        var model = ModelDefinition(key: name, provider: index)
        model.serves = [request.operation]
        return Snapshot(self, adding: model)
    }

    /// The model's names in metrics. A name that comes from a client is not one.
    package func metricName(ofModel model: Int) -> ModelName {
        ModelName(
            provider: policy.providers[policy.models[model].provider].name,
            model: model == unlistedModel ? "other" : policy.models[model].name)
    }

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
