package import NIOCore
package import RoutingPolicy

/// A policy in service, with everything that is derived from it. It is immutable, and a request reads it once, at its
/// start.
package final class Snapshot: Sendable {
    package let policy: RoutingPolicy
    /// The models of the policy, and in the copy for a request also those of the request that the policy doesn't list.
    package let models: [ModelDefinition]
    /// What belongs to the models behind those of the policy; empty for most requests.
    let unlisted: [UnlistedModel]
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    private let modelTimeouts: [Timeouts]
    /// In the order of `policy.models`, combined from the defaults, the provider and the model.
    private let modelRetry: [Retry]
    /// In the order of `policy.models`.
    let traits: [ModelTraits]
    /// In the order of `policy.models`. A state outlives this policy if the model's definition stays the same.
    package let states: ModelStates
    private let derived: DerivedPolicy

    init(policy: RoutingPolicy, generation: Int, instances: [ProviderInstance?], states: ModelStates, loadedAt: Int) {
        self.policy = policy
        models = policy.models
        unlisted = []
        modelTimeouts = policy.models.map(policy.timeouts)
        modelRetry = policy.models.map(policy.retry)
        traits = policy.models.map(ModelTraits.init)
        self.states = states
        derived = DerivedPolicy(policy, generation: generation, instances: instances, loadedAt: loadedAt)
    }

    /// An event loop's own copy, with own objects for whatever each request retains: a reference count that all loops
    /// change would move between cores each time.
    convenience init(forLoop shared: Snapshot) {
        self.init(shared, adding: [], states: shared.states.copiedForLoop(), derived: shared.derived.copiedForLoop())
    }

    /// A copy for one request.
    ///
    /// - Parameter unlisted: the models of the request that the policy doesn't list.
    convenience init(_ snapshot: Snapshot, adding unlisted: [UnlistedModel]) {
        self.init(snapshot, adding: unlisted, states: snapshot.states, derived: snapshot.derived)
    }

    private init(_ other: Snapshot, adding unlisted: [UnlistedModel], states: ModelStates, derived: DerivedPolicy) {
        policy = other.policy
        models = other.policy.models + unlisted.map(\.definition)
        self.unlisted = unlisted
        modelTimeouts = other.modelTimeouts
        modelRetry = other.modelRetry
        traits = other.traits
        self.states = states
        self.derived = derived
    }

    /// The number of the snapshot, starting from 1.
    package var generation: Int { derived.generation }
    /// In the order of `policy.providers`; nil for a provider that is off.
    package var instances: [ProviderInstance?] { derived.instances }
    /// Masks the secrets of the providers and the keys in texts from outside.
    package var mask: SecretMask { derived.mask }
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

    /// Whether a route has conditions or is sticky, so that requests need their `RequestTraits`.
    package var readsTraits: Bool { derived.readsTraits }

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

    /// The index in `policy.keys` of the key that the certificate with this SHA-256 digest identifies.
    package func key(certificate digest: [UInt8]) -> Int? { derived.certificateIndices[digest] }

    /// The timeouts of the model, combined from the defaults, the provider and the model.
    func timeouts(ofModel model: Int) -> Timeouts { unlisted(model)?.timeouts ?? modelTimeouts[model] }

    /// The `total` timeout of the model, without a copy of the others.
    func totalTimeout(ofModel model: Int) -> Duration { unlisted(model)?.timeouts.total ?? modelTimeouts[model].total }

    /// The timeouts of the model, overridden by those of the route.
    func timeouts(ofModel model: Int, on route: Int?) -> Timeouts {
        guard let route else { return timeouts(ofModel: model) }
        return timeouts(ofModel: model).overridden(by: policy.routes[route].timeouts)
    }

    /// The retry settings of the model, combined from the defaults, the provider and the model.
    func retry(ofModel model: Int) -> Retry { unlisted(model)?.retry ?? modelRetry[model] }

    package func state(ofModel model: Int) -> ModelState {
        model < states.models.count ? states.models[model] : unlisted[model - states.models.count].state
    }

    /// Whether a request for the model would be sent now, or after waiting for a slot.
    package func isUsable(model index: Int, now: NIODeadline) -> Bool {
        guard instance(ofModel: index) != nil else { return false }
        let availability = state(ofModel: index).availability(now: now)
        return availability.isAvailable || availability == .full
    }

    /// Whether a key has limits or a budget.
    var hasBoundedKeys: Bool { !states.keyLimiters.isEmpty || !states.keyAccounts.isEmpty }

    /// Whether several routers count together.
    package var sharesState: Bool { derived.sharesState }

    /// The share of the requests whose traces are sampled; nil if requests aren't traced.
    package var traceSample: Double? { policy.telemetry.otlp?.sample }

    /// nil if the key has no limits.
    func limits(ofKey name: String) -> LimitChain? {
        states.keyLimiters[name].map { LimitChain(own: $0) }
    }

    /// nil if the key has no budget.
    func budget(of key: KeyDefinition) -> KeyBudget? {
        guard let terms = key.budget, let account = states.keyAccounts[key.name] else { return nil }
        return KeyBudget(terms: terms, account: account)
    }

    var hasWildcards: Bool { !derived.wildcards.isEmpty }

    package func route(named name: String) -> Int? { meaning(of: name)?.route }

    /// What the name means in the policy; nil if it is none of its names.
    func meaning(of name: String) -> DerivedPolicy.Meaning? { derived.names[name] }

    /// The models with this name, in the policy's order; or else the one that is `provider/name`; or else the one that
    /// a wildcard stands for, if the snapshot includes it.
    package func models(named name: String) -> [Int] { models(named: name, meaning(of: name)) }

    func models(named name: String, _ meaning: DerivedPolicy.Meaning?) -> [Int] {
        if let meaning, !meaning.models.isEmpty { return meaning.models }
        return derived.qualifiedIndices[name].map { [$0] }
            ?? unlisted { $0.wildcard != nil && $0.definition.name == name }
    }

    /// The provider's model with this name; or else the unlisted one, if the snapshot includes it.
    func models(named name: String, of provider: String) -> [Int] {
        let named = (meaning(of: name)?.models ?? []).filter { policy.providers[policy.models[$0].provider].name == provider }
        return named.isEmpty
            ? unlisted {
                $0.wildcard == nil && $0.definition.name == name && policy.providers[$0.definition.provider].name == provider
            } : named
    }

    /// Whether the model is one of a request, which the policy doesn't list and the key may use.
    package func isUnlisted(_ model: Int) -> Bool { unlisted(model) != nil }

    /// The model of the request with this index; nil for a model of the policy.
    func unlisted(_ model: Int) -> UnlistedModel? {
        model < policy.models.count ? nil : unlisted[model - policy.models.count]
    }

    private func unlisted(_ condition: (UnlistedModel) -> Bool) -> [Int] {
        unlisted.firstIndex(where: condition).map { [policy.models.count + $0] } ?? []
    }

    /// The wildcard that stands for models with this name: the one with the longest prefix.
    package func wildcard(for name: String) -> Int? {
        derived.wildcards.first { policy.models[$0].model(named: name) != nil }
    }

    /// The model's names in metrics. A name that comes from a client is not one: such a model has the wildcard's, or
    /// none.
    package func metricName(ofModel model: Int) -> ModelName {
        let unlisted = unlisted(model)
        return ModelName(
            provider: policy.providers[models[model].provider].name,
            model: unlisted == nil ? models[model].name : unlisted?.wildcard.map { policy.models[$0].name } ?? "other")
    }

    /// The model's name and its provider's.
    package func name(ofModel model: Int) -> ModelName {
        ModelName(provider: policy.providers[models[model].provider].name, model: models[model].name)
    }

    package func instance(ofModel model: Int) -> ProviderInstance? { instances[models[model].provider] }

    /// The unset environment variables because of which the providers of these models are off, in order.
    package func unsetVariables(of models: [Int]) -> [String] {
        var seen: [String] = []
        for model in models {
            for name in policy.providers[self.models[model].provider].unset where !seen.contains(name) { seen.append(name) }
        }
        return seen
    }
}
