import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What one half of the format writes, the other half reads back equal.
@Suite("OpenAI's Responses, there and back")
struct ResponsesRoundTripTests {
    private static let settings = OpenAIResponsesSettings(of: Array("{}".utf8).span.bytes)

    @Test("a request that is written reads back equal", arguments: 0..<300)
    func requests(seed: UInt64) throws {
        var random = RandomChat(seed)
        let request = random.responsesRequest()
        let written = try OpenAIResponses.writeRequest(request, for: .translated(to: "m"))
        #expect(try OpenAIResponses.readRequest(written.span.bytes) == request, "\(String(decoding: written, as: UTF8.self))")
    }

    @Test("a streamed response that is written reads back equal, wherever it is cut", arguments: 0..<200)
    func streams(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.responseEvents()
        var writer = OpenAIResponsesEventWriter(id: "r", created: 1, model: "m", Self.settings)
        let stream = events.flatMap { writer.frames($0) } + writer.end(.sample)
        let cut = Int.random(in: 0...stream.count, using: &random.generator)
        let (read, usage) = try decode(stream, .eventStream, isStream: true, cutAt: cut)
        #expect(folded(read) == folded(events))
        #expect(usage == .sample)
    }

    @Test("a non-streamed response that is written reads back equal", arguments: 0..<200)
    func responses(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.responseEvents()
        var writer = OpenAIResponsesWriter(id: "r", created: 1, model: "m", Self.settings)
        for event in events { writer.add(event) }
        let written = writer.response(.sample)
        let (read, usage) = try decode(written, .jsonObject, isStream: false, cutAt: written.count)
        #expect(folded(read) == folded(events))
        #expect(usage == .sample)
    }

    @Test("the last event of a stream has the same response as one that isn't streamed", arguments: 0..<50)
    func sameResponse(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.responseEvents()
        var stream = OpenAIResponsesEventWriter(id: "r", created: 1, model: "m", Self.settings)
        var response = OpenAIResponsesWriter(id: "r", created: 1, model: "m", Self.settings)
        for event in events {
            _ = stream.frames(event)
            response.add(event)
        }
        let last = String(decoding: stream.end(.sample), as: UTF8.self)
        #expect(last.contains(String(decoding: response.response(.sample), as: UTF8.self)))
    }

    private func decode(
        _ bytes: [UInt8], _ form: BodyForm, isStream: Bool, cutAt cut: Int
    ) throws -> (events: [ChatEvent], usage: Usage?) {
        let call = Call.translated(to: "m", isStream: isStream)
        var decoder = try OpenAIResponses.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: form))
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

    /// The events with adjacent texts joined, and citations apart, because only a stream says after which text they
    /// came. The token of a written response is the tagged one.
    private func folded(_ events: [ChatEvent]) -> [String] {
        var blocks: [String] = [], citations: [String] = []
        func add(_ kind: String, _ text: String) {
            if text.isEmpty { return }
            if let last = blocks.last, last.hasPrefix(kind) { blocks[blocks.count - 1] += text } else { blocks.append(kind + text) }
        }
        for event in events {
            switch event {
            case .start(_, let model): blocks.append("model \(model ?? "")")
            case .text(let text): add("text ", text)
            case .refusal(let text): add("refusal ", text)
            case .reasoning(let text): add("reasoning ", text)
            case .reasoningToken(let token):
                let value = token.value.hasPrefix(OpaqueToken.mark) ? token.value : token.tagged
                blocks.append("token \(token.kind) \(value)")
            case .logprobs: break
            case .citation(let citation): citations.append("citation \(citation)")
            case .toolCall(_, let id, let name): blocks.append("tool \(id) \(name) ")
            case .toolArguments(let index, let fragment):
                let places = blocks.indices.filter { blocks[$0].hasPrefix("tool ") }
                if places.indices.contains(index) { blocks[places[index]] += fragment }
            case .finish(let reason, let stopSequence): blocks.append("finish \(reason) \(stopSequence ?? "")")
            }
        }
        return citations + blocks.map { $0.hasPrefix("tool ") && $0.hasSuffix(" {}") ? String($0.dropLast(2)) : $0 }
    }
}

extension Usage {
    fileprivate static let sample = Usage(
        promptTokens: 20, completionTokens: 9, cachedTokens: 4, reasoningTokens: 5, cacheWriteTokens: 6)
}

extension RandomChat {
    mutating func responsesRequest() -> ChatRequest {
        var request = ChatRequest(messages: [])
        if chance(2) { request.messages.append(ChatMessage(.system, text())) }
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            request.messages.append(ChatMessage(.user, contents()))
            if chance(3) { request.messages.append(ChatMessage(.system, [ChatPart(.text(text())), ChatPart(.text(text()))])) }
            request.messages.append(ChatMessage(.assistant, turn()))
            request.messages.append(ChatMessage(.tool, [result("call_1"), result("call_2")]))
            if chance(2) { request.messages.append(ChatMessage(.user, contents())) }
            request.messages.append(ChatMessage(.assistant, [ChatPart(.text(text()))]))
        }
        request.messages.append(ChatMessage(.user, contents()))
        if chance(2) {
            request.tools = [
                ChatTool(
                    name: "look_up", description: maybe { $0.text() }, parameters: maybe { _ in Array(#"{"type":"object"}"#.utf8) },
                    isStrict: chance(2))
            ]
            request.allowsParallelTools = maybe { $0.chance(2) }
            request.toolChoice = [nil, .auto, ChatToolChoice.none, .required, .tool("look_up")].randomElement(using: &generator) ?? nil
        }
        request.maxTokens = maybe { Int.random(in: 1...9999, using: &$0.generator) }
        request.sampling.temperature = maybe { $0.number() }
        request.sampling.topP = maybe { $0.number() }
        request.responseFormat =
            [
                nil, .text, .json,
                .schema(name: "n", description: maybe { $0.text() }, schema: Array(#"{"a":[1]}"#.utf8), isStrict: chance(2)),
            ].randomElement(using: &generator) ?? nil
        request.reasoning = [nil, .effort("none"), .effort("low")].randomElement(using: &generator) ?? nil
        request.user = maybe { $0.text() }
        if chance(3) { request.metadata = ["b": text(), "a": text()] }
        request.service = service()
        // Otherwise a demand for JSON would be added.
        if request.responseFormat == .json { request.messages.append(ChatMessage(.user, "JSON, please")) }
        return request
    }

    private mutating func contents() -> [ChatPart] {
        (0...Int.random(in: 0...3, using: &generator)).map { _ in
            switch Int.random(in: 0...5, using: &generator) {
            case 0: ChatPart(.media(ChatMedia(.image, .url("https://h/x.png"), detail: maybe { _ in "low" })))
            case 1: ChatPart(.media(ChatMedia(.image, chance(2) ? .id("file-1") : .base64("AAAA", mediaType: "image/png"))))
            case 2: ChatPart(.media(ChatMedia(.audio, .base64("AAAA", mediaType: "audio/wav"))))
            case 3:
                ChatPart(
                    .media(
                        ChatMedia(
                            .file,
                            [.id("file-1"), .url("https://h/a.pdf"), .base64("AAAA", mediaType: "application/pdf")]
                                .randomElement(using: &generator) ?? .id(""), filename: maybe { _ in "a.pdf" })))
            default: ChatPart(.text(text()))
            }
        }
    }

    private mutating func turn() -> [ChatPart] {
        var parts: [ChatPart] = []
        if chance(2) {
            let kind = chance(2) ? OpaqueToken.Kind.signature : .encrypted
            let token = OpaqueToken("c2ln", kind, .format(OpenAIResponses.format))
            parts.append(ChatPart(.reasoning(ChatReasoningText(text: kind == .signature && chance(2) ? text() : "", token: token))))
        }
        if chance(2) { parts.append(ChatPart(.text(text()))) }
        if chance(4) { parts.append(ChatPart(.refusal(text()))) }
        for call in 1...2 { parts.append(ChatPart(.toolCall(ChatToolCall(id: "call_\(call)", name: "look_up", arguments: #"{"a":1}"#)))) }
        return parts
    }

    private mutating func result(_ id: String) -> ChatPart {
        let media = ChatPart(.media(ChatMedia(.image, .base64("AAAA", mediaType: "image/png"))))
        return ChatPart(
            .toolResult(ChatToolResult(callID: id, parts: chance(3) ? [ChatPart(.text(text())), media] : [ChatPart(.text(text()))])))
    }

    /// Events as a stream of items can have them.
    mutating func responseEvents() -> [ChatEvent] {
        messageEvents().flatMap { event -> [ChatEvent] in
            if case .finish(let reason, _) = event { return [.finish(reason)] }
            guard case .text = event, chance(6) else { return [event] }
            return [event, chance(2) ? .refusal(text()) : .citation(ChatCitation(url: "https://h", title: text()))]
        }
    }
}
