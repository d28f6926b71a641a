/// The tokens and the cost of a call, as the provider reports them. nil means unknown, and 0 means a reported zero.
public struct Usage: Sendable, Equatable {
    /// The tokens of the prompt, cached ones included.
    @inlinable public var promptTokens: Int? {
        get { counts.promptTokens.value }
        set { counts.promptTokens.value = newValue }
    }
    /// The tokens of the response, reasoning included.
    @inlinable public var completionTokens: Int? {
        get { counts.completionTokens.value }
        set { counts.completionTokens.value = newValue }
    }
    /// The tokens of the prompt that were read from a cache.
    @inlinable public var cachedTokens: Int? {
        get { counts.cachedTokens.value }
        set { counts.cachedTokens.value = newValue }
    }
    /// The tokens of the prompt that were written to a cache.
    @inlinable public var cacheWriteTokens: Int? {
        get { counts.cacheWriteTokens.value }
        set { counts.cacheWriteTokens.value = newValue }
    }
    /// Those of ``cacheWriteTokens`` that the cache keeps for an hour, which some providers price apart.
    @inlinable public var longCacheWriteTokens: Int? {
        get { counts.longCacheWriteTokens.value }
        set { counts.longCacheWriteTokens.value = newValue }
    }
    /// The tokens of the response that were spent on reasoning.
    @inlinable public var reasoningTokens: Int? {
        get { counts.reasoningTokens.value }
        set { counts.reasoningTokens.value = newValue }
    }
    /// The tokens of the prompt that are audio.
    @inlinable public var audioTokens: Int? {
        get { counts.audioTokens.value }
        set { counts.audioTokens.value = newValue }
    }
    /// The tokens of the response that are audio.
    @inlinable public var audioOutputTokens: Int? {
        get { counts.audioOutputTokens.value }
        set { counts.audioOutputTokens.value = newValue }
    }
    /// The number of images that the response has.
    @inlinable public var images: Int? {
        get { counts.images.value }
        set { counts.images.value = newValue }
    }
    /// The length of the audio in the prompt, in seconds.
    public var audioSeconds: Double?
    /// The cost of the call in US dollars.
    public var costUSD: Double?
    /// Whether the parts contradicted the total, so that they are what the total leaves.
    public var isInconsistent = false
    @usableFromInline var counts = Counts()

    /// The numbers, each in eight bytes.
    @usableFromInline struct Counts: Sendable, Equatable {
        @usableFromInline var promptTokens = Count()
        @usableFromInline var completionTokens = Count()
        @usableFromInline var cachedTokens = Count()
        @usableFromInline var cacheWriteTokens = Count()
        @usableFromInline var longCacheWriteTokens = Count()
        @usableFromInline var reasoningTokens = Count()
        @usableFromInline var audioTokens = Count()
        @usableFromInline var audioOutputTokens = Count()
        @usableFromInline var images = Count()
    }

    /// An optional number in eight bytes. `Optional<Int>` takes sixteen, and usage is copied often.
    @usableFromInline struct Count: Sendable, Equatable {
        /// The least number stands for nil, and the next one for itself and the least.
        @usableFromInline var number = Int.min

        @inlinable init() {}

        @inlinable var value: Int? {
            get { number == .min ? nil : number }
            set { number = newValue.map { max($0, .min + 1) } ?? .min }
        }
    }

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
