/// Reads one answer. Made for it, used on one thread, thrown away after it.
public protocol AnswerDecoder {
    /// Called at each read with all bytes not consumed yet, contiguous. Returns how many are consumed; at the next call these
    /// are gone from the front. The decoder remembers how far it scanned the rest. Cut anywhere, the same bytes give the same answer.
    ///
    /// A throw ends the answer. What `answer` got in the same call before the throw still counts.
    mutating func decode(_ bytes: RawSpan, into answer: inout AnswerSink) throws(ProviderError) -> Int

    /// The upstream closed the answer; `bytes` are those that were never consumed.
    /// Throws `upstream_error` with the code `upstream_truncated` where the wire format's own end was not seen.
    mutating func finish(_ bytes: RawSpan, into answer: inout AnswerSink) throws(ProviderError)
}

/// What a decoder found, in order. Either parts that are in OpenAI's format already, as ranges of the bytes that were decoded, or typed
/// events that the caller's side encodes.
public struct AnswerSink {
    public private(set) var parts: [AnswerPart] = []
    /// What the parts hold together.
    public private(set) var content = ContentSummary()
    /// The wire format's own end was seen: nothing that follows belongs to the answer.
    public private(set) var isComplete = false
    /// What the whole answer cost, as far as the upstream has said. The last report wins.
    public private(set) var usage: Usage?
    /// The text of the answer's first choice so far, without reasoning, refusals and tool calls. Grows over the whole answer.
    /// nil: nothing was collected, or it can't be continued (it is over `maxTextBytes`, or no single text).
    public private(set) var text: String?
    private var isTextLost = false

    /// About a million tokens: no model continues more.
    public static let maxTextBytes = 4 << 20

    public init() {}

    /// A chunk of a stream (`chat.completion.chunk`) that is in the caller's format already.
    public mutating func chunk(_ chunk: PassedChunk) {
        append(.chunk(chunk), chunk.content)
    }

    /// Such a chunk, where its JSON was sent on several `data` lines and so is no range of the bytes.
    public mutating func chunk(joined json: [UInt8], content: ContentSummary) {
        append(.joined(json, content), content)
    }

    /// A whole answer (`chat.completion`) that is in the caller's format already: the range of its JSON object.
    public mutating func whole(_ json: Range<Int>, content: ContentSummary) {
        append(.whole(json, content), content)
    }

    public mutating func event(_ event: ChatEvent) {
        append(.event(event), event.content)
    }

    public mutating func usage(_ usage: Usage) {
        self.usage = usage
    }

    /// More of the answer's text. Called only where `Call.keepsText` asks for it.
    public mutating func keep(text more: String) {
        if isTextLost { return }
        guard (text?.utf8.count ?? 0) + more.utf8.count <= Self.maxTextBytes else { return loseText() }
        if text == nil { text = more } else { text?.append(more) }
    }

    /// The answer is no single text that could be continued: none is collected any more.
    public mutating func loseText() {
        text = nil
        isTextLost = true
    }

    public mutating func complete() {
        isComplete = true
    }

    /// Forgets the parts, keeps what was learnt of the answer.
    public mutating func removeParts() {
        parts.removeAll(keepingCapacity: true)
        content = ContentSummary()
    }

    private mutating func append(_ part: AnswerPart, _ content: ContentSummary) {
        parts.append(part)
        self.content.contentBytes &+= content.contentBytes
        self.content.finishes &+= content.finishes
        if content.isFiltered { self.content.isFiltered = true }
        if content.hasToolCall { self.content.hasToolCall = true }
    }
}

public enum AnswerPart: Sendable {
    case chunk(PassedChunk)
    case joined([UInt8], ContentSummary)
    case whole(Range<Int>, ContentSummary)
    case event(ChatEvent)
}

/// A stream's chunk in OpenAI's format.
public struct PassedChunk: Sendable {
    /// The JSON object's range in the decoded bytes.
    public var json: Range<Int>
    /// The range of the whole event, blank line included, where it can be sent as it stands:
    /// only `data` on one line, LF line ends. nil: it has to be framed anew.
    public var frame: Range<Int>?
    public var content: ContentSummary

    public init(json: Range<Int>, frame: Range<Int>?, content: ContentSummary) {
        self.json = json
        self.frame = frame
        self.content = content
    }
}

/// What a chunk or a whole answer holds, as far as the router acts on it.
public struct ContentSummary: Sendable, Equatable {
    /// Bytes of text, reasoning, refusals and tool calls. 0 for a chunk with only a role, or with nothing.
    public var contentBytes: Int
    /// How many choices end here.
    public var finishes: Int
    /// The provider's content filter stopped a choice here, or the model refused to answer.
    public var isFiltered: Bool
    /// There is a tool call in it, or a part of one.
    public var hasToolCall: Bool
    /// It has a top-level member `_router` of its own, as another router's answer has.
    public var hasRouterMember = false
    /// It tells usage and has no choices: it is the chunk that `include_usage` asks for.
    public var isUsageOnly: Bool

    public init(contentBytes: Int = 0, finishes: Int = 0, isFiltered: Bool = false, hasToolCall: Bool = false, isUsageOnly: Bool = false) {
        self.contentBytes = contentBytes
        self.finishes = finishes
        self.isFiltered = isFiltered
        self.hasToolCall = hasToolCall
        self.isUsageOnly = isUsageOnly
    }

    /// Whether a stream may be committed to at this point: the upstream is really answering.
    public var isAnswer: Bool { contentBytes > 0 || finishes > 0 }
}
