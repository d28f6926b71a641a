import ConfigTree

/// The fields of a request that are the router's own: `defaults` of a key, and requests of `tests`. Names, units and bounds are those of a request.
extension PolicySchema {
    /// What `supports_…` there is.
    static let supportFields: [Capability] = [.image, .video, .audio, .file, .tools]

    mutating func readRequestFields(_ fields: inout FieldReader) -> RoutingOverrides {
        var request = RoutingOverrides()
        request.tags = readTagExpression(&fields)
        request.type = fields.word("type", of: PolicySchema.types)
        request.minContext = fields.int("min_context_size", in: PolicySchema.countRange)
        request.minOutput = fields.int("min_max_output_tokens", in: PolicySchema.countRange)
        request.supports = CapabilitySet(PolicySchema.supportFields.filter { fields.bool("supports_\($0.rawValue)") ?? false })
        request.prefersFast = fields.bool("prefer_fast")
        request.minSuccessRate = fields.ratio("min_success_rate")
        request.selectionMode = fields.word("selection_mode", of: RoutingOverrides.SelectionMode.allCases.map(\.rawValue)).flatMap(
            RoutingOverrides.SelectionMode.init)
        request.maxModelSwitches = fields.int("max_model_switches", in: 1...10)
        request.retries = fields.int("max_same_model_retries", in: 0...10)
        request.retryDelay = fields.int("retry_delay", in: 0...30_000, unit: "milliseconds").map { .milliseconds($0) }
        request.timeout = fields.int("timeout_secs", in: 1...600, unit: "seconds").map { .seconds($0) }
        readFallback(&fields, into: &request)
        return request
    }

    private mutating func readFallback(_ fields: inout FieldReader, into request: inout RoutingOverrides) {
        let provider = fields.name("fallback_provider")
        let name = fields.name("fallback_model")
        request.fallbackProvider = provider?.text
        request.fallbackModel = name?.text
        guard let provider else {
            if let name { _ = model(named: name) }
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
        let suggestion = names.suggestion(for: name.text, among: own)
        let message = "provider '\(abbreviated(provider.source))' has no model '\(abbreviated(name.source))'\(suggestion)"
        report(
            ConfigIssue(at: name.position, message, hint: suggestion.isEmpty ? "define it under 'models:', or name another provider" : nil))
    }
}
