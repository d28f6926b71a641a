import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What one half of the format writes, the other half reads back equal.
@Suite("Anthropic's Messages, there and back")
struct AnthropicRoundTripTests {
    @Test("a request that is written reads back equal", arguments: 0..<300)
    func requests(seed: UInt64) throws {
        var random = RandomChat(seed)
        let isNew = random.chance(2)
        let request = random.messagesRequest(isNew: isNew)
        let written = try AnthropicMessages.writeRequest(request, for: .translated(to: isNew ? "claude-opus-4-8" : "claude-opus-4-6"))
        #expect(try AnthropicMessages.readRequest(written.span.bytes) == request, "\(String(decoding: written, as: UTF8.self))")
    }

    @Test("a streamed response that is written reads back equal, wherever it is cut", arguments: 0..<200)
    func streams(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.messageEvents()
        var writer = AnthropicEventWriter(id: "r", model: "m", inputTokens: 3)
        let stream = events.flatMap { writer.frames($0) } + writer.end(.sample)
        let cut = Int.random(in: 0...stream.count, using: &random.generator)
        let (read, usage) = try decode(stream, .eventStream, isStream: true, cutAt: cut)
        #expect(folded(read) == folded(events))
        #expect(usage == .sample)
    }

    @Test("a non-streamed response that is written reads back equal", arguments: 0..<200)
    func responses(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.messageEvents()
        var writer = AnthropicMessageWriter(id: "r", model: "m")
        for event in events { writer.add(event) }
        let written = writer.message(.sample)
        let (read, usage) = try decode(written, .jsonObject, isStream: false, cutAt: written.count)
        #expect(folded(read) == folded(events))
        #expect(usage == .sample)
    }

    @Test("a stream and one message of the same events have the same content", arguments: 0..<50)
    func sameContent(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.messageEvents()
        var stream = AnthropicEventWriter(id: "r", model: "m", inputTokens: 3), message = AnthropicMessageWriter(id: "r", model: "m")
        let frames = events.flatMap { stream.frames($0) } + stream.end(nil)
        for event in events { message.add(event) }
        let written = message.message(nil)
        let streamed = try decode(frames, .eventStream, isStream: true, cutAt: frames.count).events
        #expect(try folded(streamed) == folded(decode(written, .jsonObject, isStream: false, cutAt: written.count).events))
    }

    private func decode(
        _ bytes: [UInt8], _ form: BodyForm, isStream: Bool, cutAt cut: Int
    ) throws -> (events: [ChatEvent], usage: Usage?) {
        let call = Call.translated(to: "m", isStream: isStream)
        var decoder = try AnthropicMessages.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: form))
        var sink = ResponseSink()
        let consumed = try decoder.decode(Array(bytes[..<cut]).span.bytes, into: &sink)
        var events = take(&sink)
        let rest = Array(bytes[consumed...])
        if !sink.isComplete {
            let more = try decoder.decode(rest.span.bytes, into: &sink)
            events += take(&sink)
            if !sink.isComplete { try decoder.finish(Array(rest[more...]).span.bytes, into: &sink) }
            events += take(&sink)
        }
        #expect(sink.isComplete)
        return (events, sink.usage)
    }

    private func take(_ sink: inout ResponseSink) -> [ChatEvent] {
        defer { sink.removeParts() }
        return sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    /// The events with adjacent texts joined. The token of a written response is the tagged one.
    private func folded(_ events: [ChatEvent]) -> [String] {
        var blocks: [String] = []
        func add(_ kind: String, _ text: String) {
            if text.isEmpty { return }
            if let last = blocks.last, last.hasPrefix(kind) { blocks[blocks.count - 1] += text } else { blocks.append(kind + text) }
        }
        for event in events {
            switch event {
            case .start(_, let model): blocks.append("model \(model ?? "")")
            case .text(let text), .refusal(let text): add("text ", text)
            case .reasoning(let text): add("reasoning ", text)
            case .reasoningToken(let token):
                let value = token.value.hasPrefix(OpaqueToken.mark) ? token.value : token.tagged
                blocks.append("token \(token.kind) \(value)")
            case .logprobs: break
            case .citation(let citation): blocks.append("citation \(citation.url) \(citation.title ?? "")")
            case .toolCall(_, let id, let name): blocks.append("tool \(id) \(name) ")
            case .toolArguments(let index, let fragment):
                let places = blocks.indices.filter { blocks[$0].hasPrefix("tool ") }
                if places.indices.contains(index) { blocks[places[index]] += fragment }
            case .finish(let reason, let stopSequence): blocks.append("finish \(reason) \(stopSequence ?? "")")
            }
        }
        return blocks.map { $0.hasPrefix("tool ") && $0.hasSuffix(" {}") ? String($0.dropLast(2)) : $0 }
    }
}

extension Usage {
    fileprivate static let sample = Usage(
        promptTokens: 20, completionTokens: 9, cachedTokens: 4, reasoningTokens: 5, cacheWriteTokens: 6, longCacheWriteTokens: 2)
}

extension Call {
    static func translated(to model: String, isStream: Bool = false, repairs: [Repair] = []) -> Call {
        Call(
            operation: .chat, model: model, isStream: isStream, format: WireFormat("other"), payload: .chat(ChatRequest(messages: [])),
            repairs: repairs, provider: "p")
    }
}

extension RandomChat {
    /// - Parameter isNew: whether the model is one that takes system messages anywhere.
    mutating func messagesRequest(isNew: Bool) -> ChatRequest {
        var request = ChatRequest(messages: [])
        if chance(2) { request.messages.append(ChatMessage(.system, [block(.text(words())), block(.text(words()))])) }
        for turn in 0..<Int.random(in: 0...2, using: &generator) {
            request.messages.append(ChatMessage(.user, userParts()))
            if isNew, chance(3) { request.messages.append(ChatMessage(.system, [block(.text(words()))])) }
            request.messages.append(ChatMessage(.assistant, assistantBlocks(calls: "call_\(turn)")))
            request.messages.append(ChatMessage(.tool, [block(.toolResult(toolResult("call_\(turn)")))]))
            if chance(2) { request.messages.append(ChatMessage(.user, userParts())) }
            request.messages.append(ChatMessage(.assistant, [block(.text(words()))]))
        }
        request.messages.append(ChatMessage(.user, userParts()))
        if chance(2) {
            request.tools = [
                ChatTool(
                    name: "look_up", description: maybe { $0.text() }, parameters: Array(#"{"type":"object"}"#.utf8),
                    isStrict: maybe { $0.chance(2) }, cacheControl: cacheControl())
            ]
            request.toolChoice = [nil, .auto, ChatToolChoice.none, .required, .tool("look_up")].randomElement(using: &generator) ?? nil
            if request.toolChoice != nil, request.toolChoice != ChatToolChoice.none { request.allowsParallelTools = maybe { $0.chance(2) } }
        }
        request.maxTokens = Int.random(in: 1...9999, using: &generator)
        request.reasoning = [nil, .effort("low"), .effort("max"), .adaptive].randomElement(using: &generator) ?? nil
        request.sampling.temperature = maybe { abs($0.number()) / 4 }
        request.sampling.topP = maybe { abs($0.number()) / 4 }
        request.sampling.topK = maybe { Int.random(in: 1...99, using: &$0.generator) }
        if chance(3) { request.stop = [text() + ".", text() + "."] }
        if chance(3) {
            let schema = #"{"type":"object","properties":{"a":{"type":"integer"}},"additionalProperties":false}"#
            request.responseFormat = .schema(name: "response", description: nil, schema: Array(schema.utf8), isStrict: true)
        }
        request.user = maybe { $0.text() }
        return request
    }

    private mutating func cacheControl() -> [UInt8]? { chance(4) ? Array(#"{"type":"ephemeral"}"#.utf8) : nil }

    private mutating func block(_ content: ChatPart.Content) -> ChatPart { ChatPart(content, cacheControl: cacheControl()) }

    private mutating func userParts() -> [ChatPart] {
        (0...Int.random(in: 0...2, using: &generator)).map { _ in
            switch Int.random(in: 0...3, using: &generator) {
            case 0: block(.media(ChatMedia(.image, chance(2) ? .url("https://h/x.png") : .base64("AAAA", mediaType: "image/png"))))
            case 1:
                block(
                    .media(
                        ChatMedia(
                            .file, chance(2) ? .id("file_1") : .base64("AAAA", mediaType: "application/pdf"),
                            filename: maybe { _ in "a.pdf" })))
            default: block(.text(words()))
            }
        }
    }

    private mutating func assistantBlocks(calls id: String) -> [ChatPart] {
        var parts: [ChatPart] = []
        if chance(2) {
            let kind = chance(2) ? OpaqueToken.Kind.signature : .encrypted
            let token = OpaqueToken("c2ln", kind, .format(AnthropicMessages.format))
            parts.append(ChatPart(.reasoning(ChatReasoningText(text: kind == .signature ? text() : "", token: token))))
        }
        if chance(2) { parts.append(block(.text(words()))) }
        parts.append(block(.toolCall(ChatToolCall(id: id, name: "look_up", arguments: #"{"a":1}"#))))
        return parts
    }

    private mutating func toolResult(_ id: String) -> ChatToolResult {
        let media = ChatPart(.media(ChatMedia(.image, .base64("AAAA", mediaType: "image/png"))))
        return ChatToolResult(callID: id, parts: chance(3) ? [block(.text(words())), media] : [block(.text(words()))], isError: chance(3))
    }

    /// Events in the order in which blocks can have them: after the first tool call, only tool calls.
    mutating func messageEvents() -> [ChatEvent] {
        var events: [ChatEvent] = [.start(id: "msg_1", model: "up")]
        for _ in 0..<Int.random(in: 0...3, using: &generator) {
            for _ in 0..<Int.random(in: 0...2, using: &generator) { events.append(.reasoning(text())) }
            events.append(.reasoningToken(OpaqueToken("c2ln", chance(3) ? .encrypted : .signature, .provider(tag: "f50c43ef"))))
            for _ in 0..<Int.random(in: 0...2, using: &generator) { events.append(.text(text())) }
        }
        if chance(3) { events.append(.reasoning(text())) }
        events.append(.text(text()))
        let calls = chance(2) ? Int.random(in: 1...3, using: &generator) : 0
        for call in 0..<calls { events.append(.toolCall(index: call, id: "call_\(call)", name: "f\(call)")) }
        // The arguments come in any order.
        let arguments = (0..<calls).map { _ in chance(3) ? "{}" : #"{"a":"\#(Int.random(in: 0...99, using: &generator))"}"# }
        for call in (0..<calls).shuffled(using: &generator) {
            events.append(.toolArguments(index: call, fragment: "\(arguments[call].prefix(3))"))
        }
        for call in (0..<calls).shuffled(using: &generator) {
            let rest = String(arguments[call].dropFirst(3))
            if !rest.isEmpty { events.append(.toolArguments(index: call, fragment: rest)) }
        }
        let isStopped = calls == 0 && chance(3)
        events.append(
            isStopped
                ? .finish(.stop, stopSequence: "END")
                : .finish(calls > 0 ? .toolCalls : [.stop, .length].randomElement(using: &generator) ?? .stop))
        return events
    }
}
