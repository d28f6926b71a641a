/// `limits:` of a model, a provider or a key. They bound the thing that they stand on, and are never inherited by what is below it. nil: no limit.
package struct Limits: Sendable, Equatable {
    /// At least 1.
    package var requestsPerMinute: Int?
    /// Prompt and completion together. At least 1.
    package var tokensPerMinute: Int?
    /// Requests under way at once. At least 1.
    package var concurrent: Int?

    package init(requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, concurrent: Int? = nil) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.concurrent = concurrent
    }

    package var isEmpty: Bool { self == Limits() }

    /// These, with what `other` gives in their place.
    package func overridden(by other: Limits) -> Limits {
        Limits(
            requestsPerMinute: other.requestsPerMinute ?? requestsPerMinute, tokensPerMinute: other.tokensPerMinute ?? tokensPerMinute,
            concurrent: other.concurrent ?? concurrent)
    }
}
