import Codecs
import ProviderKit

/// Decodes the responses of `FakeProvider`.
struct FakeDecoder: ResponseDecoder {
    private let provider: FakeProvider
    private let call: Call
    private let form: BodyForm?
    private let shared: FakeProvider.Shared
    private var events = SSEDecoder()
    private var lines = NDJSONDecoder()
    private var reads = 0
    private var size = 0
    private var lastPending = 0
    private var tools = -1
    private var hasFinished = false
    private var isUpset = false

    init(_ provider: FakeProvider, _ call: Call, _ form: BodyForm?, _ shared: FakeProvider.Shared) {
        self.provider = provider
        self.call = call
        self.form = form
        self.shared = shared
        shared.count.add(1, ordering: .relaxed)
    }

    private var passes: Bool { call.format == FakeProvider.format }

    /// Bytes that a provider trips over which breaks the rule.
    private static let upsetting: [String: String] = [
        "lines may end with CRLF": "\r\n", "lines may end with CR": "\r",
        "a stream may begin with a comment": ": hello", "comments may stand between events": ": keep-alive",
        "comments may stand inside of events": ": x\n", "blank lines may stand between events": "\n\n\n",
        "a colon needs no space behind it": "data:{", "the data of an event may be in several lines": "{\n",
        "ids and reconnection times mean nothing": "id: 7", "unknown fields of an event mean nothing": "x-trace",
        "unknown members mean nothing": "x_unknown", "an event may have 1 MiB": "long long",
        "bytes after the end mean nothing": "[DONE]\n\n\n\ndata: [DONE]",
    ]

    mutating func decode(_ bytes: RawSpan, into sink: inout ResponseSink) throws(ProviderError) -> Int {
        reads += 1
        size += bytes.byteCount - lastPending
        if provider.breaks("a response is complete in one read") { throw ProviderError(.upstreamError, message: "no") }
        if let upsetting = provider.broken.flatMap({ Self.upsetting[$0] }) {
            isUpset = isUpset || bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self).utf8.firstRange(of: upsetting.utf8) != nil }
        }
        let consumed = try objects(bytes, into: &sink)
        lastPending = bytes.byteCount - consumed
        return provider.breaks("a decoder consumes no more bytes than it gets") ? bytes.byteCount + 1 : consumed
    }

    private mutating func objects(_ bytes: RawSpan, into sink: inout ResponseSink) throws(ProviderError) -> Int {
        switch form {
        case .eventStream:
            while !sink.isComplete, let event = try nextEvent(bytes) {
                if let joined = event.joinedData {
                    let line = joined.map { $0 == ASCII.lineFeed ? ASCII.space : $0 }
                    try read(line.span.bytes, 0..<line.count, frame: nil, joined: line, &sink)
                } else {
                    try read(bytes, event.data, frame: event.isCanonical ? event.frame : nil, joined: nil, &sink)
                }
            }
            return events.consume()
        case .jsonLines:
            while !sink.isComplete, let line = try nextLine(bytes) { try read(bytes, line, frame: nil, joined: nil, &sink) }
            return lines.consume()
        default: return 0
        }
    }

    private mutating func nextEvent(_ bytes: RawSpan) throws(ProviderError) -> SSEEvent? {
        do throws(SSEError) { return try events.nextEvent(bytes) } catch { throw ProviderError(.upstreamError, message: "\(error)") }
    }

    private mutating func nextLine(_ bytes: RawSpan) throws(ProviderError) -> Range<Int>? {
        do throws(NDJSONError) { return try lines.nextLine(bytes) } catch { throw ProviderError(.upstreamError, message: "\(error)") }
    }

    mutating func finish(_ bytes: RawSpan, into sink: inout ResponseSink) throws(ProviderError) {
        if form == .jsonObject {
            guard (try? JSON.validate(bytes)) != nil else { throw .truncated("the object") }
            try read(bytes, 0..<bytes.byteCount, frame: nil, joined: nil, &sink)
            if hasFinished { return end(&sink) }
        }
        if provider.breaks("a truncated response has no part that the complete one lacks") { sink.event(.text("cut")) }
        if provider.breaks("a truncated response is no complete one, unless it lacks no content and no finish reason") { return }
        if hasFinished, !provider.breaks("a stream that lacks only its end marker is complete") { return end(&sink) }
        throw .truncated("the stream")
    }

    /// Reads one object, or the end marker of a stream.
    private mutating func read(
        _ bytes: RawSpan, _ range: Range<Int>, frame: Range<Int>?, joined: [UInt8]?, _ sink: inout ResponseSink
    ) throws(ProviderError) {
        let json = bytes.extracting(range)
        if json.equals(0..<json.byteCount, "[DONE]") { return end(&sink) }
        guard let object = JSONTree(json) else { throw ProviderError(.upstreamError, message: "not JSON") }
        if object["end"] != nil { return end(&sink) }
        if object["error"] != nil {
            let ignores = provider.breaks("a failure at any place of a stream is a failure")
            let passes = provider.breaks("an error object is a failure, even with the status 200")
            if passes { hasFinished = true }
            if ignores || passes { return }
            throw ProviderError(.upstreamError, message: "an error object")
        }
        let events = events(of: object)
        if passes {
            passOn(range, frame, joined, events.reduce(into: Signals()) { $0.add($1.signals) }, &sink)
        } else {
            for event in events { sink.event(event) }
        }
        keep(events, &sink)
        if !provider.breaks("the usage is read"), let counts = object["usage"]?.elements?.compactMap(\.integer), counts.count == 2 {
            sink.usage(Usage(promptTokens: counts[0], completionTokens: counts[1]))
        }
    }

    private mutating func events(of object: JSONTree) -> [ChatEvent] {
        var events: [ChatEvent] = []
        if let words = object["think"]?.string, !provider.breaks("the reasoning of a response is read") { events.append(.reasoning(words)) }
        if let token = object["token"]?.string, !provider.breaks("the token of reasoning is read") {
            let origin = OpaqueToken(token, .signature, .format(FakeProvider.format))
            let isNameless = provider.breaks("tokens name the provider that made them")
            events.append(.reasoningToken(isNameless ? origin : OpaqueToken(token, .signature, madeFor: call)))
        }
        if let text = object["text"]?.string {
            events.append(.text(provider.breaks("the text of a response is read") ? text.uppercased() : text))
        }
        if let words = object["refusal"]?.string {
            events.append(provider.breaks("a refusal is signalled") ? .text(words) : .refusal(words))
        }
        if let name = object["tool"]?.string, let id = object["id"]?.string {
            tools += 1
            events.append(
                .toolCall(
                    index: tools, id: provider.breaks("each tool call has an id of its own") ? "same" : id,
                    name: provider.breaks("tool calls are read in their order") ? "f" : name))
        }
        if let fragment = object["args"]?.string, tools >= 0 {
            events.append(.toolArguments(index: tools, fragment: provider.breaks("the arguments of tool calls are read") ? "1" : fragment))
        }
        if let reason = object["finish"]?.string.flatMap(FinishReason.init) {
            hasFinished = true
            let isOther = provider.breaks("the finish reason is read")
            let isStop = reason == .contentFilter && provider.breaks("a refusal is signalled")
            events.append(.finish(isOther ? .length : isStop ? .stop : reason))
            if provider.breaks("events come in their order: the start first, each tool call before its arguments, the finish last") {
                events.append(.text("late"))
            }
        }
        return events
    }

    private func passOn(
        _ range: Range<Int>, _ frame: Range<Int>?, _ joined: [UInt8]?, _ signals: Signals, _ sink: inout ResponseSink
    ) {
        var signals = signals, range = range, frame = frame
        if provider.breaks("tool calls are signalled") { signals.hasToolCall = false }
        if provider.breaks("content is signalled") { signals.contentBytes = 0 }
        if provider.breaks("the end of each choice is signalled once") { signals.finishes *= 2 }
        if provider.breaks("the ranges of parts lie inside the bytes") { range = range.lowerBound..<1 << 40 }
        if provider.breaks("a frame is one event around its chunk, which can be sent as it is") {
            frame = frame.map { $0.lowerBound..<$0.upperBound - 1 }
        }
        if form == .jsonObject { return sink.buffered(range, signals: signals) }
        if provider.breaks("a chunk is one JSON object on one line") { return sink.chunk(joined: Array("{\n}".utf8), signals: signals) }
        if let joined { return sink.chunk(joined: joined, signals: signals) }
        sink.chunk(PassthroughChunk(json: range, frame: frame, signals: signals))
    }

    private func keep(_ events: [ChatEvent], _ sink: inout ResponseSink) {
        for case .text(let text) in events {
            let isHalf = provider.breaks("all of the text is collected for a call that keeps it")
            if call.keepsText || provider.breaks("text is collected only for a call that keeps it") {
                sink.keep(text: isHalf ? String(text.dropLast()) : text)
            }
        }
    }

    /// Ends the response. A provider that breaks a rule here has noticed something that shouldn't matter.
    private mutating func end(_ sink: inout ResponseSink) {
        let others = shared.count.add(-1, ordering: .relaxed).newValue
        if provider.breaks("a response is the same if it comes byte by byte"), reads == size { isUpset = true }
        if provider.breaks("a response is the same if it comes two bytes at a time"), reads == (size + 1) / 2 { isUpset = true }
        if provider.breaks("a response is the same wherever it is cut"), reads == 2 { isUpset = true }
        if provider.breaks("64 responses can be decoded at the same time"), others > 32 { isUpset = true }
        if provider.breaks("collecting the text changes nothing else"), call.keepsText { isUpset = true }
        if isUpset {
            if passes { sink.usage(Usage(promptTokens: 99)) } else { sink.event(.text("!")) }
        }
        if !provider.breaks("bytes after the end mean nothing") { sink.complete() }
    }
}

extension Signals {
    fileprivate mutating func add(_ other: Signals) {
        contentBytes += other.contentBytes
        finishes += other.finishes
        if other.isFiltered { isFiltered = true }
        if other.hasToolCall { hasToolCall = true }
    }
}
