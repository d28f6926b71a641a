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
    /// Whether the parts contradicted the total, so that the completion is what the total leaves.
    public var isInconsistent = false

    /// Corrects the completion by the total that the provider reports.
    ///
    /// Some providers count the reasoning beside the completion, which the total shows: then it is added. If the parts
    /// contradict the total in any other way, the total counts, and ``isInconsistent`` is set.
    ///
    /// - Parameter total: `total_tokens`, prompt and completion together.
    public mutating func reconcile(total: Int) {
        guard let promptTokens, let completionTokens else { return }
        let (sum, overflow) = promptTokens.addingReportingOverflow(completionTokens)
        guard !overflow, sum != total, total >= promptTokens else { return }
        if let reasoningTokens, total - sum == reasoningTokens {
            self.completionTokens = completionTokens + reasoningTokens
        } else {
            self.completionTokens = total - promptTokens
            isInconsistent = true
        }
    }

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
