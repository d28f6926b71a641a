import Codecs
public import ProviderKit

extension Gemini {
    /// The decoder for what the server sends.
    ///
    /// It passes the response through if the client has this format, and gives typed events otherwise; also if the
    /// server streams a response that was to be one object, or the reverse. Gemini itself streams an array where
    /// `alt=sse` is missing. Source: Gemini API reference, "streamGenerateContent".
    ///
    /// - Parameter signatures: where the signatures of typed responses are kept; nil: nowhere.
    public static func decoder(
        for call: Call, head: UpstreamHead, signatures: GeminiSignatures? = nil
    ) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonObject where call.operation == .countTokens: return TokenCountDecoder("totalTokens", isTyped: call.isTyped)
        case .jsonObject where call.operation == .embeddings: return GeminiEmbeddingsDecoder(isTyped: call.isTyped)
        case .eventStream: return GeminiStreamDecoder(call, signatures, passesThrough: call.isStream && !call.isTyped)
        case .jsonObject:
            return ObjectOrLinesDecoder(
                GeminiObjectDecoder(call: call, signatures: signatures),
                orLines: ReframedDecoder(GeminiStreamDecoder(call, signatures, passesThrough: false), takes: .events, from: .jsonLines))
        case .jsonLines, .jsonArray:
            guard call.operation == .chat else { throw .unreadable("neither a response nor an event stream; check 'base_url'") }
            return ReframedDecoder(GeminiStreamDecoder(call, signatures, passesThrough: false), takes: .events, from: head.bodyForm)
        case .markup: throw .unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw .unreadable("neither JSON nor an event stream; check 'base_url'")
        case nil: throw .unreadable("an empty body")
        }
    }
}

/// A decoder for a stream of chunks. Nothing marks its end, so it is complete if it has a finish reason when it ends.
struct GeminiStreamDecoder: ResponseDecoder {
    private var events = SSEDecoder()
    /// Gives typed events; nil if the stream passes through.
    private var reader: GeminiEventReader?
    private let keepsText: Bool
    private var hasFinished = false

    init(_ call: Call, _ signatures: GeminiSignatures?, passesThrough: Bool) {
        keepsText = call.keepsText
        reader = passesThrough ? nil : GeminiEventReader(call, signatures)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while true {
            let event: SSEEvent?
            do throws(SSEError) { event = try events.nextEvent(bytes) } catch { throw .unreadable("an invalid event stream: \(error)") }
            guard let event else { return events.consume() }
            try read(event, bytes, &response)
        }
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if let event = events.finish(bytes) {
            // The last event has no blank line, so it may be cut off. Then it is ignored.
            do throws(ProviderError) { try read(event, bytes, &response) } catch  where error.isUnreadable {
                if !hasFinished { throw .truncated("the upstream closed the stream in the middle of an event") }
            }
        }
        guard hasFinished else { throw .truncated("the upstream closed the stream before its end") }
        reader?.end(&response)
        response.complete()
    }

    private mutating func read(_ event: SSEEvent, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if let joined = event.joinedData {
            let json = JSON.onOneLine(joined)
            let chunk = try read(json.span.bytes, isError: event.isType("error", in: bytes), &response)
            if reader == nil { response.pass(joined: json, signals: chunk.signals, hasStrayError: chunk.hasStrayError) }
            return
        }
        // Proxies end every stream like OpenAI.
        guard !event.data.isEmpty, !bytes.extracting(event.data).isDoneMark else { return }
        let chunk = try read(bytes.extracting(event.data), isError: event.isType("error", in: bytes), &response)
        if reader == nil {
            response.pass(
                PassthroughChunk(json: event.data, frame: event.isPlain ? event.frame : nil, signals: chunk.signals), of: bytes,
                hasStrayError: chunk.hasStrayError)
        }
    }

    /// Reads a chunk, and adds its typed events.
    private mutating func read(_ json: RawSpan, isError: Bool, _ response: inout ResponseSink) throws(ProviderError) -> GeminiChunk {
        if isError { throw .reported(json) }
        let chunk = try GeminiChunk(json, hasBegun: response.hasBegun)
        response.read(chunk, json, keepsText: keepsText)
        if chunk.signals.finishes > 0 { hasFinished = true }
        if reader != nil, let object = JSONTree(json) {
            response.note(chunk.signals)
            try reader?.read(object, &response)
        }
        return chunk
    }
}

/// A decoder for one complete response. It consumes nothing before the end.
struct GeminiObjectDecoder: ResponseDecoder {
    let call: Call
    let signatures: GeminiSignatures?

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        var end = bytes.byteCount
        while end > 0, JSON.isBlank(bytes.byte(end - 1)) { end -= 1 }
        let chunk = try GeminiChunk(bytes, hasBegun: false)
        guard chunk.signals.hasBegun else { throw .empty }
        response.read(chunk, bytes, keepsText: call.keepsText)
        var signals = chunk.signals
        signals.finishes = max(1, signals.finishes)
        if call.isTyped {
            guard let object = JSONTree(bytes) else { throw .unreadable("invalid JSON") }
            var reader = GeminiEventReader(call, signatures)
            response.note(signals)
            try reader.read(object, &response)
            reader.end(&response)
        } else if call.isStream {
            // A complete response is a stream of one chunk.
            response.chunk(joined: bytes.withUnsafeBytes { JSON.onOneLine($0[..<end]) }, signals: signals)
        } else {
            response.buffered(0..<end, signals: signals)
        }
        response.complete()
    }
}

/// A decoder for vectors. It consumes nothing before the end.
struct GeminiEmbeddingsDecoder: ResponseDecoder {
    let isTyped: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard let object = JSONTree(bytes) else { throw .truncated("the upstream closed the response in the middle of a JSON object") }
        if object["error"] != nil { throw .reported(bytes) }
        guard let vectors = GeminiEmbeddings.readResponse(object) else { throw .unreadable("JSON without vectors") }
        if var usage = object["usageMetadata"].flatMap(Usage.init(gemini:)) {
            // Embeddings have no tokens of their own.
            usage.completionTokens = usage.completionTokens ?? 0
            response.usage(usage)
        }
        if isTyped { response.embeddings(vectors) } else { response.buffered(0..<bytes.byteCount, signals: vectors.signals) }
        response.complete()
    }
}

extension ResponseSink {
    /// Takes the usage and the text of a chunk.
    fileprivate mutating func read(_ chunk: GeminiChunk, _ json: RawSpan, keepsText: Bool) {
        if let usage = chunk.usage.flatMap({ JSONTree(json.extracting($0)) }).flatMap(Usage.init(gemini:)) { self.usage(usage) }
        if keepsText { for text in chunk.texts { keep(text: JSON.string(text, in: json)) } }
    }
}
