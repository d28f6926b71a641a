import Codecs
public import ProviderKit

extension OpenAIResponses {
    /// The decoder for what the server sends.
    ///
    /// It passes the response through if the client has this format, and gives typed events otherwise; also if the
    /// server streams a response that was to be one object, or the reverse.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonObject where call.operation == .countTokens: return TokenCountDecoder("input_tokens", isTyped: call.isTyped)
        case .eventStream: return ResponsesStreamDecoder(call, passesThrough: call.isStream && !call.isTyped)
        case .jsonObject:
            return ObjectOrLinesDecoder(
                ResponsesBufferedDecoder(call: call, passesThrough: !call.isStream && !call.isTyped),
                orLines: ReframedDecoder(ResponsesStreamDecoder(call, passesThrough: false), takes: .events, from: .jsonLines))
        case .jsonLines, .jsonArray:
            guard call.operation == .chat else { throw .unreadable("neither a response nor an event stream; check 'base_url'") }
            return ReframedDecoder(
                ResponsesStreamDecoder(call, passesThrough: false), takes: .events, from: head.bodyForm,
                whole: ("object", "response", ResponsesBufferedDecoder(call: call, passesThrough: false)))
        case .markup: throw .unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw .unreadable("neither JSON nor an event stream; check 'base_url'")
        case nil: throw .unreadable("an empty body")
        }
    }
}

/// A decoder for a stream of events.
///
/// The text is not collected if the stream passes through, because no other format can continue its open items.
struct ResponsesStreamDecoder: ResponseDecoder {
    private var events = SSEDecoder()
    /// Gives typed events; nil if the stream passes through.
    private var reader: ResponsesEventReader?
    private let keepsText: Bool
    private var isComplete = false

    init(_ call: Call, passesThrough: Bool) {
        keepsText = call.keepsText && !passesThrough
        reader = passesThrough ? nil : ResponsesEventReader(call)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while !isComplete {
            let event: SSEEvent?
            do throws(SSEError) { event = try events.nextEvent(bytes) } catch { throw .unreadable("an invalid event stream: \(error)") }
            guard let event else { return events.consume() }
            try read(event, bytes, &response)
        }
        return bytes.byteCount  // what follows the end is ignored
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if isComplete { return }
        if let event = events.finish(bytes) {
            // The last event has no blank line, so it may be cut off. Then it is ignored.
            do throws(ProviderError) { try read(event, bytes, &response) } catch  where error.isUnreadable {
                throw .truncated("the upstream closed the stream in the middle of an event")
            }
        }
        guard isComplete else { throw .truncated("the upstream closed the stream before its end") }
    }

    private mutating func read(_ event: SSEEvent, _ bytes: RawSpan, _ response: inout ResponseSink) throws(ProviderError) {
        if let joined = event.joinedData {
            let json = JSON.onOneLine(joined)
            if event.isType("error", in: bytes) { throw .reported(json.span.bytes) }
            let read = try self.read(0..<json.count, in: json.span.bytes, &response)
            if reader == nil { response.pass(joined: json, signals: read.signals, hasStrayError: read.hasStrayError) }
            if read.isEnd { complete(&response) }
            return
        }
        if event.isType("error", in: bytes) { throw .reported(bytes.extracting(event.data)) }
        // Proxies end every stream like the older API.
        guard !event.data.isEmpty, !OpenAIChat.isEnd(event.data, bytes) else { return }
        let read = try self.read(event.data, in: bytes, &response)
        if reader == nil {
            response.pass(
                PassthroughChunk(json: event.data, frame: event.isPlain ? event.frame : nil, signals: read.signals), of: bytes,
                hasStrayError: read.hasStrayError)
        }
        if read.isEnd { complete(&response) }
    }

    /// Reads the JSON of an event, and adds its typed events.
    private mutating func read(
        _ json: Range<Int>, in bytes: RawSpan, _ response: inout ResponseSink
    ) throws(ProviderError) -> (signals: Signals, isEnd: Bool, hasStrayError: Bool) {
        let event = try ResponsesEvent(json, in: bytes)
        if event.isEnd, let range = event.response, let usage = ResponsesOutline(range, in: bytes).usage { response.usage(usage) }
        reader?.read(event, bytes, &response, keepsText: keepsText)
        return (reader == nil ? event.signals(bytes) : Signals(), event.isEnd, event.hasStrayError)
    }

    private mutating func complete(_ response: inout ResponseSink) {
        isComplete = true
        response.complete()
    }
}

/// A decoder for one response. It consumes nothing before the end.
struct ResponsesBufferedDecoder: ResponseDecoder {
    let call: Call
    let passesThrough: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        var cursor = JSONCursor()
        let json: Range<Int>
        do throws(JSONError) {
            json = try cursor.skipValue(bytes).range
            try cursor.end(bytes)
        } catch {
            throw .unreadable(error)
        }
        let outline = ResponsesOutline(json, in: bytes)
        switch outline.status {
        case .failed: throw ResponsesEvent.failure(ofResponse: json, in: bytes)
        case .unfinished: throw .unreadable("a response that is not complete")
        case .ended: break
        }
        guard outline.hasOutput else { throw .unreadable("JSON without output") }
        if let usage = outline.usage { response.usage(usage) }
        if passesThrough {
            response.buffered(json, signals: outline.signals)
        } else if let tree = JSONTree(bytes.extracting(json)) {
            var reader = ResponsesEventReader(call)
            reader.read(response: tree, &response, keepsText: call.keepsText)
        }
        response.complete()
    }
}

/// What the router acts on in a response's object.
struct ResponsesOutline {
    enum Status {
        case ended, failed, unfinished
    }

    private(set) var status = Status.ended
    private(set) var usage: Usage?
    private(set) var hasOutput = false
    private(set) var isFiltered = false
    private(set) var signals = Signals(finishes: 1)

    /// The signals of a stream's end, whose content has come before.
    var endSignals: Signals {
        var signals = Signals(finishes: 1, isFiltered: isFiltered)
        signals.hasRouterMember = self.signals.hasRouterMember
        return signals
    }

    /// - Parameter range: the range of the response's object, which was read already.
    init(_ range: Range<Int>, in bytes: RawSpan) {
        let object = bytes.extracting(range)
        guard let members = try? JSON.members(of: object) else { return }
        // Some servers call a response completed that has an error.
        var hasError = false
        for member in members {
            let value = member.value
            if JSON.isKey(member.key, "status", in: object) {
                if JSON.isString(value, "failed", in: object) || JSON.isString(value, "cancelled", in: object) { status = .failed }
                if JSON.isString(value, "in_progress", in: object) || JSON.isString(value, "queued", in: object) { status = .unfinished }
            } else if JSON.isKey(member.key, "usage", in: object), value.kind == .object {
                usage = JSONTree(object.extracting(value.range)).flatMap { Usage(responses: $0) }
            } else if JSON.isKey(member.key, "error", in: object), ResponsesEvent.saysError(value, in: object) {
                hasError = true
            } else if JSON.isKey(member.key, "incomplete_details", in: object), value.kind == .object {
                isFiltered = JSONTree(object.extracting(value.range))?["reason"]?.string == "content_filter"
            } else if JSON.isKey(member.key, "_router", in: object) {
                signals.hasRouterMember = true
            } else if JSON.isKey(member.key, "output", in: object), value.kind == .array {
                hasOutput = true
                readOutput(value, object)
            }
        }
        if hasError { status = .failed }
        if isFiltered { signals.isFiltered = true }
    }

    private mutating func readOutput(_ output: JSONValue, _ object: RawSpan) {
        var cursor = JSONCursor(at: output.range.lowerBound)
        guard (try? cursor.enterArray(object)) != nil else { return }
        while (try? cursor.nextElement(object)) == true, let item = try? cursor.skipValue(object) {
            let outline = ResponsesItemOutline(item.range, in: object)
            signals.contentBytes &+= outline.contentBytes
            if outline.signals.hasToolCall { signals.hasToolCall = true }
            if outline.isRefusal { signals.isFiltered = true }
        }
    }
}

extension Usage {
    /// Reads the value of `usage`; nil if it has none of the known numbers. A negative number, and one that no response
    /// has, count as unknown.
    init?(responses usage: JSONTree) {
        func count(_ value: JSONTree?) -> Int? { value?.integer.flatMap { (0...1_000_000_000_000).contains($0) ? $0 : nil } }
        let input = usage["input_tokens_details"], output = usage["output_tokens_details"]
        self.init(
            promptTokens: count(usage["input_tokens"]), completionTokens: count(usage["output_tokens"]),
            cachedTokens: count(input?["cached_tokens"]), reasoningTokens: count(output?["reasoning_tokens"]),
            cacheWriteTokens: count(input?["cache_write_tokens"]))
        // Not in OpenAI's reference, but servers that relay audio models have them here, as in chat completions.
        (audioTokens, audioOutputTokens) = (count(input?["audio_tokens"]), count(output?["audio_tokens"]))
        if let cost = usage["cost"]?.double, cost >= 0 { costUSD = cost }  // OpenRouter's
        if let total = count(usage["total_tokens"]) { reconcile(total: total) }
        if self == Usage() { return nil }
    }

    /// Writes the usage. Numbers that are unknown are written as 0, because clients require them.
    func writeResponses(to writer: inout JSONWriter) {
        writer.object {
            $0.member("input_tokens", promptTokens ?? 0)
            $0.key("input_tokens_details")
            $0.object {
                $0.member("cached_tokens", cachedTokens ?? 0)
                $0.member("cache_write_tokens", cacheWriteTokens ?? 0)
            }
            $0.member("output_tokens", completionTokens ?? 0)
            $0.key("output_tokens_details")
            $0.object { $0.member("reasoning_tokens", reasoningTokens ?? 0) }
            $0.member("total_tokens", (promptTokens ?? 0).addingReportingOverflow(completionTokens ?? 0).partialValue)
        }
    }
}
