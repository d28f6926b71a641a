package import ProviderKit

extension ModelDefinition {
    /// The wire formats in which a model gets the requests of an operation, the first for translated ones; empty if its
    /// provider doesn't serve the operation. What the provider always has beside a format of the model's, such as the
    /// compaction of OpenAI's Responses, comes with it.
    ///
    /// - Parameters:
    ///   - formats: the model's own ``formats``, which count for chats and for their tokens.
    ///   - upstream: the provider's name of the model.
    package static func formats(
        _ formats: [String], for operation: ProviderKit.Operation, upstream: String, at provider: any Provider
    ) -> [WireFormat] {
        let known = provider.formats(for: operation, model: upstream)
        guard !formats.isEmpty, operation == .chat || operation == .countTokens else { return known }
        let all = known + provider.optionalFormats(for: operation, model: upstream)
        return formats.flatMap { name in
            (all.first { $0.name == name }.map { [$0] } ?? []) + known.filter { $0.isPart(of: name) && !formats.contains($0.name) }
        }
    }
}
