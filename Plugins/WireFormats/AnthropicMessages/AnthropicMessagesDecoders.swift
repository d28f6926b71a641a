import Codecs
public import ProviderKit

extension AnthropicMessages {
    /// The decoder for what the server sends.
    ///
    /// It passes the response through if the client has this format, and gives typed events otherwise; also if the
    /// server streams a response that was to be one object, or the reverse.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonObject where call.operation == .countTokens: return TokenCountDecoder("input_tokens", isTyped: call.isTyped)
        case .eventStream: return AnthropicStreamDecoder(call, passesThrough: call.isStream && !call.isTyped)
        case .jsonObject:
            return ObjectOrLinesDecoder(
                AnthropicBufferedDecoder(call: call, passesThrough: !call.isStream && !call.isTyped),
                orLines: ReframedDecoder(AnthropicStreamDecoder(call, passesThrough: false), takes: .events, from: .jsonLines))
        case .jsonLines, .jsonArray:
            guard call.operation == .chat else { throw .unreadable("neither a message nor an event stream; check 'base_url'") }
            return ReframedDecoder(
                AnthropicStreamDecoder(call, passesThrough: false), takes: .events, from: head.bodyForm,
                whole: ("type", "message", AnthropicBufferedDecoder(call: call, passesThrough: false)))
        case .markup: throw .unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw .unreadable("neither JSON nor an event stream; check 'base_url'")
        case nil: throw .unreadable("an empty body")
        }
    }
}

/// A decoder for a stream of events.
struct AnthropicStreamDecoder: ResponseDecoder {
    private var events = SSEDecoder()
    private var usage = AnthropicUsage()
    /// Gives typed events; nil if the stream passes through.
    private var reader: AnthropicEventReader?
    private let keepsText: Bool
    private var hasStopReason = false
    private var isComplete = false

    init(_ call: Call, passesThrough: Bool) {
        keepsText = call.keepsText
        reader = passesThrough ? nil : AnthropicEventReader(call)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while !isComplete {
            let event: SSEEvent?
            do throws(SSEError) { event = try events.nextEvent(bytes) } catch { throw .unreadable("an invalid event stream: \(error)") }
            guard let event else { return events.consume() }
            try read(event, bytes, &response)
        }
        return bytes.byteCount  // what follows `message_stop` is ignored
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
        guard hasStopReason else { throw .truncated("the upstream closed the stream before its end") }
        // Only the end marker is missing.
        if reader == nil { response.chunk(joined: Array(#"{"type":"message_stop"}"#.utf8), signals: Signals()) }
        try complete(&response)
    }

    private mutating func read(_ event: SSEEvent, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if let joined = event.joinedData {
            let json = JSON.onOneLine(joined)
            if event.isType("error", in: bytes) { throw .reported(json.span.bytes) }
            let read = try self.read(0..<json.count, in: json.span.bytes, &response)
            if reader == nil { response.pass(joined: json, signals: read.signals, hasStrayError: read.hasStrayError) }
            if read.isEnd { try complete(&response) }
            return
        }
        if event.isType("error", in: bytes) { throw .reported(bytes.extracting(event.data)) }
        // Proxies end every stream like OpenAI.
        guard !event.data.isEmpty, !bytes.extracting(event.data).isDoneMark else { return }
        let read = try self.read(event.data, in: bytes, &response)
        if reader == nil {
            response.pass(
                PassthroughChunk(json: event.data, frame: event.isPlain ? event.frame : nil, signals: read.signals), of: bytes,
                hasStrayError: read.hasStrayError)
        }
        if read.isEnd { try complete(&response) }
    }

    /// Reads the JSON of an event, and adds its typed events.
    private mutating func read(
        _ json: Range<Int>, in bytes: RawSpan, _ response: inout ResponseSink
    ) throws(ProviderError) -> (signals: Signals, isEnd: Bool, hasStrayError: Bool) {
        let event = try AnthropicEvent(json, in: bytes)
        var signals = Signals()
        switch event.kind {
        case .blockDelta:
            signals.contentBytes = event.deltaBytes
            if case (.json, _)? = event.delta { signals.hasToolCall = event.deltaBytes > 0 }
            if keepsText, case (.text, let text)? = event.delta { response.keep(text: JSON.string(text, in: bytes)) }
        case .blockStart:
            guard let block = event.block else { break }
            let outline = AnthropicBlockOutline(block, in: bytes)
            signals.contentBytes = outline.contentBytes
            signals.hasToolCall = outline.isToolUse
            if let model = outline.fallback { response.served(by: .model(model)) }
            if keepsText, let text = outline.text, text.count > 2 { response.keep(text: JSON.string(text, in: bytes)) }
        case .messageStart:
            guard let message = event.message else { break }
            readUsage(ofMessage: bytes.extracting(message), &response)
        case .messageDelta:
            if let range = event.usage { readUsage(bytes.extracting(range), atStart: false, &response) }
            // Several of these events may come; the response ends once.
            if let reason = event.stopReason, !hasStopReason,
                let end = try Signals(stopReason: JSON.string(reason, in: bytes), hasContent: response.hasBegun)
            {
                hasStopReason = true
                signals = end
            }
        case .blockStop, .messageStop, .error, .other: break
        }
        if reader != nil, signals.finishes > 0 { response.note(signals) }
        reader?.read(event, bytes, &response)
        return (signals, event.kind == .messageStop, event.hasStrayError)
    }

    private mutating func readUsage(ofMessage message: RawSpan, _ response: inout ResponseSink) {
        guard let members = try? JSON.members(of: message) else { return }
        for member in members where JSON.isKey(member.key, "usage", in: message) {
            readUsage(message.extracting(member.value.range), atStart: true, &response)
        }
    }

    private mutating func readUsage(_ json: RawSpan, atStart: Bool, _ response: inout ResponseSink) {
        usage.read(json, atStart: atStart)
        if let usage = usage.usage { response.usage(usage) }
        if let model = usage.fallback { response.served(by: .model(model)) }
    }

    private mutating func complete(_ response: inout ResponseSink) throws(ProviderError) {
        try response.requireContentOrReason()
        isComplete = true
        reader?.end(&response)
        response.complete()
    }
}

/// A decoder for one message. It consumes nothing before the end.
struct AnthropicBufferedDecoder: ResponseDecoder {
    let call: Call
    let passesThrough: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        let message = try AnthropicMessageOutline(bytes)
        if let range = message.usage {
            var usage = AnthropicUsage()
            usage.read(bytes.extracting(range), atStart: false)
            if let usage = usage.usage { response.usage(usage) }
            if let model = usage.fallback { response.served(by: .model(model)) }
        }
        if call.keepsText { for text in message.texts { response.keep(text: JSON.string(text, in: bytes)) } }
        if passesThrough {
            response.buffered(message.json, signals: message.signals)
        } else if let tree = JSONTree(bytes.extracting(message.json)) {
            var reader = AnthropicEventReader(call)
            response.note(message.signals)
            reader.read(message: tree, &response)
            reader.end(&response)
        }
        response.complete()
    }
}

/// What the router acts on in a message.
private struct AnthropicMessageOutline {
    private(set) var json: Range<Int>
    private(set) var signals = Signals()
    private(set) var usage: Range<Int>?
    /// The ranges of the strings that are its texts.
    private(set) var texts: [Range<Int>] = []

    /// Throws the error that the bytes report, or an `upstream_error` if they are no message.
    init(_ bytes: RawSpan) throws(ProviderError) {
        json = 0..<bytes.byteCount
        var content: JSONValue?, reason: Range<Int>?, hasError = false
        do throws(JSONError) {
            var cursor = JSONCursor()
            _ = try cursor.peekKind(bytes)
            let start = cursor.offset
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                let value = try cursor.skipValue(bytes)
                if JSON.isKey(key, "content", in: bytes), value.kind == .array { content = value }
                if JSON.isKey(key, "stop_reason", in: bytes), value.kind == .string { reason = value.range }
                if JSON.isKey(key, "usage", in: bytes), value.kind == .object { usage = value.range }
                if JSON.isKey(key, "error", in: bytes), value.kind == .object { hasError = true }
            }
            json = start..<cursor.offset
            try cursor.end(bytes)
        } catch {
            throw .unreadable(error)
        }
        if hasError, content == nil { throw .reported(bytes) }
        guard let content else { throw .unreadable("JSON without content") }
        readBlocks(content, bytes)
        if let reason, let end = try Signals(stopReason: JSON.string(reason, in: bytes), hasContent: signals.contentBytes > 0) {
            signals.finishes = end.finishes
            signals.isFiltered = end.isFiltered
            signals.hasUnknownFinishReason = end.hasUnknownFinishReason
        }
        guard signals.hasBegun else { throw .empty }
        signals.finishes = 1
    }

    private mutating func readBlocks(_ content: JSONValue, _ bytes: RawSpan) {
        var cursor = JSONCursor(at: content.range.lowerBound)
        guard (try? cursor.enterArray(bytes)) != nil else { return }
        while (try? cursor.nextElement(bytes)) == true, let block = try? cursor.skipValue(bytes) {
            let outline = AnthropicBlockOutline(block.range, in: bytes)
            signals.contentBytes &+= outline.contentBytes
            if outline.isToolUse { signals.hasToolCall = true }
            if let text = outline.text { texts.append(text) }
        }
    }
}

extension Signals {
    /// The signals of a response's end; nil if the text means that there is no stop reason yet.
    fileprivate init?(stopReason: String, hasContent: Bool) throws(ProviderError) {
        guard AnthropicStopReason.isReason(stopReason) else { return nil }
        try AnthropicStopReason.check(stopReason, hasContent: hasContent)
        let reason = AnthropicStopReason.finishReason(stopReason)
        self.init(finishes: 1, isFiltered: reason == .contentFilter)
        hasUnknownFinishReason = reason == nil
    }
}
