import ConfigTree

extension PolicySchema {
    /// Reads `fallback_provider` and `fallback_model`, which belong together. With a provider, the model may be one
    /// that the policy does not list.
    mutating func readFallback(_ fields: inout FieldReader, _ overrides: inout RoutingOverrides) {
        let provider = fields.name("fallback_provider")
        let name = fields.name("fallback_model")
        overrides.fallbackProvider = provider?.text
        overrides.fallbackModel = name?.text
        guard let provider else {
            if let name, names.wildcard(for: name.text) == nil { _ = model(named: name) }
            return
        }
        let known = self.provider(named: provider)
        guard let name else {
            if fields.node("fallback_model") == nil {
                fields.report(
                    "fallback_provider", "'fallback_provider' names no model without 'fallback_model'", hint: "add 'fallback_model: …'")
            }
            return
        }
        guard known != nil, !name.isUnresolved, names.qualified["\(provider.text)/\(name.text)"] == nil, !names.isBroken(name.text) else {
            return
        }
        let own = names.qualified.keys.filter { $0.hasPrefix(provider.text + "/") }.map {
            String($0.dropFirst(provider.text.utf8.count + 1))
        }
        guard RoutingOverride.isName(name.text) else {
            report(
                ConfigIssue(
                    at: name.position, "'fallback_model' takes \(RoutingOverride.fallbackModel.expected), not '\(abbreviated(name.source))'"
                ))
            return
        }
        let suggestion = names.suggestion(for: name.text, among: own)
        guard !suggestion.isEmpty else { return }
        report(
            ConfigIssue(
                .warning, at: name.position,
                "provider '\(abbreviated(provider.source))' has no model '\(abbreviated(name.source))' here\(suggestion)",
                hint: "the provider is asked for a model with exactly this name"))
    }
}
