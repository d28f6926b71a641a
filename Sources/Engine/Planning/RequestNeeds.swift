package import RoutingPolicy

/// What a chat request asks of a model, inferred from its body.
package struct RequestNeeds: Sendable, Equatable {
    /// `image`, `audio`, `video`, `file` for parts of messages; `tools` for a list of tools; `json` for a JSON `response_format`. Never `streaming` or `reasoning`.
    package var supports: CapabilitySet
    /// Estimated; images and other media are not counted.
    package var promptTokens: Int
    /// `max_completion_tokens`, else `max_tokens`; nil: not given.
    package var maxTokens: Int?

    package init(supports: CapabilitySet = CapabilitySet(), promptTokens: Int = 0, maxTokens: Int? = nil) {
        self.supports = supports
        self.promptTokens = promptTokens
        self.maxTokens = maxTokens
    }
}
