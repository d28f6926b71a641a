import Codecs
public import ProviderKit

extension BedrockConverse {
    /// The decoder for what the server sends, whatever was requested: binary events, or one JSON object.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonObject where call.operation == .countTokens: return TokenCountDecoder("inputTokens", isTyped: call.isTyped)
        case .jsonObject: return BedrockBufferedDecoder(call)
        case .other: return BedrockStreamDecoder(call)
        case .markup: throw ProviderError.unreadable("a page of HTML or XML; check 'base_url'")
        case nil: throw ProviderError.unreadable("an empty body")
        case .jsonArray, .jsonLines, .eventStream:
            throw ProviderError.unreadable("neither a JSON object nor an event stream of Amazon's; check 'base_url'")
        }
    }
}

/// Makes the typed events of a response.
struct BedrockEvents {
    private let call: Call
    private(set) var hasFinished = false
    private var hasStarted = false
    /// The indices of the blocks that are tool calls, in the order of the events' indices.
    private var toolBlocks: [Int] = []

    init(_ call: Call) {
        self.call = call
    }

    mutating func start(_ response: inout ResponseSink) {
        guard !hasStarted else { return }
        hasStarted = true
        response.event(.start(id: nil, model: nil))
    }

    mutating func add(text: String, _ response: inout ResponseSink) {
        guard !text.isEmpty else { return }
        response.event(.text(text))
        if call.keepsText { response.keep(text: text) }
    }

    /// Reads `reasoningContent`: a delta of a stream, or a block.
    func add(reasoning: JSONTree, _ response: inout ResponseSink) {
        let block = reasoning["reasoningText"] ?? reasoning
        if let text = block["text"]?.string, !text.isEmpty { response.event(.reasoning(text)) }
        if let signature = block["signature"]?.string, !signature.isEmpty {
            response.event(.reasoningToken(OpaqueToken(signature, .signature, madeFor: call)))
        }
        if let data = reasoning["redactedContent"]?.string, !data.isEmpty {
            response.event(.reasoningToken(OpaqueToken(data, .encrypted, madeFor: call)))
        }
    }

    mutating func beginTool(_ tool: JSONTree, block: Int, _ response: inout ResponseSink) {
        guard !toolBlocks.contains(block) else { return }
        let index = toolBlocks.count
        toolBlocks.append(block)
        response.event(
            .toolCall(index: index, id: tool["toolUseId"]?.string ?? call.toolID(index, of: nil), name: tool["name"]?.string ?? ""))
    }

    func add(arguments: String, block: Int, _ response: inout ResponseSink) {
        guard !arguments.isEmpty, let index = toolBlocks.firstIndex(of: block) else { return }
        response.event(.toolArguments(index: index, fragment: arguments))
    }

    /// - Parameter text: the stop reason; nil if there is none.
    mutating func finish(_ text: String?, _ response: inout ResponseSink) throws(ProviderError) {
        guard !hasFinished else { return }
        var reason = FinishReason.stop
        if let text, FinishReasonMeaning(text) != nil {
            if let known = try BedrockStopReason.finishReason(text, hasContent: response.hasBegun) {
                reason = known
            } else {
                var signals = Signals()
                signals.hasUnknownFinishReason = true
                response.note(signals)
            }
        } else {
            try response.requireContentOrReason()
        }
        hasFinished = true
        response.event(.finish(reason == .stop && !toolBlocks.isEmpty ? .toolCalls : reason))
    }
}

/// A decoder for a stream of binary events.
///
/// The stop reason comes before the usage, and nothing else marks the end. Blocks of text may have no start.
struct BedrockStreamDecoder: ResponseDecoder {
    private var events: BedrockEvents
    private var messages = AWSEventStreamDecoder()
    private var hasMessages = false

    init(_ call: Call) {
        events = BedrockEvents(call)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        while let message = try next(bytes) {
            hasMessages = true
            try read(message, bytes.extracting(message.payload), &response)
            if response.isComplete { return bytes.byteCount }
        }
        return messages.consume()
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        if response.isComplete { return }
        guard hasMessages || bytes.byteCount == 0 else { throw Self.otherText }
        guard events.hasFinished else { throw .truncated("the upstream closed the stream before its end") }
        response.complete()
    }

    private static var otherText: ProviderError {
        .unreadable("neither a JSON object nor an event stream of Amazon's; check 'base_url'")
    }

    private mutating func next(_ bytes: RawSpan) throws(ProviderError) -> AWSEventStreamMessage? {
        do throws(AWSEventStreamError) { return try messages.nextMessage(bytes) } catch {
            throw hasMessages ? .unreadable("an invalid event stream: \(error)") : Self.otherText
        }
    }

    private mutating func read(
        _ message: AWSEventStreamMessage, _ payload: RawSpan, _ response: inout ResponseSink
    ) throws(ProviderError) {
        switch message.headers[":message-type"] {
        case "exception": throw BedrockConverse.reported(message.headers[":exception-type"] ?? "exception", payload)
        case "error":
            let text = message.headers[":error-message"] ?? ""
            var error = BedrockConverse.reported(message.headers[":error-code"] ?? "error", payload)
            if !text.isEmpty { error.message = text }
            throw error
        default: break
        }
        guard let type = message.headers[":event-type"] else { return }
        guard let event = JSONTree(payload) else { throw ProviderError.unreadable("an event that is not JSON") }
        events.start(&response)
        let block = event["contentBlockIndex"]?.integer ?? 0
        switch type {
        case "contentBlockStart":
            if let tool = event["start"]?["toolUse"] { events.beginTool(tool, block: block, &response) }
        case "contentBlockDelta":
            guard let delta = event["delta"] else { return }
            if let text = delta["text"]?.string { events.add(text: text, &response) }
            if let reasoning = delta["reasoningContent"] { events.add(reasoning: reasoning, &response) }
            if let input = delta["toolUse"]?["input"]?.string { events.add(arguments: input, block: block, &response) }
        case "messageStop": try events.finish(event["stopReason"]?.string, &response)
        case "metadata":
            if let usage = event["usage"].flatMap(Usage.init(bedrock:)) { response.usage(usage) }
            if events.hasFinished { response.complete() }
        default: return  // `messageStart` and `contentBlockStop` carry nothing else
        }
    }
}

/// A decoder for one complete message. It consumes nothing before the end.
struct BedrockBufferedDecoder: ResponseDecoder {
    private var events: BedrockEvents

    init(_ call: Call) {
        events = BedrockEvents(call)
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard let object = JSONTree(bytes) else {
            throw .truncated("the upstream closed the response in the middle of a JSON object")
        }
        guard let message = object["output"]?["message"], let content = message["content"]?.elements else {
            if let body = ErrorBody(bytes) { throw ProviderError.reported(body) }
            throw ProviderError.unreadable("JSON without a message")
        }
        if let usage = object["usage"].flatMap(Usage.init(bedrock:)) { response.usage(usage) }
        events.start(&response)
        for (index, block) in content.enumerated() {
            if let text = block["text"]?.string { events.add(text: text, &response) }
            for part in block["citationsContent"]?["content"]?.elements ?? [] {
                if let text = part["text"]?.string { events.add(text: text, &response) }
            }
            if let reasoning = block["reasoningContent"] { events.add(reasoning: reasoning, &response) }
            if let tool = block["toolUse"] {
                events.beginTool(tool, block: index, &response)
                let input = tool["input"].map { String(decoding: $0.encoded, as: UTF8.self) } ?? "{}"
                events.add(arguments: input, block: index, &response)
            }
        }
        try events.finish(object["stopReason"]?.string, &response)
        response.complete()
    }
}
