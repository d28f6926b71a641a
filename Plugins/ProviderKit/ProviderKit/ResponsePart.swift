/// A part of a response. Its ranges refer to the bytes of the decoder's call that has added it.
///
/// If the client's format passes through, the parts are bytes in that format; otherwise they are typed.
public enum ResponsePart: Sendable {
    /// A chunk of a stream, in the client's format.
    case chunk(PassthroughChunk)
    /// The JSON of a stream's chunk, in the client's format, that is not a range of the decoded bytes.
    case joined([UInt8], Signals)
    /// The range of a complete response, in the client's format.
    case buffered(Range<Int>, Signals)
    /// A typed event of a chat response.
    case event(ChatEvent)
    /// Vectors, which are the complete response.
    case embeddings(EmbeddingsResponse)
    /// The number of a request's tokens, which is the complete response.
    case count(tokens: Int)
    /// The range of bytes of a response that is neither an object nor a stream of chunks, and its `content-type`.
    case payload(Range<Int>, contentType: String, Signals)

    /// What the router acts on in the part.
    public var signals: Signals {
        switch self {
        case .chunk(let chunk): chunk.signals
        case .joined(_, let signals), .buffered(_, let signals), .payload(_, _, let signals): signals
        case .event(let event): event.signals
        case .embeddings(let response): response.signals
        case .count: Signals(finishes: 1)
        }
    }

    /// The memory that the part takes, besides the decoded bytes that it refers to.
    var madeBytes: Int {
        let own = MemoryLayout<ResponsePart>.stride
        return switch self {
        case .chunk, .buffered, .count: own
        case .joined(let json, _): own + json.count
        case .payload(_, let contentType, _): own + contentType.utf8.count
        case .event(let event): own + event.textBytes
        case .embeddings(let response):
            response.vectors.reduce(own) { $0 + MemoryLayout<[Float]>.stride + $1.count * MemoryLayout<Float>.stride }
        }
    }
}

/// A chunk of a stream in the client's format, as ranges of the decoded bytes.
public struct PassthroughChunk: Sendable {
    /// The range of the chunk's JSON object. It must not contain line breaks.
    public var json: Range<Int>
    /// The range of the entire event, blank line included, or of the line with its end, if it can be sent as it is:
    /// each of its lines must end with LF. nil if the router must write a new one.
    public var frame: Range<Int>?
    /// What the router acts on in the chunk.
    public var signals: Signals

    /// Creates a chunk.
    public init(json: Range<Int>, frame: Range<Int>?, signals: Signals) {
        self.json = json
        self.frame = frame
        self.signals = signals
    }
}
