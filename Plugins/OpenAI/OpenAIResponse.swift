import Codecs
import ProviderKit

enum OpenAIResponse {
    /// The decoder for what the head announces. A stream that was asked for may come as one JSON response; a page of HTML is no response.
    static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        let contentType = head["content-type"] ?? ""
        if let encoding = head["content-encoding"], encoding.lowercased() != "identity" {
            throw unreadable("the content encoding '\(encoding)', which was not asked for")
        }
        if contentType.begins(with: "text/event-stream") {
            guard call.isStream else { throw unreadable("an event stream where JSON was asked for") }
            return OpenAIStreamDecoder(keepsText: call.keepsText)
        }
        if contentType.begins(with: "text/html") { throw unreadable("text/html; check `base_url`") }
        if call.isStream, contentType.isEmpty { return OpenAIStreamDecoder(keepsText: call.keepsText) }
        if call.isStream, !contentType.begins(with: "application/json") {
            throw unreadable("the content type '\(contentType)' instead of an event stream")
        }
        return OpenAIBufferedDecoder(keepsText: call.keepsText)
    }

    static let unreadableCode = "upstream_unreadable"

    static func unreadable(_ what: String) -> ProviderError {
        ProviderError(.upstreamError, message: "the upstream answered with \(what)", code: unreadableCode)
    }

    static func failure(_ body: OpenAIErrorBody) -> ProviderError {
        ProviderError(
            body.failureClass(status: nil), status: body.status,
            message: body.fullMessage ?? "the upstream sent an error event without a message",
            code: body.code, type: body.type, param: body.param, retryAfter: body.wait(UpstreamHead(status: body.status ?? 200)))
    }
}

/// A stream of `chat.completion.chunk` events, passed on as it came.
struct OpenAIStreamDecoder: ResponseDecoder {
    /// Bits of the choices that have had content, and of those that have finished since.
    private var begun: UInt64 = 0
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
                throw OpenAIResponse.unreadable("a broken event stream: \(error)")
            }
            guard let event else { return events.consume() }
            try read(event, bytes, &response)
        }
        return bytes.byteCount  // what follows `[DONE]` belongs to nobody
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if isComplete { return }
        if let event = events.finish(bytes) {
            // Without its blank line the last event may be cut: then it says nothing.
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
            // Between JSON's tokens a line end is white space, and inside a string it can't stand: a space means the same on one line.
            let json = joined.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
            learn(chunk, of: span, &response)
            return response.chunk(joined: json, content: chunk.content)
        }
        guard !event.data.isEmpty else { return }
        if isEnd(event.data, bytes) { return end(&response) }
        let chunk = try chunk(event, bytes)
        learn(chunk, of: bytes, &response)
        response.chunk(PassedChunk(json: event.data, frame: event.isCanonical ? event.frame : nil, content: chunk.content))
    }

    private mutating func chunk(_ event: SSEEvent, _ bytes: RawSpan) throws(ProviderError) -> OpenAIChunk {
        let isError = event.isType("error", in: bytes)
        if !isError, let chunk = pattern.chunk(event.data, in: bytes) { return chunk }
        let chunk = try OpenAIChunk(event.data, in: bytes, isErrorEvent: isError)
        pattern.learn(chunk, event.data, in: bytes)
        return chunk
    }

    private mutating func learn(_ chunk: OpenAIChunk, of bytes: RawSpan, _ response: inout ResponseSink) {
        if keepsText { chunk.keepText(of: bytes, in: &response) }
        if let usage = chunk.usage { response.usage(usage) }
        begun |= chunk.open
        finished = finished & ~chunk.open | chunk.ended
    }

    private mutating func end(_ response: inout ResponseSink) {
        isComplete = true
        response.complete()
    }

    /// OpenAI's SDK ends on data that *starts with* `[DONE]`; some servers put spaces around it.
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

/// One `chat.completion` object, passed on as it came.
struct OpenAIBufferedDecoder: ResponseDecoder {
    let keepsText: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard bytes.byteCount > 0 else { throw OpenAIResponse.unreadable("nothing") }
        let chunk = try OpenAIChunk(0..<bytes.byteCount, in: bytes, isErrorEvent: false)
        guard chunk.choices > 0 else { throw OpenAIResponse.unreadable("JSON that holds no choices") }
        if keepsText { chunk.keepText(of: bytes, in: &response) }
        if let usage = chunk.usage { response.usage(usage) }
        response.buffered(chunk.json, content: chunk.content)
        response.complete()
    }
}

extension OpenAIChunk {
    /// The texts of two choices are no one text, and text in parts is not read: then none is kept.
    func keepText(of bytes: RawSpan, in response: inout ResponseSink) {
        if open & ~1 != 0 || hasTextInParts { response.loseText() }
        if let text { response.keep(text: JSON.string(text, in: bytes)) }
    }
}

extension String {
    /// `start` is given in lower case, and meant in any.
    fileprivate func begins(with start: StaticString) -> Bool {
        var text = self
        return text.withUTF8 { text in
            guard text.count >= start.utf8CodeUnitCount else { return false }
            for i in 0..<start.utf8CodeUnitCount where text[i] != start.utf8Start[i] {
                guard (0x41...0x5A).contains(text[i]), text[i] | 0x20 == start.utf8Start[i] else { return false }
            }
            return true
        }
    }
}
