import RoutingPolicy

extension Snapshot {
    /// This snapshot; or a copy that also has the models of the request that the policy doesn't list and the key may
    /// use:
    ///
    /// - the models that wildcards stand for, for names in `model` and `fallback_model`;
    /// - a `fallback_model` with a `fallback_provider`, which may be any model of that provider. A key with a scope
    ///   needs a pattern that matches `provider/name`.
    package func including(unlistedOf request: PlanRequest) -> Snapshot {
        let fields = request.overrides?.fields
        guard hasWildcards || fields?.fallbackProvider != nil else { return self }
        var unlisted: [UnlistedModel] = []
        if hasWildcards {
            for name in request.models { add(name, request.scope, to: &unlisted) }
            if let name = fields?.fallbackModel, fields?.fallbackProvider == nil { add(name, request.scope, to: &unlisted) }
        }
        if let name = fields?.fallbackModel, let provider = fields?.fallbackProvider,
            let index = policy.providers.firstIndex(where: { $0.name == provider }), models(named: name, of: provider).isEmpty,
            request.scope?.hasPattern(matching: "\(provider)/\(name)") != false
        {
            var model = ModelDefinition(key: name, provider: index)
            model.serves = [request.operation]
            unlisted.append(unlistedModel(model, wildcard: nil))
        }
        return unlisted.isEmpty ? self : Snapshot(self, adding: unlisted)
    }

    /// Adds the model that a wildcard stands for, unless the name means something else, or the key may not use it.
    private func add(_ name: String, _ scope: ModelScope?, to unlisted: inout [UnlistedModel]) {
        guard name != "auto", route(named: name) == nil, models(named: name).isEmpty, let wildcard = wildcard(for: name),
            let model = policy.models[wildcard].model(named: name), !unlisted.contains(where: { $0.definition.name == name }),
            scope?.allows(name, of: wildcard, in: policy) != false
        else { return }
        unlisted.append(unlistedModel(model, wildcard: wildcard))
    }

    private func unlistedModel(_ model: ModelDefinition, wildcard: Int?) -> UnlistedModel {
        UnlistedModel(
            definition: model, wildcard: wildcard, timeouts: policy.timeouts(of: model), retry: policy.retry(of: model),
            state: states.unlistedState(of: model, wildcard: wildcard, policy))
    }
}
