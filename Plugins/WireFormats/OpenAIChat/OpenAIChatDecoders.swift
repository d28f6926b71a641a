import Codecs
public import ProviderKit

extension OpenAIChat {
    /// The decoder for what the server sends, whatever was requested: some stream always, and some never.
    ///
    /// It passes the response through if the client has this format, and gives typed events otherwise.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        let decoder = try passingDecoder(for: call, head: head)
        return call.isTyped ? OpenAIEventDecoder(decoder, call) : decoder
    }

    private static func passingDecoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .eventStream: return OpenAIStreamDecoder(keepsText: call.keepsText)
        case .jsonLines: return OpenAILinesDecoder(keepsText: call.keepsText)
        case .jsonObject, .jsonArray: return OpenAIBufferedDecoder(keepsText: call.keepsText)
        case .markup: throw ProviderError.unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw ProviderError.unreadable("neither JSON nor an event stream; check 'base_url'")
        case nil: throw ProviderError.unreadable("an empty body")
        }
    }

    /// Whether data ends the stream. OpenAI's SDK accepts data that *begins with* `[DONE]`, and some servers put
    /// spaces around it.
    static func isEnd(_ data: Range<Int>, _ bytes: RawSpan) -> Bool {
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

extension OpenAIChat {
    /// Whether data is a JSON value that can't hold a chunk, such as `null`. SDKs would fail at it, so it isn't passed
    /// on.
    static func saysNothing(_ data: RawSpan) -> Bool {
        var cursor = JSONCursor()
        guard let value = try? cursor.skipValue(data), (try? cursor.end(data)) != nil else { return false }
        switch value.kind {
        case .null, .true, .false, .number: return true
        case .array, .string: return value.range.count == 2
        case .object: return false
        }
    }
}

/// Which choices of a response have begun and ended.
struct ChoiceProgress {
    /// The choices that have been in a chunk, a bit for each.
    private var begun: UInt64 = 0
    /// The choices that have had content or have ended, a bit for each.
    private var said: UInt64 = 0
    /// The choices that have ended since they last had content, a bit for each.
    private var finished: UInt64 = 0

    mutating func record(_ chunk: OpenAIChunk) {
        begun |= chunk.present
        said |= chunk.open | chunk.ended
        finished = finished & ~chunk.open | chunk.ended
    }

    /// Whether every choice that has begun has ended, and at least one has.
    var isComplete: Bool { finished != 0 && begun & ~finished == 0 }

    /// Whether a choice has begun, and has neither had content nor ended, while another one has. The end marker doesn't
    /// make it complete.
    var hasSilentChoice: Bool { said != 0 && begun & ~said != 0 }
}

/// A decoder for a stream of `chat.completion.chunk` events, which are forwarded as they are.
struct OpenAIStreamDecoder: ResponseDecoder {
    private var progress = ChoiceProgress()
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
                throw ProviderError.unreadable("an invalid event stream: \(error)")
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
            do throws(ProviderError) { try read(event, bytes, &response) } catch  where error.isUnreadable {
                throw .truncated("the upstream closed the stream in the middle of an event")
            }
        }
        if isComplete { return }
        guard progress.isComplete else { throw .truncated("the upstream closed the stream before its end") }
        response.complete()
    }

    private mutating func read(_ event: SSEEvent, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if event.isType("error", in: bytes) {
            if let joined = event.joinedData { throw ProviderError.reported(joined.span.bytes) }
            throw ProviderError.reported(bytes.extracting(event.data))
        }
        if let joined = event.joinedData { return try read(joined, &response) }
        guard !event.data.isEmpty else { return }
        if OpenAIChat.isEnd(event.data, bytes) { return try end(&response) }
        let chunk: OpenAIChunk
        do throws(ProviderError) { chunk = try self.chunk(event, bytes, hasBegun: response.hasBegun) } catch {
            guard error.code == ProviderError.unreadableCode else { throw error }
            if OpenAIChat.saysNothing(bytes.extracting(event.data)) { return }
            // After its finish reasons a stream is complete, however it ends: some servers write `[done]`. A broken
            // object may be content that is lost.
            let first = event.data.first { !JSON.isBlank(bytes.byte($0)) }
            guard progress.isComplete, first.map({ bytes.byte($0) }) != ASCII.openBrace else { throw error }
            return try end(&response)
        }
        record(chunk, of: bytes, &response)
        if chunk.hasMessage { return response.buffered(chunk.json, signals: chunk.signals) }
        response.chunk(PassthroughChunk(json: event.data, frame: event.isCanonical ? event.frame : nil, signals: chunk.signals))
    }

    /// Reads an event of several lines. If it is not one JSON text, each line is a chunk: some servers send no blank
    /// lines between events.
    private mutating func read(_ joined: [UInt8], _ response: inout ResponseSink) throws(ProviderError) {
        let bytes = joined.span.bytes
        let isOneText = (try? JSON.validate(bytes)) != nil
        var start = 0
        while start < joined.count, !isComplete {
            let end = isOneText ? joined.count : bytes.firstIndex(of: ASCII.lineFeed, in: start..<joined.count) ?? joined.count
            let line = start..<end
            start = end + 1
            if line.isEmpty { continue }
            if OpenAIChat.isEnd(line, bytes) { return try self.end(&response) }
            let chunk = try OpenAIChunk(line, in: bytes, hasBegun: response.hasBegun)
            record(chunk, of: bytes, &response)
            response.chunk(joined: JSON.onOneLine(joined[line]), signals: chunk.signals)
        }
    }

    private mutating func chunk(_ event: SSEEvent, _ bytes: RawSpan, hasBegun: Bool) throws(ProviderError) -> OpenAIChunk {
        if let chunk = pattern.chunk(event.data, in: bytes) { return chunk }
        let chunk = try OpenAIChunk(event.data, in: bytes, hasBegun: hasBegun)
        pattern.learn(chunk, event.data, in: bytes)
        return chunk
    }

    private mutating func record(_ chunk: OpenAIChunk, of bytes: RawSpan, _ response: inout ResponseSink) {
        if keepsText { chunk.keepText(of: bytes, in: &response) }
        if let usage = chunk.usage { response.usage(usage) }
        chunk.noteHost(of: bytes, in: &response)
        progress.record(chunk)
    }

    private mutating func end(_ response: inout ResponseSink) throws(ProviderError) {
        guard !progress.hasSilentChoice else { throw .silentChoice }
        isComplete = true
        response.complete()
    }
}

/// A decoder for chunks that are lines of JSON instead of events. A line may begin with `data:` and the last one may be
/// `[DONE]`, as in an event stream.
struct OpenAILinesDecoder: ResponseDecoder {
    private let keepsText: Bool
    private var isComplete = false
    private var progress = ChoiceProgress()
    private var lines = NDJSONDecoder()

    init(keepsText: Bool) {
        self.keepsText = keepsText
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        do {
            while !isComplete, let line = try lines.nextLine(bytes) { try read(line, bytes, &response) }
        } catch let error as ProviderError {
            throw error
        } catch {
            throw ProviderError.unreadable("invalid lines of JSON: \(error)")
        }
        return isComplete ? bytes.byteCount : lines.consume()  // what follows `[DONE]` is ignored
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if isComplete { return }
        do {
            // A line that begins with `data:` and the mark `[DONE]` are not JSON.
            let line = 0..<bytes.byteCount, data = data(ofLine: line, bytes)
            let isJSON = data.lowerBound == 0 && !OpenAIChat.isEnd(data, bytes)
            if let line = try isJSON ? lines.finish(bytes) : line { try read(line, bytes, &response) }
        } catch let error as ProviderError where !error.isUnreadable {
            throw error
        } catch {
            throw .truncated("the upstream closed the stream in the middle of a line")
        }
        if isComplete { return }
        guard progress.isComplete else { throw .truncated("the upstream closed the stream before its end") }
        response.complete()
    }

    private mutating func read(_ line: Range<Int>, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        let line = data(ofLine: line, bytes)
        if line.isEmpty { return }
        if OpenAIChat.isEnd(line, bytes) {
            guard !progress.hasSilentChoice else { throw .silentChoice }
            isComplete = true
            return response.complete()
        }
        let chunk = try OpenAIChunk(line, in: bytes, hasBegun: response.hasBegun)
        progress.record(chunk)
        chunk.add(to: &response, of: bytes, keepsText: keepsText)
    }

    /// The line without the field name of an event stream.
    private func data(ofLine line: Range<Int>, _ bytes: RawSpan) -> Range<Int> {
        guard line.count >= 5, bytes.equals(line.lowerBound..<line.lowerBound + 5, "data:") else { return line }
        return line.lowerBound + 5..<line.upperBound
    }
}

/// A decoder for one `chat.completion` object, which is forwarded as it is. It consumes nothing before the end. A body
/// of several objects, or of one array of them, is decoded like a stream.
struct OpenAIBufferedDecoder: ResponseDecoder {
    let keepsText: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard bytes.byteCount > 0 else { throw ProviderError.unreadable("an empty body") }
        let chunk: OpenAIChunk
        do {
            chunk = try OpenAIChunk(0..<bytes.byteCount, in: bytes, hasBegun: false)
        } catch  where error.isUnreadable {
            let (objects, hasEnd) = Self.objects(in: bytes)
            guard !objects.isEmpty else { throw error }
            guard objects.count == 1, !hasEnd else { return try finish(objects, hasEnd, bytes, &response) }
            chunk = try OpenAIChunk(objects[0], in: bytes, hasBegun: false)
        }
        guard chunk.choices > 0 else { throw ProviderError.unreadable("JSON without choices") }
        guard !chunk.hasEmptyChoice else { throw ProviderError.empty }
        if keepsText { chunk.keepText(of: bytes, in: &response) }
        if let usage = chunk.usage { response.usage(usage) }
        chunk.noteHost(of: bytes, in: &response)
        response.buffered(chunk.json, signals: chunk.signals)
        response.complete()
    }

    private func finish(_ objects: [Range<Int>], _ hasEnd: Bool, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        var progress = ChoiceProgress()
        for object in objects {
            let chunk = try OpenAIChunk(object, in: bytes, hasBegun: response.hasBegun)
            progress.record(chunk)
            chunk.add(to: &response, of: bytes, keepsText: keepsText)
        }
        guard hasEnd || progress.isComplete else { throw .truncated("the upstream closed the stream before its end") }
        guard !progress.hasSilentChoice else { throw .silentChoice }
        response.complete()
    }

    /// The elements of an array, or the objects that follow each other, and whether `[DONE]` ends these; empty if there
    /// is anything else.
    private static func objects(in bytes: RawSpan) -> ([Range<Int>], hasEnd: Bool) {
        var cursor = JSONCursor()
        var objects: [Range<Int>] = []
        do throws(JSONError) {
            if try cursor.peekKind(bytes) == .array {
                try cursor.enterArray(bytes)
                while try cursor.nextElement(bytes) { objects.append(try cursor.skipValue(bytes).range) }
                try cursor.end(bytes)
            } else {
                var rest = 0
                while rest < bytes.byteCount {
                    if OpenAIChat.isEnd(rest..<bytes.byteCount, bytes) { return (objects, true) }
                    var cursor = JSONCursor(at: rest)
                    guard try cursor.peekKind(bytes) == .object else { return ([], false) }
                    let object = try cursor.skipValue(bytes).range
                    objects.append(object)
                    rest = object.upperBound
                    while rest < bytes.byteCount, JSON.isBlank(bytes.byte(rest)) { rest += 1 }
                }
            }
        } catch {
            return ([], false)
        }
        return (objects, false)
    }
}

extension OpenAIChunk {
    /// Adds the chunk to a response, as a range if its JSON is on one line.
    func add(to response: inout ResponseSink, of bytes: RawSpan, keepsText: Bool) {
        if keepsText { keepText(of: bytes, in: &response) }
        if let usage { response.usage(usage) }
        if hasMessage { return response.buffered(json, signals: signals) }
        if bytes.firstIndex(of: ASCII.lineFeed, in: json) == nil, bytes.firstIndex(of: ASCII.carriageReturn, in: json) == nil {
            response.chunk(PassthroughChunk(json: json, frame: nil, signals: signals))
        } else {
            response.chunk(joined: JSON.onOneLine(Array(copying: json, of: bytes)), signals: signals)
        }
    }

    /// Collects the text for a continuation. The texts of several choices are not one text, and a text in parts is not
    /// read, so then the text is discarded.
    func keepText(of bytes: RawSpan, in response: inout ResponseSink) {
        if open & ~1 != 0 || hasTextInParts { response.discardText() }
        if let text { response.keep(text: JSON.string(text, in: bytes)) }
    }
}
