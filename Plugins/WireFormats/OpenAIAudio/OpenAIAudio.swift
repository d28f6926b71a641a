import Codecs
public import ProviderKit

/// OpenAI's transcriptions, translations and speech. The router passes their requests through as ``OpenAIObjects``
/// does, and their responses in whatever form the client has asked for: a JSON object, plain text, events, or audio.
///
/// Source: OpenAI's API reference, "Audio".
public enum OpenAIAudio {
    /// Transcriptions: a form with a recording.
    public static let transcriptions = WireFormat("openai-transcriptions")
    /// Translations into English: a form with a recording.
    public static let translations = WireFormat("openai-translations")
    /// Speech: a JSON object with a text.
    public static let speech = WireFormat("openai-speech")

    /// The decoder for a response, whose bytes the client gets as they are.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonObject: return OpenAIObjectDecoder(readsVectors: false, requires: call.operation == .speech ? .nothing : .member("text"))
        case .eventStream:
            guard call.isStream else { throw ProviderError.unreadable("a stream, which was not requested") }
            return OpenAIAudioEventDecoder()
        case .markup: throw ProviderError.unreadable("a page of HTML or XML; check 'base_url'")
        case .jsonArray where head["content-type"]?.lowercased().contains("json") == true:
            throw ProviderError.unreadable("a JSON array")
        case .jsonArray, .jsonLines, .other:
            return PayloadDecoder(
                contentType: head["content-type"] ?? "application/octet-stream", isText: call.operation != .speech,
                length: head["content-encoding"] == nil ? head["content-length"].flatMap { Int($0) } : nil)
        case nil:
            // A recording without words has no text, and no subtitles.
            guard call.payload.asksForText else { throw ProviderError.unreadable("an empty body") }
            return PayloadDecoder(
                contentType: head["content-type"] ?? "text/plain; charset=utf-8", isText: true,
                length: head["content-length"].flatMap { Int($0) })
        }
    }
}

extension Payload {
    /// Whether a form asks for a response that isn't JSON: text or subtitles. Source: OpenAI's API reference, "Create
    /// transcription", `response_format`.
    fileprivate var asksForText: Bool {
        guard case .form(let form) = self, let format = form.parts.last(where: { $0.name == "response_format" })?.text else { return false }
        return !String(decoding: format, as: UTF8.self).hasSuffix("json")
    }
}

/// A decoder for bytes that mean nothing to the router. The end of the body is the end of the response.
///
/// Bytes that begin like a JSON object may be an error, whatever their type says, and so are held until they are seen
/// to be none.
struct PayloadDecoder: ResponseDecoder {
    let contentType: String
    /// Whether the bytes are text, and so count as content. Those of audio are no measure of tokens.
    let isText: Bool
    /// The length of the body; nil if it is unknown.
    let length: Int?
    private var count = 0
    /// The longest error. What is longer is passed on.
    private static let maxErrorBytes = 64 << 10

    init(contentType: String, isText: Bool, length: Int?) {
        self.contentType = contentType
        self.isText = isText
        self.length = length
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        guard bytes.byteCount > 0, !mayBeError(bytes) else { return 0 }
        return pass(bytes, &response)
    }

    private var isLabelledJSON: Bool { contentType.lowercased().contains("json") }

    private func mayBeError(_ bytes: RawSpan) -> Bool {
        guard count == 0, bytes.byteCount <= Self.maxErrorBytes else { return false }
        if isLabelledJSON { return true }
        // Sound may begin with a brace too.
        var beginning: [UInt8] = []
        for index in 0..<bytes.byteCount where !JSON.isBlank(bytes.byte(index)) && beginning.count < 2 {
            beginning.append(bytes.byte(index))
        }
        guard let first = beginning.first else { return true }
        return first == ASCII.openBrace && (beginning.count < 2 || [ASCII.quote, ASCII.closeBrace].contains(beginning[1]))
    }

    private mutating func pass(_ bytes: RawSpan, _ response: inout ResponseSink) -> Int {
        guard bytes.byteCount > 0 else { return 0 }
        let content = isText ? bytes.byteCount : count == 0 ? 1 : 0
        count += bytes.byteCount
        response.payload(0..<bytes.byteCount, contentType: contentType, signals: Signals(contentBytes: content))
        return bytes.byteCount
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if mayBeError(bytes), let members = try? JSON.members(of: bytes) {
            let hasError = members.contains { JSON.isKey($0.key, "error", in: bytes) && ErrorBody(bytes.extracting($0.value.range)) != nil }
            if hasError { throw ProviderError.reported(bytes) }
            if let failure = OpenAIChat.failureWithoutChoices(bytes) { throw failure }
        }
        if isLabelledJSON, count == 0, bytes.byteCount == 4, bytes.equals(0..<4, "null") { throw .unreadable("JSON that is null") }
        _ = pass(bytes, &response)
        if let length, count < length { throw .truncated("the upstream closed the response before its end") }
        if count == 0 { response.payload(0..<0, contentType: contentType, signals: Signals(finishes: 1)) }
        response.complete()
    }
}

/// A decoder for the events of a transcription or of speech.
///
/// OpenAI ends a response with an event whose type ends with `.done`. vLLM sends chunks like chat's, and then `[DONE]`.
/// Sources: OpenAI's API reference, "Transcription stream events" and "Speech stream events"; vLLM's
/// `entrypoints/openai`, class `TranscriptionStreamResponse`.
struct OpenAIAudioEventDecoder: ResponseDecoder {
    private static let contentType = "text/event-stream; charset=utf-8"
    private var events = SSEDecoder()
    private var hasFinished = false
    private var isComplete = false

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while !isComplete {
            let event: SSEEvent?
            do throws(SSEError) { event = try events.nextEvent(bytes) } catch {
                throw ProviderError.unreadable("an invalid event stream: \(error)")
            }
            guard let event else { return events.consume() }
            try read(event, bytes, &response)
        }
        return bytes.byteCount
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if !isComplete, let event = events.finish(bytes) {
            // The last event has no blank line, so it may be cut off. Then it is ignored.
            do throws(ProviderError) { try read(event, bytes, &response) } catch  where error.isUnreadable {}
        }
        guard hasFinished else { throw .truncated("the upstream closed the stream before its end") }
        response.complete()
    }

    private mutating func read(_ event: SSEEvent, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if let joined = event.joinedData { return try read(event, joined.span.bytes, 0..<joined.count, &response) }
        if event.isType("error", in: bytes) { throw ProviderError.reported(bytes.extracting(event.data)) }
        guard !event.data.isEmpty else { return }
        try read(event, bytes, event.data, &response)
    }

    private mutating func read(
        _ event: SSEEvent, _ bytes: RawSpan, _ data: Range<Int>, _ response: inout ResponseSink
    ) throws(ProviderError) {
        var signals = Signals()
        if OpenAIChat.isEnd(data, bytes) {
            (hasFinished, isComplete) = (true, true)
        } else {
            signals = try self.signals(of: bytes.extracting(data), &response)
            if signals.finishes > 0 { hasFinished = true }
        }
        response.payload(event.frame, contentType: Self.contentType, signals: signals)
        if isComplete { response.complete() }
    }

    private func signals(of object: RawSpan, _ response: inout ResponseSink) throws(ProviderError) -> Signals {
        guard let members = try? JSON.members(of: object) else { throw ProviderError.unreadable("an event that is no JSON object") }
        var signals = Signals()
        var isError = false, isKnown = false
        for member in members {
            let value = member.value
            if JSON.isKey(member.key, "type", in: object), value.kind == .string {
                let type = JSON.string(value.range, in: object)
                isKnown = true
                isError = type == "error"
                if type.hasSuffix(".done") { signals.finishes = 1 }
            } else if JSON.isKey(member.key, "error", in: object), value.kind == .object || value.kind == .string,
                ErrorBody(object.extracting(value.range)) != nil
            {
                throw ProviderError.reported(object)
            } else if JSON.isKey(member.key, "delta", in: object) {
                signals.contentBytes = max(signals.contentBytes, value.range.count - 2)
            } else if JSON.isKey(member.key, "audio", in: object) {
                signals.contentBytes = max(signals.contentBytes, 1)
            } else if JSON.isKey(member.key, "choices", in: object) {
                isKnown = true
                signals.contentBytes = max(signals.contentBytes, 1)
            } else if JSON.isKey(member.key, "usage", in: object), value.kind == .object {
                var cursor = JSONCursor(at: value.range.lowerBound)
                if let usage = try? Usage(&cursor, object) { response.usage(usage) }
            }
        }
        if isError { throw ProviderError.reported(object) }
        if !isKnown, let failure = OpenAIChat.failureWithoutChoices(object) { throw failure }
        return signals
    }
}
