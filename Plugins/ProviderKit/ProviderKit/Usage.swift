/// The tokens and the cost of a call, as the provider reports them. nil means unknown, and 0 means a reported zero.
public struct Usage: Sendable, Equatable {
    /// The tokens of the prompt, cached ones included.
    public var promptTokens: Int?
    /// The tokens of the response, reasoning included.
    public var completionTokens: Int?
    /// The tokens of the prompt that were read from a cache.
    public var cachedTokens: Int?
    /// The tokens of the response that were spent on reasoning.
    public var reasoningTokens: Int?
    /// The cost of the call in US dollars.
    public var costUSD: Double?

    /// Creates a usage report. Whatever is left out is unknown.
    public init(
        promptTokens: Int? = nil, completionTokens: Int? = nil, cachedTokens: Int? = nil, reasoningTokens: Int? = nil,
        costUSD: Double? = nil
    ) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
        self.reasoningTokens = reasoningTokens
        self.costUSD = costUSD
    }
}
