import RoutingPolicy

/// A policy in service. It is immutable, and a request reads it once, at its start.
///
/// Each event loop has its own reference to the same values: a request retains its snapshot a dozen times, and a
/// reference count that all loops share would move between cores each time.
@dynamicMemberLookup
package final class Snapshot: Sendable {
    private let content: ProvisionedPolicy

    init(_ content: ProvisionedPolicy) { self.content = content }

    /// A snapshot of the same policy, for one event loop.
    convenience init(_ shared: Snapshot) { self.init(shared.content) }

    package subscript<Value>(dynamicMember member: KeyPath<ProvisionedPolicy, Value>) -> Value { content[keyPath: member] }

    /// The index in `policy.keys` of the key with this SHA-256 digest. Each comparison takes the same time, regardless
    /// of where the digests differ.
    package func key(digest: [UInt8]) -> Int? {
        for index in content.keyIndices[Int(digest.first ?? 0)] {
            let known = content.policy.keys[index].digest
            guard known.count == digest.count else { continue }
            var difference: UInt8 = 0
            for position in known.indices { difference |= known[position] ^ digest[position] }
            if difference == 0 { return index }
        }
        return nil
    }

    /// The timeouts of the model, overridden by those of the route.
    func timeouts(ofModel model: Int, on route: Int?) -> Timeouts {
        route.map { content.modelTimeouts[model].overridden(by: content.policy.routes[$0].timeouts) } ?? content.modelTimeouts[model]
    }

    package func state(ofModel model: Int) -> ModelState { content.states.models[model] }

    /// nil if the key has no limits, or if there is no key.
    func limits(ofKey name: String?) -> LimitChain? {
        guard !content.states.keyLimiters.isEmpty, let name, let limiter = content.states.keyLimiters[name] else { return nil }
        return LimitChain(own: limiter)
    }

    package func route(named name: String) -> Int? { content.routeIndices[name] }

    /// The models with this name, in the policy's order; or else the one that is `provider/name`.
    package func models(named name: String) -> [Int] { content.modelIndices[name] ?? content.qualifiedIndices[name].map { [$0] } ?? [] }

    /// The provider's model with this name; or else the unlisted model, which has that name.
    func models(named name: String, of provider: String) -> [Int] {
        let named = (content.modelIndices[name] ?? []).filter {
            content.policy.providers[content.policy.models[$0].provider].name == provider
        }
        return named.isEmpty ? content.unlistedModel.map { [$0] } ?? [] : named
    }

    /// This policy; or a copy that also has the request's `fallback_model`, if that is not one of the policy's models.
    /// With a `fallback_provider` it may be any model of that provider, if a pattern in the key's scope matches
    /// `provider/name`.
    package func including(fallbackOf request: PlanRequest) -> Snapshot {
        guard let fields = request.overrides?.fields, let name = fields.fallbackModel, let provider = fields.fallbackProvider,
            let index = content.policy.providers.firstIndex(where: { $0.name == provider }), models(named: name, of: provider).isEmpty,
            request.scope?.hasPattern(matching: "\(provider)/\(name)") != false
        else { return self }
        var model = ModelDefinition(key: name, provider: index)
        model.serves = [request.operation]
        var extended = content
        extended.add(model)
        return Snapshot(extended)
    }

    /// The model's label in metrics. A name that comes from a client is not one.
    func metricLabel(ofModel model: Int) -> String { model == content.unlistedModel ? "other" : content.policy.models[model].name }

    package func instance(ofModel model: Int) -> ProviderInstance? { content.instances[content.policy.models[model].provider] }

    /// The unset environment variables because of which the providers of these models are off, in order.
    package func unsetVariables(of models: [Int]) -> [String] {
        var seen: [String] = []
        for model in models {
            for name in content.policy.providers[content.policy.models[model].provider].unset where !seen.contains(name) {
                seen.append(name)
            }
        }
        return seen
    }
}
