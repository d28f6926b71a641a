package import RoutingPolicy

/// The requirements of a chat request, inferred from its body.
package struct RequestNeeds: Sendable, Equatable {
    /// `image`, `audio`, `video` and `file` for message parts of that kind, `tools` for a list of tools, and `json` for
    /// a JSON `response_format`. Never `streaming` or `reasoning`.
    package var supports: CapabilitySet
    /// Whether the request has a message part of an unknown type, which is not text: the model must support a medium.
    package var needsAnyMedium: Bool
    /// An estimate that does not count images and other media.
    package var promptTokens: Int
    /// The part of them that one context must hold: those of the longest of several independent inputs; nil: all.
    package var contextTokens: Int?
    /// The request's `max_completion_tokens`, or else its `max_tokens`; nil if neither is given.
    package var maxTokens: Int?
    /// Whether the conversation has reasoning of earlier responses, with opaque tokens of the providers that made it.
    package var mayHaveTokens: Bool

    package init(
        supports: CapabilitySet = CapabilitySet(), needsAnyMedium: Bool = false, promptTokens: Int = 0, contextTokens: Int? = nil,
        maxTokens: Int? = nil, mayHaveTokens: Bool = false
    ) {
        self.supports = supports
        self.needsAnyMedium = needsAnyMedium
        self.promptTokens = promptTokens
        self.contextTokens = contextTokens
        self.maxTokens = maxTokens
        self.mayHaveTokens = mayHaveTokens
    }
}
