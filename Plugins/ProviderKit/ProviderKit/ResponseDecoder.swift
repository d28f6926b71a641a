import Codecs

/// Reads one response. Made for it, used on one thread, thrown away after it.
public protocol ResponseDecoder {
    /// Called at each read with all bytes not consumed yet, contiguous. Returns how many are consumed; at the next call these
    /// are gone from the front. The decoder remembers how far it scanned the rest. Cut anywhere, the same bytes give the same response.
    ///
    /// A throw ends the response. What `answer` got in the same call before the throw still counts.
    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int

    /// The upstream closed the response; `bytes` are those that were never consumed.
    /// Throws `upstream_error` with the code `upstream_truncated` where the wire format's own end was not seen.
    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError)
}

/// What a decoder found, in order. Either parts that are in OpenAI's format already, as ranges of the bytes that were decoded, or typed
/// events that the client's side encodes.
public struct ResponseSink {
    public private(set) var parts: [ResponsePart] = []
    /// What the parts hold together.
    public private(set) var content = ContentSummary()
    /// The wire format's own end was seen: nothing that follows belongs to the response.
    public private(set) var isComplete = false
    /// What the non-streamed response cost, as far as the upstream has said. The last report wins.
    public private(set) var usage: Usage?
    /// The text of the response's first choice so far, without reasoning, refusals and tool calls. Grows over the non-streamed response.
    /// nil: nothing was collected, or it can't be continued (it is over `maxTextBytes`, or no single text).
    public private(set) var text: String?
    private var isTextLost = false

    /// About a million tokens: no model continues more.
    public static let maxTextBytes = 4 << 20

    public init() {}

    /// A chunk of a stream (`chat.completion.chunk`) that is in the client's format already.
    public mutating func chunk(_ chunk: PassedChunk) {
        append(.chunk(chunk), chunk.content)
    }

    /// Such a chunk, where its JSON was sent on several `data` lines and so is no range of the bytes.
    public mutating func chunk(joined json: [UInt8], content: ContentSummary) {
        append(.joined(json, content), content)
    }

    /// A non-streamed response (`chat.completion`) that is in the client's format already: the range of its JSON object.
    public mutating func buffered(_ json: Range<Int>, content: ContentSummary) {
        append(.buffered(json, content), content)
    }

    public mutating func event(_ event: ChatEvent) {
        append(.event(event), event.content)
    }

    public mutating func usage(_ usage: Usage) {
        self.usage = usage
    }

    /// More of the response's text. Called only where `Call.keepsText` asks for it.
    public mutating func keep(text more: String) {
        if isTextLost { return }
        guard (text?.utf8.count ?? 0) + more.utf8.count <= Self.maxTextBytes else { return loseText() }
        if text == nil { text = more } else { text?.append(more) }
    }

    /// The response is no single text that could be continued: none is collected any more.
    public mutating func loseText() {
        text = nil
        isTextLost = true
    }

    public mutating func complete() {
        isComplete = true
    }

    /// Forgets the parts, keeps what was learnt of the response.
    public mutating func removeParts() {
        parts.removeAll(keepingCapacity: true)
        content = ContentSummary()
    }

    private mutating func append(_ part: ResponsePart, _ content: ContentSummary) {
        parts.append(part)
        self.content.contentBytes &+= content.contentBytes
        self.content.finishes &+= content.finishes
        if content.isFiltered { self.content.isFiltered = true }
        if content.hasToolCall { self.content.hasToolCall = true }
    }
}

public enum ResponsePart: Sendable {
    case chunk(PassedChunk)
    case joined([UInt8], ContentSummary)
    case buffered(Range<Int>, ContentSummary)
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

/// What a chunk or a non-streamed response holds, as far as the router acts on it.
public struct ContentSummary: Sendable, Equatable {
    /// Bytes of text, reasoning, refusals and tool calls. 0 for a chunk with only a role, or with nothing.
    public var contentBytes: Int
    /// How many choices end here.
    public var finishes: Int
    /// The provider's content filter stopped a choice here, or the model refused to answer.
    public var isFiltered: Bool
    /// There is a tool call in it, or a part of one.
    public var hasToolCall: Bool
    /// It has a top-level member `_router` of its own, as another router's response has.
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
    public var hasBegun: Bool { contentBytes > 0 || finishes > 0 }
}
