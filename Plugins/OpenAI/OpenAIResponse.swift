import Codecs
import ProviderKit

/// The reading of responses in OpenAI's format.
enum OpenAIResponse {
    /// The decoder for the content that the head announces. A server may send one JSON response although a stream was
    /// requested. A page of HTML is not a response.
    static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        let contentType = head["content-type"] ?? ""
        if let encoding = head["content-encoding"], encoding.lowercased() != "identity" {
            throw unreadable("the content encoding '\(encoding)', which was not requested")
        }
        if contentType.begins(with: "text/event-stream") {
            guard call.isStream else { throw unreadable("an event stream instead of JSON") }
            return OpenAIStreamDecoder(keepsText: call.keepsText)
        }
        if contentType.begins(with: "text/html") { throw unreadable("a page of HTML; check 'base_url'") }
        if call.isStream, contentType.isEmpty { return OpenAIStreamDecoder(keepsText: call.keepsText) }
        if call.isStream, !contentType.begins(with: "application/json") {
            throw unreadable("the content type '\(contentType)' instead of an event stream")
        }
        return OpenAIBufferedDecoder(keepsText: call.keepsText)
    }

}

/// A decoder for a stream of `chat.completion.chunk` events, which are forwarded as they are.
struct OpenAIStreamDecoder: ResponseDecoder {
    /// The choices that have had content, a bit for each.
    private var begun: UInt64 = 0
    /// The choices that have ended since they last had content, a bit for each.
    private var finished: UInt64 = 0
    private var isComplete = false
    private let keepsText: Bool
    private var pattern = ChunkPattern()
    private var events = SSEDecoder()

    init(keepsText: Bool) {
        self.keepsText = keepsText
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while !isComplete {
            let event: SSEEvent?
            do throws(SSEError) { event = try events.nextEvent(bytes) } catch {
                throw OpenAIResponse.unreadable("an invalid event stream: \(error)")
            }
            guard let event else { return events.consume() }
            try read(event, bytes, &response)
        }
        return bytes.byteCount  // what follows `[DONE]` is ignored
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if isComplete { return }
        if let event = events.finish(bytes) {
            // The last event has no blank line, so it may be cut off. Then it is ignored.
            do throws(ProviderError) { try read(event, bytes, &response) } catch  where error.code == OpenAIResponse.unreadableCode {
                throw .truncated("the upstream closed the stream in the middle of an event")
            }
        }
        if isComplete { return }
        guard finished != 0, begun & ~finished == 0 else { throw .truncated("the upstream closed the stream before its end") }
        response.complete()
    }

    private mutating func read(_ event: SSEEvent, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if let joined = event.joinedData {
            let span = joined.span.bytes
            if isEnd(0..<joined.count, span) { return end(&response) }
            let chunk = try OpenAIChunk(0..<joined.count, in: span, isErrorEvent: event.isType("error", in: bytes))
            // In JSON, a line end is only allowed between tokens, where a space means the same.
            let json = joined.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
            record(chunk, of: span, &response)
            return response.chunk(joined: json, content: chunk.content)
        }
        guard !event.data.isEmpty else { return }
        if isEnd(event.data, bytes) { return end(&response) }
        let chunk = try chunk(event, bytes)
        record(chunk, of: bytes, &response)
        response.chunk(PassthroughChunk(json: event.data, frame: event.isCanonical ? event.frame : nil, content: chunk.content))
    }

    private mutating func chunk(_ event: SSEEvent, _ bytes: RawSpan) throws(ProviderError) -> OpenAIChunk {
        let isError = event.isType("error", in: bytes)
        if !isError, let chunk = pattern.chunk(event.data, in: bytes) { return chunk }
        let chunk = try OpenAIChunk(event.data, in: bytes, isErrorEvent: isError)
        pattern.learn(chunk, event.data, in: bytes)
        return chunk
    }

    private mutating func record(_ chunk: OpenAIChunk, of bytes: RawSpan, _ response: inout ResponseSink) {
        if keepsText { chunk.keepText(of: bytes, in: &response) }
        if let usage = chunk.usage { response.usage(usage) }
        begun |= chunk.open
        finished = finished & ~chunk.open | chunk.ended
    }

    private mutating func end(_ response: inout ResponseSink) {
        isComplete = true
        response.complete()
    }

    /// Whether an event ends the stream. OpenAI's SDK accepts data that *begins with* `[DONE]`, and some servers put
    /// spaces around it.
    private func isEnd(_ data: Range<Int>, _ bytes: RawSpan) -> Bool {
        var start = data.lowerBound
        while start < data.upperBound, bytes.unsafeLoad(fromByteOffset: start, as: UInt8.self) == 0x20 { start += 1 }
        let mark: StaticString = "[DONE]"
        guard data.upperBound - start >= mark.utf8CodeUnitCount else { return false }
        for (offset, byte) in UnsafeBufferPointer(start: mark.utf8Start, count: mark.utf8CodeUnitCount).enumerated() {
            guard bytes.unsafeLoad(fromByteOffset: start + offset, as: UInt8.self) == byte else { return false }
        }
        return true
    }
}

/// A decoder for one `chat.completion` object, which is forwarded as it is. It consumes nothing before the end.
struct OpenAIBufferedDecoder: ResponseDecoder {
    let keepsText: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard bytes.byteCount > 0 else { throw OpenAIResponse.unreadable("an empty body") }
        let chunk = try OpenAIChunk(0..<bytes.byteCount, in: bytes, isErrorEvent: false)
        guard chunk.choices > 0 else { throw OpenAIResponse.unreadable("JSON without choices") }
        guard chunk.content.hasBegun else { throw OpenAIResponse.unreadable("neither content nor a finish reason") }
        if keepsText { chunk.keepText(of: bytes, in: &response) }
        if let usage = chunk.usage { response.usage(usage) }
        response.buffered(chunk.json, content: chunk.content)
        response.complete()
    }
}

extension OpenAIChunk {
    /// Collects the text for a continuation. The texts of several choices are not one text, and a text in parts is not
    /// read, so then the text is discarded.
    func keepText(of bytes: RawSpan, in response: inout ResponseSink) {
        if open & ~1 != 0 || hasTextInParts { response.discardText() }
        if let text { response.keep(text: JSON.string(text, in: bytes)) }
    }
}

extension String {
    /// Whether the text begins with `start` in any case.
    ///
    /// - Parameter start: a text in lower case.
    fileprivate func begins(with start: StaticString) -> Bool {
        var text = self
        return text.withUTF8 { text in
            guard text.count >= start.utf8CodeUnitCount else { return false }
            return (0..<start.utf8CodeUnitCount).allSatisfy { ASCII.lowercased(text[$0]) == start.utf8Start[$0] }
        }
    }
}
