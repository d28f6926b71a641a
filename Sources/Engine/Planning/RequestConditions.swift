import RoutingPolicy

/// The conditions that a request puts on every candidate of its routes: what its body needs, and what its own fields wish. A reference, since a loop over a
/// thousand models would copy a large value for each.
final class RequestConditions {
    /// What every model is compared with first.
    struct Flat {
        fileprivate var supports: UInt8 = 0
        /// Tokens of the prompt and of the response; 0 where the request says nothing.
        fileprivate var contextTokens = 0
        fileprivate var outputTokens = 0
        /// Only the model's definition tells whether it holds what the request's fields ask for.
        fileprivate(set) var hasFields = false

        @inline(__always)
        func hold(for traits: ModelTraits) -> Bool {
            traits.supports & supports == supports && contextTokens <= traits.context && outputTokens <= traits.maxOutput
        }
    }

    private static let maxShownTags = 64

    let flat: Flat
    private let needs: RequestNeeds
    /// nil: none was given.
    private let own: OverridesBox?

    init(_ request: PlanRequest) {
        needs = request.needs
        own = request.own
        let fields = own?.fields
        flat = Flat(
            supports: needs.supports.union(fields?.supports ?? CapabilitySet()).bits,
            contextTokens: Int(clamping: needs.promptTokens).addingSaturated(needs.maxTokens ?? 0),
            outputTokens: needs.maxTokens ?? 0,
            hasFields: fields.map { $0.tags != nil || $0.type != nil || $0.minContext != nil || $0.minOutput != nil } ?? false)
    }

    /// The first condition that the model fails; nil: none.
    func failed(by model: ModelDefinition) -> Omission? {
        for capability in Capability.allCases where !model.supports.contains(capability) {
            if needs.supports.contains(capability) { return .need(capability) }
            if own?.fields.supports.contains(capability) == true { return .field("supports_\(capability.rawValue)") }
        }
        if let output = model.maxOutput, flat.outputTokens > output { return .output(needed: flat.outputTokens, has: output) }
        if let context = model.context, flat.contextTokens > context { return .context(needed: flat.contextTokens, has: context) }
        return failedField(model)
    }

    /// A model that doesn't tell its context or output can't be known to be large enough for who asks.
    func failedField(_ model: ModelDefinition) -> Omission? {
        guard let fields = own?.fields else { return nil }
        if let tags = fields.tags, !tags.matches(model.tags) {
            return .field("tags '\(String(tags.description.prefix(Self.maxShownTags)))'")
        }
        if let type = fields.type, model.type != type { return .field("type '\(type)'") }
        if let tokens = fields.minContext, (model.context ?? 0) < tokens { return .field("min_context_size \(tokens)") }
        if let tokens = fields.minOutput, (model.maxOutput ?? 0) < tokens { return .field("min_max_output_tokens \(tokens)") }
        return nil
    }
}
