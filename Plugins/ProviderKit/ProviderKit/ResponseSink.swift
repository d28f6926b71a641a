/// A collector for what a decoder finds in a response.
///
/// If the client's format passes through, a decoder adds parts in that format as ranges of the decoded bytes, which the
/// router forwards without a copy. Otherwise it adds typed parts, which the router encodes. The order of the parts is
/// the order of the response. A response to a non-streamed call consists of one ``buffered(_:signals:)``, of events, of
/// ``embeddings(_:)``, of ``count(tokens:)``, or of ``payload(_:contentType:signals:)`` parts; a streamed call may get
/// any parts.
///
/// One sink serves the entire response. The router takes the parts after each call of the decoder with
/// ``removeParts()``, and keeps the rest: completion, usage and text. What is added after ``complete()`` is left out.
public struct ResponseSink {
    /// The parts since the last ``removeParts()``, in order.
    public private(set) var parts: [ResponsePart] = []
    /// The signals of all ``parts`` together, and those that were noted. Their marks are left out.
    public private(set) var signals = Signals()
    /// The usage of the entire response, as the upstream reported it last; nil if it has reported none.
    public private(set) var usage: Usage?
    /// The text of the response's first choice so far, without reasoning, refusals and tool calls. nil if none was
    /// collected, or if the text was discarded because it can't be continued.
    public private(set) var text: String?
    /// Who made the response behind the provider; nil if the provider hasn't said.
    public private(set) var servedBy: ServedBy?
    // The flags stand together, because an attempt must stay small enough for the allocator's fast path.
    /// Whether the end of the response was seen.
    public private(set) var isComplete = false
    /// Whether there was content or a finish reason in any part so far, or in what was noted.
    public private(set) var hasBegun = false
    private var isTextDiscarded = false
    private var hasEvents = false
    private var hasFinishEvent = false
    /// The number of choices whose end was noted since the last ``removeParts()``; 255 stands for more.
    public private(set) var notedFinishes: UInt8 = 0
    /// Whether a call of the decoder has added parts of more than ``maxMadeBytes``, of which the rest is missing.
    public private(set) var isOverfull = false
    /// The memory that the parts since the last ``removeParts()`` take, besides the decoded bytes that they refer to.
    public var madeBytes: Int { Int(made) }
    private var made: UInt32 = 0

    /// The most that ``madeBytes`` may be. What is more would only take memory: no upstream sends that much in one
    /// read.
    public static let maxMadeBytes = 64 << 20

    /// The length of the longest text that is collected, in bytes of UTF-8: about a million tokens. No model continues
    /// a longer text.
    public static let maxTextBytes = 4 << 20

    /// The longest name in ``ServedBy`` that is kept, in bytes of UTF-8.
    public static let maxNameBytes = 1 << 10

    /// Whether typed events of a chat response have come, and ``ChatEvent/finish(_:stopSequence:)`` isn't one of them
    /// so far. If the response is complete nevertheless, the router adds what is missing.
    public var lacksFinish: Bool { hasEvents && !hasFinishEvent }

    /// Creates an empty sink.
    public init() {}

    /// Adds a chunk of a stream in the client's format.
    public mutating func chunk(_ chunk: PassthroughChunk) {
        append(.chunk(chunk), chunk.signals)
    }

    /// Adds a chunk of a stream whose JSON is not a range of the decoded bytes, because it was sent in several `data`
    /// lines. The JSON must not contain line breaks.
    public mutating func chunk(joined json: [UInt8], signals: Signals) {
        append(.joined(json, signals), signals)
    }

    /// Adds a complete response in the client's format, as its range.
    public mutating func buffered(_ range: Range<Int>, signals: Signals) {
        append(.buffered(range, signals), signals)
    }

    /// Adds a typed event of a chat response.
    public mutating func event(_ event: ChatEvent) {
        if isComplete { return }
        hasEvents = true
        if case .finish = event { hasFinishEvent = true }
        append(.event(event), event.signals)
    }

    /// Adds the vectors of an embeddings response.
    public mutating func embeddings(_ response: EmbeddingsResponse) {
        append(.embeddings(response), response.signals)
    }

    /// Adds the number of a request's tokens, for a client with another format.
    public mutating func count(tokens: Int) {
        append(.count(tokens: tokens), Signals(finishes: 1))
    }

    /// Adds bytes of a response that the client gets as they are, such as audio, with the response's `content-type`.
    public mutating func payload(_ range: Range<Int>, contentType: String, signals: Signals) {
        append(.payload(range, contentType: contentType, signals), signals)
    }

    /// Notes how a choice ends, before the event that says so: what still follows, such as the usage, may be part of
    /// that event. The router then knows that the response may be complete. Content is not noted; its events have it.
    public mutating func note(_ signals: Signals) {
        if isComplete { return }
        notedFinishes = UInt8(clamping: Int(notedFinishes) + min(max(signals.finishes, 0), 255))
        self.signals.finishes &+= signals.finishes
        if signals.finishes > 0 { hasBegun = true }
        if signals.isFiltered { self.signals.isFiltered = true }
        if signals.hasUnknownFinishReason { self.signals.hasUnknownFinishReason = true }
    }

    /// Sets the usage of the entire response. The last call counts, but zeros don't replace a usage that says more.
    public mutating func usage(_ usage: Usage) {
        if isComplete { return }
        if case .some = self.usage { self.usage?.update(usage) } else { self.usage = usage }
    }

    /// Notes who made the response behind the provider. The last call counts. A name of more than ``maxNameBytes`` is
    /// none, and is left out.
    public mutating func served(by name: ServedBy) {
        if isComplete || name.text.utf8.count > Self.maxNameBytes { return }
        servedBy = name
    }

    /// Appends to the collected text of the response's first choice. Call it only if ``Call/keepsText`` is true, and
    /// then with all of the text.
    public mutating func keep(text more: String) {
        if isComplete || isTextDiscarded { return }
        guard (text?.utf8.count ?? 0) + more.utf8.count <= Self.maxTextBytes else { return discardText() }
        if text == nil { text = more } else { text?.append(more) }
    }

    /// Discards the collected text, and collects no more. Call it if the response turns out not to be a single text
    /// that another model could continue.
    public mutating func discardText() {
        text = nil
        isTextDiscarded = true
    }

    /// Marks the end of the response. The bytes that follow don't belong to it, and the decoder is not called again.
    public mutating func complete() {
        isComplete = true
    }

    /// Removes the parts and their signals. Completion, beginning, usage and text remain. The router calls this; a
    /// decoder doesn't.
    public mutating func removeParts() {
        parts.removeAll(keepingCapacity: true)
        signals = Signals()
        notedFinishes = 0
        made = 0
    }

    private mutating func append(_ part: ResponsePart, _ signals: Signals) {
        if isComplete { return }
        let sum = madeBytes + part.madeBytes
        guard sum <= Self.maxMadeBytes else {
            isOverfull = true
            return
        }
        made = UInt32(sum)
        parts.append(part)
        if signals.hasBegun { hasBegun = true }
        self.signals.contentBytes &+= signals.contentBytes
        self.signals.finishes &+= signals.finishes
        if signals.isFiltered { self.signals.isFiltered = true }
        if signals.hasUnknownFinishReason { self.signals.hasUnknownFinishReason = true }
        if signals.hasToolCall { self.signals.hasToolCall = true }
    }
}

/// Who made a response behind the provider, by the name that the provider gives it.
///
/// It is stored as a reference, because few responses have one, and a call's size counts.
public indirect enum ServedBy: Sendable, Equatable {
    /// Another model of the provider, to which the provider itself fell back. The tokens of the response count for it.
    case model(String)
    /// The server to which the provider passed the request. The next request of a sticky conversation has the name in
    /// ``Call/lastHost``.
    case host(String)

    fileprivate var text: String {
        switch self {
        case .model(let name), .host(let name): name
        }
    }
}
