/// The tokens and the cost of a call, as the provider reports them. nil means unknown, and 0 means a reported zero.
public struct Usage: Sendable, Equatable {
    /// The tokens of the prompt, cached ones included.
    public var promptTokens: Int?
    /// The tokens of the response, reasoning included.
    public var completionTokens: Int?
    /// The tokens of the prompt that were read from a cache.
    public var cachedTokens: Int?
    /// The tokens of the prompt that were written to a cache.
    public var cacheWriteTokens: Int?
    /// Those of ``cacheWriteTokens`` that the cache keeps for an hour, which some providers price apart.
    public var longCacheWriteTokens: Int?
    /// The tokens of the response that were spent on reasoning.
    public var reasoningTokens: Int?
    /// The tokens of the prompt that are audio.
    public var audioTokens: Int?
    /// The tokens of the response that are audio.
    public var audioOutputTokens: Int?
    /// The number of images that the response has.
    public var images: Int?
    /// The length of the audio in the prompt, in seconds.
    public var audioSeconds: Double?
    /// The cost of the call in US dollars.
    public var costUSD: Double?
    /// Whether the parts contradicted the total, so that they are what the total leaves.
    public var isInconsistent = false

    /// Corrects the parts by the total that the provider reports.
    ///
    /// A part that is missing is what the total leaves. Some providers count the reasoning beside the completion, or
    /// the tokens of a cache beside the prompt, which the total shows: then they are added. If the parts contradict the
    /// total in any other way, the total counts, and ``isInconsistent`` is set. A total of 0 says nothing.
    ///
    /// - Parameter total: `total_tokens`, prompt and completion together.
    public mutating func reconcile(total: Int) {
        guard total > 0, promptTokens != nil || completionTokens != nil, min(promptTokens ?? 0, completionTokens ?? 0) >= 0 else { return }
        let prompt = promptTokens ?? max(0, total - (completionTokens ?? 0)), completion = completionTokens ?? max(0, total - prompt)
        promptTokens = prompt
        completionTokens = completion
        let (sum, overflow) = prompt.addingReportingOverflow(completion)
        guard !overflow, sum != total else { return }
        let excess = total - sum, reasoning = reasoningTokens ?? 0, cached = cachedTokens ?? 0
        let ofCaches = cached.addingReportingOverflow(cacheWriteTokens ?? 0).partialValue
        let besides = [(reasoning, 0), (0, cached), (0, ofCaches), (reasoning, cached), (reasoning, ofCaches)]
        if let beside = besides.first(where: { $0 <= excess && $1 == excess - $0 }) {
            completionTokens = completion + beside.0
            promptTokens = prompt + beside.1
        } else {
            completionTokens = total >= prompt ? total - prompt : min(completion, total)
            promptTokens = total >= prompt ? prompt : total - min(completion, total)
            isInconsistent = true
        }
    }

    /// Whether no number says more than zero.
    var isZero: Bool {
        (promptTokens ?? 0, completionTokens ?? 0, cachedTokens ?? 0, cacheWriteTokens ?? 0, reasoningTokens ?? 0, costUSD ?? 0)
            == (0, 0, 0, 0, 0, 0) && audioSeconds ?? 0 == 0 && images ?? 0 == 0
    }

    /// Adds a later report of the same response, which replaces this one unless it has only zeros. Some servers send
    /// such a report at the end of each stream.
    public mutating func update(_ later: Usage) {
        if !later.isZero || isZero { self = later }
    }

    /// Creates a usage report. Whatever is left out is unknown.
    public init(
        promptTokens: Int? = nil, completionTokens: Int? = nil, cachedTokens: Int? = nil, reasoningTokens: Int? = nil,
        costUSD: Double? = nil, cacheWriteTokens: Int? = nil, longCacheWriteTokens: Int? = nil
    ) {
        self.cacheWriteTokens = cacheWriteTokens
        self.longCacheWriteTokens = longCacheWriteTokens
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
        self.reasoningTokens = reasoningTokens
        self.costUSD = costUSD
    }
}
