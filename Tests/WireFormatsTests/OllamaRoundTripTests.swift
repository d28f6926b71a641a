import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What one half of the format writes, the other half reads back equal.
@Suite("Ollama's chat, there and back")
struct OllamaRoundTripTests {
    @Test("a request that is written reads back equal", arguments: 0..<300)
    func requests(seed: UInt64) throws {
        var random = RandomChat(seed)
        let request = random.ollamaRequest()
        let written = try OllamaChat.writeRequest(request, for: .translated(to: "up"))
        #expect(try OllamaChat.readRequest(written.span.bytes) == request, "\(String(decoding: written, as: UTF8.self))")
    }

    @Test(
        "a streamed response that is written reads back equal, wherever it is cut", arguments: 0..<200,
        [OllamaChat.format, OllamaChat.generate])
    func streams(seed: UInt64, format: WireFormat) throws {
        var random = RandomChat(seed)
        let events = random.ollamaEvents(hasCalls: format == OllamaChat.format)
        var writer = OllamaLineWriter(format, model: "m")
        let stream = try events.flatMap { writer.line($0, at: 5) } + writer.end(.counts, .sample, at: 5)
        let cut = Int.random(in: 0...stream.count, using: &random.generator)
        let (read, usage) = try decode(stream, .jsonLines, isStream: true, cutAt: cut)
        #expect(folded(read) == folded(events))
        #expect(usage == .counts)
    }

    @Test("a non-streamed response that is written reads back equal", arguments: 0..<200, [OllamaChat.format, OllamaChat.generate])
    func responses(seed: UInt64, format: WireFormat) throws {
        var random = RandomChat(seed)
        let events = random.ollamaEvents(hasCalls: format == OllamaChat.format)
        var writer = OllamaMessageWriter(format, model: "m")
        for event in events { writer.add(event) }
        let written = try writer.object(.counts, .sample, at: 5)
        let (read, usage) = try decode(written, .jsonObject, isStream: false, cutAt: written.count)
        #expect(folded(read) == folded(events))
        #expect(usage == .counts)
    }

    @Test("a stream that was to be one object is read as one", arguments: 0..<50)
    func streamInPlaceOfObject(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.ollamaEvents(hasCalls: true)
        var writer = OllamaLineWriter(OllamaChat.format, model: "m")
        let stream = try events.flatMap { writer.line($0, at: 5) } + writer.end(.counts, .sample, at: 5)
        let (read, usage) = try decode(stream, .jsonObject, isStream: false, cutAt: stream.count)
        #expect(folded(read) == folded(events))
        #expect(usage == .counts)
    }

    private func decode(
        _ bytes: [UInt8], _ form: BodyForm, isStream: Bool, cutAt cut: Int
    ) throws -> (events: [ChatEvent], usage: Usage?) {
        var decoder = try OllamaChat.decoder(
            for: .translated(to: "m", isStream: isStream), head: UpstreamHead(status: 200, bodyForm: form))
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

    /// The events as one object shows them.
    private func folded(_ events: [ChatEvent]) -> [String] {
        var model = "", text = "", reasoning = "", calls: [String] = [], reason = ""
        for event in events {
            switch event {
            case .start(_, let name): model = name ?? ""
            case .text(let more), .refusal(let more): text += more
            case .reasoning(let more): reasoning += more
            case .toolCall(_, let id, let name): calls.append("\(id) \(name) ")
            case .toolArguments(let index, let fragment): if calls.indices.contains(index) { calls[index] += fragment }
            case .finish(let finish, _): reason = finish.rawValue
            case .logprobs, .reasoningToken, .citation: break
            }
        }
        return [model, text, reasoning, reason] + calls
    }
}

extension Usage {
    fileprivate static let counts = Usage(promptTokens: 20, completionTokens: 9)
}

extension RandomChat {
    /// A request that the format can express without a loss.
    mutating func ollamaRequest() -> ChatRequest {
        var request = ChatRequest(messages: [])
        if chance(2) { request.messages.append(ChatMessage(.system, text() + "s")) }
        for turn in 0..<Int.random(in: 0...2, using: &generator) {
            request.messages.append(ChatMessage(.user, userParts()))
            let calls = (0...Int.random(in: 0...2, using: &generator)).map { index in
                ChatToolCall(id: "id_\(turn)_\(index)", name: "f\(index)", arguments: chance(2) ? "{}" : #"{"a":"x"}"#)
            }
            var parts: [ChatPart] = []
            if chance(2) { parts.append(ChatPart(.reasoning(ChatReasoningText(text: text() + "r")))) }
            if chance(2) { parts.append(ChatPart(.text(text() + "t"))) }
            request.messages.append(ChatMessage(.assistant, parts + calls.map { ChatPart(.toolCall($0)) }))
            for call in calls.shuffled(using: &generator) {
                let result = ChatToolResult(callID: call.id, parts: [ChatPart(.text(text() + "r"))])
                request.messages.append(ChatMessage(.tool, [ChatPart(.toolResult(result))]))
            }
        }
        request.messages.append(ChatMessage(.user, userParts()))
        if chance(2) {
            let parameters = Array(#"{"type":"object","properties":{"a":{"type":"string"}}}"#.utf8)
            request.tools = [ChatTool(name: "f0", description: maybe { $0.text() }, parameters: parameters)]
        }
        request.maxTokens = maybe { Int.random(in: 1...9999, using: &$0.generator) }
        request.sampling.temperature = maybe { $0.number() }
        request.sampling.topP = maybe { $0.number() }
        request.sampling.topK = maybe { Int.random(in: 1...99, using: &$0.generator) }
        request.sampling.frequencyPenalty = maybe { $0.number() }
        request.sampling.presencePenalty = maybe { $0.number() }
        request.sampling.seed = maybe { Int.random(in: 0...9, using: &$0.generator) }
        if chance(3) { request.stop = [text(), text()] }
        let schema = ChatResponseFormat.schema(name: "response", description: nil, schema: Array(#"{"a":[1]}"#.utf8), isStrict: false)
        request.responseFormat = [nil, .json, schema].randomElement(using: &generator) ?? nil
        request.reasoning = [nil, "none", "low", "medium", "high", "max"].randomElement(using: &generator)?.map { .effort($0) }
        return request
    }

    private mutating func userParts() -> [ChatPart] {
        let images: [ChatPart] = [
            ChatPart(.media(ChatMedia(.image, .base64("iVBORw0KGgo=", mediaType: "image/png")))),
            ChatPart(.media(ChatMedia(.audio, .base64("UklGRiQAAABXQVZFZm10IA==", mediaType: "audio/wav")))),
        ]
        return [ChatPart(.text(text() + "u"))] + (chance(2) ? images : [])
    }

    /// - Parameter hasCalls: whether there may be tool calls, which complete their arguments in any order.
    mutating func ollamaEvents(hasCalls: Bool) -> [ChatEvent] {
        var events: [ChatEvent] = [.start(id: nil, model: "up")]
        for _ in 0..<Int.random(in: 0...2, using: &generator) { events.append(.reasoning(text())) }
        for _ in 0..<Int.random(in: 0...2, using: &generator) { events.append(chance(4) ? .refusal(text()) : .text(text())) }
        let calls = hasCalls && chance(2) ? Int.random(in: 1...3, using: &generator) : 0
        for call in 0..<calls { events.append(.toolCall(index: call, id: "call_\(call)", name: "f\(call)")) }
        for call in (0..<calls).shuffled(using: &generator) { events.append(.toolArguments(index: call, fragment: #"{"a":"#)) }
        for call in (0..<calls).shuffled(using: &generator) { events.append(.toolArguments(index: call, fragment: #""\#(call)"}"#)) }
        events.append(.finish(calls > 0 ? .toolCalls : [.stop, .length].randomElement(using: &generator) ?? .stop))
        return events
    }
}
