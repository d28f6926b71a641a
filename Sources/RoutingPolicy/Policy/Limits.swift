/// `limits:` of a model, a provider or a key. They bound the thing that they are set on. nil: no limit.
package struct Limits: Sendable, Equatable, OptionHolder {
    package var requestsPerMinute: Int?
    /// Prompt and completion tokens together.
    package var tokensPerMinute: Int?
    /// Requests in flight.
    package var concurrent: Int?

    package init() {}

    package init(requestsPerMinute: Int? = nil, tokensPerMinute: Int? = nil, concurrent: Int? = nil) {
        self.requestsPerMinute = requestsPerMinute
        self.tokensPerMinute = tokensPerMinute
        self.concurrent = concurrent
    }

    package var isEmpty: Bool { self == Limits() }

    /// These limits, with what `other` sets in their place.
    package func overridden(by other: Limits) -> Limits { Self.section.merged(other, over: self) }
}

extension Limits {
    static let section = OptionSection<Limits>(
        "limits", "may be set on defaults (for each model), a provider, a model or a key: they bound the thing that they are set on",
        [
            Option("requests_per_minute", \.requestsPerMinute, .count, .words("no limit"), help: "requests that begin within a minute"),
            Option(
                "tokens_per_minute", \.tokensPerMinute, .count, .words("no limit"),
                help: "prompt and completion tokens together within a minute"),
            Option(
                "concurrent", \.concurrent, .count, .words("no limit"),
                help: "requests in flight; further ones wait for at most 'timeouts.queue'"),
        ])
}
