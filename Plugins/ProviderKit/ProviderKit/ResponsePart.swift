/// A part of a response. Its ranges refer to the bytes of the decoder's call that has added it.
public enum ResponsePart: Sendable {
    /// A chunk of a stream, in OpenAI's format.
    case chunk(PassthroughChunk)
    /// The JSON of a stream's chunk, in OpenAI's format, that is not a range of the decoded bytes.
    case joined([UInt8], ContentSummary)
    /// The range of a non-streamed response, in OpenAI's format.
    case buffered(Range<Int>, ContentSummary)
    /// A typed event.
    case event(ChatEvent)

    /// The summary of the part.
    public var content: ContentSummary {
        switch self {
        case .chunk(let chunk): chunk.content
        case .joined(_, let content), .buffered(_, let content): content
        case .event(let event): event.content
        }
    }
}

/// A chunk of a stream in OpenAI's format, as ranges of the decoded bytes.
public struct PassthroughChunk: Sendable {
    /// The range of the chunk's JSON object. It must not contain line breaks.
    public var json: Range<Int>
    /// The range of the entire event, blank line included, if it can be sent as it is: it must be a single `data` line
    /// with LF line ends. nil if the router must write a new event.
    public var frame: Range<Int>?
    /// The summary of the chunk.
    public var content: ContentSummary

    /// Creates a chunk.
    public init(json: Range<Int>, frame: Range<Int>?, content: ContentSummary) {
        self.json = json
        self.frame = frame
        self.content = content
    }
}
