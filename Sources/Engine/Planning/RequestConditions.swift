import ProviderKit
import RoutingPolicy

/// The conditions that candidates must meet for a request. Its needs, which its body and its `supports_…` fields
/// state, bind every candidate of a route. Its wishes, the other routing overrides, bind only the candidates of `try`.
///
/// It is a class, because a loop over a thousand models would copy a large value for each.
final class RequestConditions {
    /// The needs as plain numbers. Every model is checked against them first.
    struct Flat {
        fileprivate var operation: UInt64 = 0
        fileprivate var supports: UInt64 = 0
        /// The model must have at least one of these bits; 0 if it need not.
        fileprivate var anyMedium: UInt64 = 0
        /// The tokens of prompt and response together.
        fileprivate var contextTokens = 0
        /// The tokens of the response; 0 if the request does not limit them.
        fileprivate var outputTokens = 0
        /// Whether there are wishes, which must be checked against the complete definition of a model.
        fileprivate(set) var hasWishes = false

        @inline(__always)
        func areMet(by traits: ModelTraits) -> Bool {
            traits.serves & operation != 0 && traits.supports & supports == supports
                && (anyMedium == 0 || traits.supports & anyMedium != 0)
                && contextTokens <= traits.context && outputTokens <= traits.maxOutput
        }
    }

    private static let maxTagCharacters = 64

    let flat: Flat
    private let operation: ProviderKit.Operation
    private let needs: RequestNeeds
    /// nil if the request has none.
    private let overrides: OverridesBox?

    init(_ request: PlanRequest) {
        needs = request.needs
        overrides = request.overrides
        let fields = overrides?.fields
        operation = request.operation
        flat = Flat(
            operation: OperationSet([operation]).bits,
            supports: needs.supports.union(fields?.supports ?? CapabilitySet()).bits,
            anyMedium: needs.needsAnyMedium ? CapabilitySet.media.bits : 0,
            contextTokens: Int(clamping: needs.contextTokens ?? needs.promptTokens).addingSaturated(needs.maxTokens ?? 0),
            outputTokens: needs.maxTokens ?? 0,
            hasWishes: fields.map { $0.tags != nil || $0.type != nil || $0.minContext != nil || $0.minOutput != nil } ?? false)
    }

    /// The first condition that the model fails; nil if it meets all of them.
    ///
    /// - Parameter isTry: whether the model is a candidate of `try`, which the wishes bind too.
    func firstFailure(of model: ModelDefinition, isTry: Bool = true) -> Omission? {
        if !model.serves.contains(operation) { return .operation(operation, serves: model.serves) }
        for capability in Capability.allCases where !model.supports.contains(capability) {
            if needs.supports.contains(capability) { return .capability(capability) }
            if overrides?.fields.supports.contains(capability) == true { return .requested(RoutingOverride.name(requiring: capability)) }
        }
        if needs.needsAnyMedium, model.supports.isDisjoint(with: .media) { return .medium }
        if let output = model.maxOutput, flat.outputTokens > output { return .output(needed: flat.outputTokens, available: output) }
        if let context = model.context, flat.contextTokens > context { return .context(needed: flat.contextTokens, available: context) }
        return isTry ? failedWish(of: model) : nil
    }

    /// The first wish that the model fails. A model whose `context` or `max_output` is unknown fails a minimum for it.
    func failedWish(of model: ModelDefinition) -> Omission? {
        guard let fields = overrides?.fields else { return nil }
        if let tags = fields.tags, !tags.matches(model.tags) {
            return .requested("tags '\(String(tags.description.prefix(Self.maxTagCharacters)))'")
        }
        if let type = fields.type, model.type != type { return .requested("type '\(type)'") }
        if let tokens = fields.minContext, (model.context ?? 0) < tokens { return .requested("min_context_size \(tokens)") }
        if let tokens = fields.minOutput, (model.maxOutput ?? 0) < tokens { return .requested("min_max_output_tokens \(tokens)") }
        return nil
    }
}
