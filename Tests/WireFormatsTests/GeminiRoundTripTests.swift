import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What one half of the format writes, the other half reads back equal.
@Suite("Gemini's generateContent, there and back")
struct GeminiRoundTripTests {
    @Test("a request that is written reads back equal", arguments: 0..<300)
    func requests(seed: UInt64) throws {
        var random = RandomChat(seed)
        let isNew = random.chance(2)
        let request = random.geminiRequest(isNew: isNew)
        let call = Call.translated(to: isNew ? "gemini-3-flash-preview" : "gemini-2.5-flash")
        let written = try Gemini.writeRequest(request, for: call, nil)
        #expect(try Gemini.readRequest(written.span.bytes) == request, "\(String(decoding: written, as: UTF8.self))")
    }

    @Test("a streamed response that is written reads back equal, wherever it is cut", arguments: 0..<200)
    func streams(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.geminiEvents()
        var writer = GeminiChunkWriter(id: "r", model: "m", includesThoughts: true)
        let chunks = events.compactMap { writer.chunk($0) } + [writer.end(.sample)]
        let stream = chunks.flatMap { Array("data: ".utf8) + $0 + Array("\n\n".utf8) }
        let cut = Int.random(in: 0...stream.count, using: &random.generator)
        let (read, usage) = try decode(stream, .eventStream, isStream: true, cutAt: cut)
        #expect(folded(read) == folded(events))
        #expect(usage == .sample)
    }

    @Test("a non-streamed response that is written reads back equal", arguments: 0..<200)
    func responses(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.geminiEvents()
        var writer = GeminiObjectWriter(id: "r", model: "m", includesThoughts: true)
        for event in events { writer.add(event) }
        let written = writer.response(.sample)
        let (read, usage) = try decode(written, .jsonObject, isStream: false, cutAt: written.count)
        #expect(folded(read) == folded(events))
        #expect(usage == .sample)
    }

    @Test("vectors that are written read back equal")
    func embeddings() throws {
        let request = EmbeddingsRequest(inputs: [.text("a"), .text("Привет")], dimensions: 3)
        let written = try GeminiEmbeddings.writeRequest(request, model: "m")
        #expect(try GeminiEmbeddings.readRequest(written.span.bytes) == request)
        let response = EmbeddingsResponse(vectors: [[0.5, -0.25], [1e-7]])
        for isSingle in [false, true] {
            let vectors = isSingle ? EmbeddingsResponse(vectors: [[0.5, -0.25]]) : response
            let body = GeminiEmbeddings.writeResponse(response, isSingle: isSingle)
            #expect(JSONTree(body.span.bytes).flatMap(GeminiEmbeddings.readResponse) == vectors)
        }
    }

    private func decode(
        _ bytes: [UInt8], _ form: BodyForm, isStream: Bool, cutAt cut: Int
    ) throws -> (events: [ChatEvent], usage: Usage?) {
        let call = Call.translated(to: "m", isStream: isStream)
        var decoder = try Gemini.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: form))
        var sink = ResponseSink()
        let consumed = try decoder.decode(Array(bytes[..<cut]).span.bytes, into: &sink)
        let rest = Array(bytes[consumed...])
        let more = try decoder.decode(rest.span.bytes, into: &sink)
        try decoder.finish(Array(rest[more...]).span.bytes, into: &sink)
        #expect(sink.isComplete)
        return (sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }, sink.usage)
    }

    /// The events with adjacent texts joined, and the calls at the end, where this format has them. The signature of a
    /// written response is the encoded one.
    private func folded(_ events: [ChatEvent]) -> [String] {
        var blocks: [String] = [], calls: [String] = [], signature: String?
        func add(_ kind: String, _ text: String) {
            if text.isEmpty { return }
            if let last = blocks.last, last.hasPrefix(kind) { blocks[blocks.count - 1] += text } else { blocks.append(kind + text) }
        }
        for event in events {
            switch event {
            case .start(_, let model): blocks.append("model \(model ?? "")")
            case .text(let text), .refusal(let text): add("text ", text)
            case .reasoning(let text): add("reasoning ", text)
            case .reasoningToken(let token): signature = GeminiSignature.decoded(token.value) ?? token.tagged
            case .logprobs, .citation: break
            case .toolCall(_, let id, let name):
                calls.append("tool \(id) \(name) \(signature ?? "") ")
                signature = nil
            case .toolArguments(let index, let fragment): if calls.indices.contains(index) { calls[index] += fragment }
            case .finish(let reason, _): return blocks + calls + ["finish \(reason)"]
            }
        }
        return blocks + calls
    }
}

extension Usage {
    fileprivate static let sample = Usage(promptTokens: 20, completionTokens: 9, cachedTokens: 4, reasoningTokens: 5)
}

extension RandomChat {
    /// - Parameter isNew: whether the model thinks by level, and takes media in a function's result.
    mutating func geminiRequest(isNew: Bool) -> ChatRequest {
        var request = ChatRequest(messages: [])
        if chance(2) { request.messages.append(ChatMessage(.system, [ChatPart(.text(text())), ChatPart(.text(text()))])) }
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            request.messages.append(ChatMessage(.user, geminiParts()))
            request.messages.append(ChatMessage(.assistant, geminiCalls(needsSignature: isNew)))
            request.messages.append(ChatMessage(.tool, [ChatPart(.toolResult(geminiResult(hasMedia: isNew && chance(2))))]))
            if chance(2) { request.messages.append(ChatMessage(.user, geminiParts())) }
            request.messages.append(ChatMessage(.assistant, [ChatPart(.text(text()))]))
        }
        request.messages.append(ChatMessage(.user, geminiParts()))
        if chance(2) {
            request.tools = [
                ChatTool(name: "look_up", description: maybe { $0.text() }, parameters: maybe { _ in Array(#"{"type":"object"}"#.utf8) })
            ]
            request.toolChoice = [nil, .auto, ChatToolChoice.none, .required, .tool("look_up")].randomElement(using: &generator) ?? nil
        }
        request.maxTokens = maybe { Int.random(in: 1...9999, using: &$0.generator) }
        request.sampling.temperature = maybe { $0.number() }
        request.sampling.topP = maybe { $0.number() }
        request.sampling.topK = maybe { Int.random(in: 1...99, using: &$0.generator) }
        request.sampling.frequencyPenalty = maybe { $0.number() }
        request.sampling.presencePenalty = maybe { $0.number() }
        request.sampling.seed = maybe { Int.random(in: -9...9, using: &$0.generator) }
        if chance(3) { request.stop = [text(), text()] }
        let schema = ChatResponseFormat.schema(
            name: "response", description: nil, schema: Array(#"{"type":"object"}"#.utf8), isStrict: false)
        request.responseFormat = [nil, .json, schema].randomElement(using: &generator) ?? nil
        let levels: [ChatReasoning?] = [nil, .effort("low"), .effort("high")]
        request.reasoning = (isNew ? levels : [nil, .adaptive, .budget(tokens: 2000)]).randomElement(using: &generator) ?? nil
        return request
    }

    private mutating func geminiParts() -> [ChatPart] {
        (0...Int.random(in: 0...2, using: &generator)).map { _ in
            switch Int.random(in: 0...4, using: &generator) {
            case 0: ChatPart(.media(ChatMedia(.image, .base64("AAAA", mediaType: "image/png"))))
            case 1: ChatPart(.media(ChatMedia(.file, .base64("AAAA", mediaType: "application/pdf"))))
            default: ChatPart(.text(text()))
            }
        }
    }

    private mutating func geminiCalls(needsSignature: Bool) -> [ChatPart] {
        var parts: [ChatPart] = []
        if chance(2) { parts.append(ChatPart(.text(text()))) }
        if needsSignature || chance(2) {
            parts.append(ChatPart(.reasoning(ChatReasoningText(text: "", token: OpaqueToken("c2ln", .signature, .format(Gemini.format))))))
        }
        parts.append(ChatPart(.toolCall(ChatToolCall(id: "call_1", name: "look_up", arguments: #"{"a":1}"#))))
        if chance(3) { parts.append(ChatPart(.toolCall(ChatToolCall(id: "call_2", name: "look_up", arguments: "{}")))) }
        return parts
    }

    private mutating func geminiResult(hasMedia: Bool) -> ChatToolResult {
        let text = chance(3) ? #"{"degrees":7}"# : text()
        let media = ChatPart(.media(ChatMedia(.image, .base64("AAAA", mediaType: "image/png"))))
        return ChatToolResult(
            callID: "call_1", parts: [ChatPart(.text(text))] + (hasMedia ? [media] : []), isError: !text.hasPrefix("{\"") && chance(3))
    }

    /// Events in the order in which parts can have them: a signature belongs to the first call, and calls are last.
    mutating func geminiEvents() -> [ChatEvent] {
        var events: [ChatEvent] = [.start(id: "r", model: "up")]
        for _ in 0..<Int.random(in: 0...3, using: &generator) { events.append(.reasoning(text())) }
        for _ in 0..<Int.random(in: 1...3, using: &generator) { events.append(.text(text())) }
        let calls = chance(2) ? Int.random(in: 1...3, using: &generator) : 0
        if calls > 0 { events.append(.reasoningToken(OpaqueToken("c2ln", .signature, .provider(tag: "f50c43ef")))) }
        for call in 0..<calls { events.append(.toolCall(index: call, id: "call_\(call)", name: "f\(call)")) }
        for call in (0..<calls).shuffled(using: &generator) {
            events.append(.toolArguments(index: call, fragment: #"{"a":"#))
            events.append(.toolArguments(index: call, fragment: "\(call)}"))
        }
        let reason = [.stop, .length, .contentFilter].randomElement(using: &generator) ?? FinishReason.stop
        events.append(.finish(calls > 0 ? .toolCalls : reason))
        return events
    }
}
