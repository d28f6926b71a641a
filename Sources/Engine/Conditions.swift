import RoutingPolicy

/// The conditions that a request puts on every candidate of its routes: what its body needs, and what its own fields wish.
struct Conditions {
    private let needs: RequestNeeds
    /// nil: none was given.
    private let fields: RequestFields?
    private let supports: SupportSet
    /// Tokens of the prompt and of the answer; 0 where the request says nothing.
    private let contextTokens: Int
    private let outputTokens: Int
    private let hasFields: Bool

    init(_ request: PlanRequest) {
        needs = request.needs
        fields = request.ownFields
        supports = needs.supports.union(fields?.supports ?? [])
        contextTokens = Int(clamping: needs.promptTokens).addingSaturated(needs.maxTokens ?? 0)
        outputTokens = needs.maxTokens ?? 0
        hasFields = fields.map { $0.tags != nil || $0.type != nil || $0.minContext != nil || $0.minOutput != nil } ?? false
    }

    @inline(__always)
    func hold(for traits: ModelTraits, _ model: @autoclosure () -> ModelDefinition) -> Bool {
        guard traits.supports.isSuperset(of: supports), contextTokens <= traits.context, outputTokens <= traits.maxOutput else { return false }
        return !hasFields || failedField(model()) == nil
    }

    /// The first condition that the model fails; nil: none.
    func failed(by model: ModelDefinition) -> Omission? {
        for support in Support.allCases where !model.supports.contains(support) {
            if needs.supports.contains(support) { return .need(support) }
            if fields?.supports.contains(support) == true { return .field("supports_\(support.rawValue)") }
        }
        if let output = model.maxOutput, outputTokens > output { return .output(needed: outputTokens, has: output) }
        if let context = model.context, contextTokens > context { return .context(needed: contextTokens, has: context) }
        return failedField(model)
    }

    /// A model that doesn't tell its context or output can't be known to be large enough for who asks.
    private func failedField(_ model: ModelDefinition) -> Omission? {
        guard let fields else { return nil }
        if let tags = fields.tags, !tags.matches(model.tags) { return .field("tags") }
        if let type = fields.type, model.type != type { return .field("type '\(type)'") }
        if let tokens = fields.minContext, (model.context ?? 0) < tokens { return .field("min_context_size \(tokens)") }
        if let tokens = fields.minOutput, (model.maxOutput ?? 0) < tokens { return .field("min_max_output_tokens \(tokens)") }
        return nil
    }
}
