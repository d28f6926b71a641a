import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// What one half of the format writes, the other half reads back equal.
@Suite("OpenAI's chat format, there and back")
struct OpenAIChatRoundTripTests {
    @Test("a request that is written reads back equal", arguments: 0..<300)
    func requests(seed: UInt64) throws {
        var random = RandomChat(seed)
        var request = random.request()
        var dialect = OpenAIDialect()
        dialect.reasoning = .content
        dialect.hasCacheControl = true
        dialect.isOpenAI = random.chance(2)
        if dialect.isOpenAI { request.service = random.service() }
        let written = try OpenAIChat.writeRequest(request, for: .translated(to: "up"), dialect)
        #expect(try OpenAIChat.readRequest(written.span.bytes) == request)
    }

    @Test("a streamed response that is written reads back equal, wherever it is cut", arguments: 0..<200)
    func streams(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.events()
        var writer = OpenAIChunkWriter(id: "r", created: 1, model: "m")
        var stream: [UInt8] = []
        for chunk in events.compactMap({ writer.chunk($0) }) { stream += Array("data: ".utf8) + chunk + Array("\n\n".utf8) }
        stream += Array("data: [DONE]\n\n".utf8)
        let read = try decode(stream, .eventStream, isStream: true, cutAt: Int.random(in: 0...stream.count, using: &random.generator))
        #expect(read == withArguments(events))
    }

    /// The events with an empty object for each tool call that has no arguments, which a client must be able to parse.
    private func withArguments(_ events: [ChatEvent]) -> [ChatEvent] {
        var bare: [Int] = []
        for event in events {
            if case .toolCall(let index, _, _) = event { bare.append(index) }
            if case .toolArguments(let index, _) = event { bare.removeAll { $0 == index } }
        }
        var all = events
        all.insert(contentsOf: bare.map { .toolArguments(index: $0, fragment: "{}") }, at: max(0, events.count - 1))
        return all
    }

    @Test("a non-streamed response that is written reads back equal, with adjacent texts joined", arguments: 0..<200)
    func responses(seed: UInt64) throws {
        var random = RandomChat(seed)
        let events = random.events()
        var writer = OpenAICompletionWriter(id: "r", created: 1, model: "m")
        for event in events { writer.add(event) }
        let written = writer.completion(Usage(promptTokens: 3, completionTokens: 4))
        let read = try decode(written, .jsonObject, isStream: false, cutAt: written.count)
        #expect(folded(read) == folded(events))
    }

    private func decode(_ bytes: [UInt8], _ form: BodyForm, isStream: Bool, cutAt cut: Int) throws -> [ChatEvent] {
        let call = Call(
            operation: .chat, model: "m", isStream: isStream, format: WireFormat("other"), payload: .chat(ChatRequest(messages: [])))
        var decoder = try OpenAIChat.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: form))
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
        return events
    }

    private func take(_ sink: inout ResponseSink) -> [ChatEvent] {
        defer { sink.removeParts() }
        return sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    /// The events as a non-streamed response shows them.
    private func folded(_ events: [ChatEvent]) -> [String] {
        var text = "", reasoning = "", refusal = "", calls: [String] = [], citations: [String] = [], reason = ""
        for event in events {
            switch event {
            case .start: break
            case .text(let more): text += more
            case .reasoning(let more): reasoning += more
            case .reasoningToken(let token): reasoning += "<\(token)>"
            case .logprobs: break
            case .citation(let citation): citations.append("\(citation)")
            case .refusal(let more): refusal += more
            case .toolCall(_, let id, let name): calls.append("\(id) \(name) ")
            case .toolArguments(let index, let fragment): calls[index] += fragment
            case .finish(let finish, _): reason = finish.rawValue
            }
        }
        return [text, reasoning, refusal, reason] + citations + calls.map { $0.hasSuffix(" ") ? $0 + "{}" : $0 }
    }
}

/// Random requests and responses that the format can express, in the order in which it gives them back.
struct RandomChat {
    var generator: SeededGenerator

    init(_ seed: UInt64) { generator = SeededGenerator(seed) }

    mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &generator) == 0 }

    mutating func maybe<Value>(_ value: (inout RandomChat) -> Value) -> Value? { chance(2) ? value(&self) : nil }

    mutating func text() -> String {
        let texts = ["a", "Привет 🚀", "\"quoted\" \\ and\nlines", "\u{1}\u{2028}", "{\"x\":1}", " ", "data: [DONE]", "👨‍👩‍👧"]
        return (0...Int.random(in: 0...2, using: &generator)).map { _ in texts.randomElement(using: &generator) ?? "" }.joined()
    }

    mutating func service() -> ChatServiceSettings {
        var service = ChatServiceSettings()
        service.verbosity = maybe { _ in "low" }
        service.tier = maybe { _ in "flex" }
        service.promptCacheKey = maybe { $0.text() }
        service.promptCacheRetention = maybe { _ in "24h" }
        return service
    }

    /// A text that isn't only white space.
    mutating func words() -> String { text() + "." }

    mutating func number() -> Double { Double(Int.random(in: -200...200, using: &generator)) / 100 }

    mutating func request() -> ChatRequest {
        var request = ChatRequest(messages: (0...Int.random(in: 0...4, using: &generator)).map { _ in message() })
        if chance(2) {
            request.tools = [
                ChatTool(
                    name: "look_up", description: maybe { $0.text() },
                    parameters: Array(#"{"type":"object","additionalProperties":false}"#.utf8),
                    isStrict: maybe { $0.chance(2) })
            ]
            request.allowsParallelTools = maybe { $0.chance(2) }
            request.toolChoice = [nil, .auto, ChatToolChoice.none, .required, .tool("look_up")].randomElement(using: &generator) ?? nil
        }
        request.maxTokens = maybe { Int.random(in: 1...9999, using: &$0.generator) }
        request.sampling.temperature = maybe { $0.number() }
        request.sampling.topP = maybe { $0.number() }
        request.sampling.topK = maybe { Int.random(in: 1...99, using: &$0.generator) }
        request.sampling.frequencyPenalty = maybe { $0.number() }
        request.sampling.presencePenalty = maybe { $0.number() }
        request.sampling.seed = maybe { Int.random(in: -9...9, using: &$0.generator) }
        request.choices = chance(4) ? 3 : 1
        if chance(3) { request.stop = [text(), text()] }
        request.responseFormat =
            [
                nil, .text, .json,
                .schema(
                    name: "n", description: maybe { $0.text() }, schema: Array(#"{"type":"object","additionalProperties":false}"#.utf8),
                    isStrict: chance(2)),
            ].randomElement(using: &generator) ?? nil
        request.reasoning = maybe { _ in .effort("low") }
        request.user = maybe { $0.text() }
        if chance(3) { request.metadata = ["b": text(), "a": text()] }
        // Otherwise a demand for JSON would be added.
        if request.responseFormat == .json { request.messages.append(ChatMessage(.user, "JSON, please")) }
        return request
    }

    private mutating func message() -> ChatMessage {
        switch Int.random(in: 0...3, using: &generator) {
        case 0: return ChatMessage(.system, name: maybe { _ in "n" }, [ChatPart(.text(text()))])
        case 1: return ChatMessage(.user, name: maybe { _ in "n" }, contents())
        case 2: return ChatMessage(.assistant, assistantParts())
        default: return ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: "call", parts: [ChatPart(.text(text()))])))])
        }
    }

    private mutating func contents() -> [ChatPart] {
        (0...Int.random(in: 0...3, using: &generator)).map { _ in
            let content: ChatPart.Content =
                switch Int.random(in: 0...4, using: &generator) {
                case 0: .media(ChatMedia(.image, .url("https://h/x.png"), detail: maybe { _ in "low" }))
                case 1: .media(ChatMedia(.image, .base64("AAAA", mediaType: "image/png")))
                case 2: .media(ChatMedia(.audio, .base64("AAAA", mediaType: "audio/wav")))
                case 3:
                    .media(
                        ChatMedia(
                            .file, chance(2) ? .id("file-1") : .base64("AAAA", mediaType: "application/pdf"),
                            filename: maybe { _ in "a.pdf" }))
                default: .text(text())
                }
            return ChatPart(content, cacheControl: chance(4) ? Array(#"{"type":"ephemeral"}"#.utf8) : nil)
        }
    }

    private mutating func assistantParts() -> [ChatPart] {
        var parts: [ChatPart] = []
        if chance(3) {
            let token = chance(2) ? OpaqueToken("s", .signature, .format(OpenAIChat.format)) : nil
            parts.append(ChatPart(.reasoning(ChatReasoningText(text: text(), token: token))))
        }
        if chance(2) { parts.append(ChatPart(.text(text()))) }
        if chance(4) { parts.append(ChatPart(.refusal(text()))) }
        if chance(2) { parts.append(ChatPart(.toolCall(ChatToolCall(id: "call", name: "look_up", arguments: "{\"a\":1}")))) }
        return parts
    }

    mutating func events() -> [ChatEvent] {
        var events: [ChatEvent] = [.start(id: "chatcmpl-1", model: "up")]
        if chance(3) { events.append(.reasoning(text())) }
        if chance(6) { events.append(.citation(ChatCitation(url: "https://h", title: maybe { $0.text() }))) }
        for _ in 0...Int.random(in: 0...3, using: &generator) { events.append(.text(text())) }
        if chance(6) { events.append(.refusal(text())) }
        let calls = chance(2) ? Int.random(in: 1...3, using: &generator) : 0
        for call in 0..<calls {
            events.append(.toolCall(index: call, id: "call_\(call)", name: "f\(call)"))
            for _ in 0..<Int.random(in: 0...2, using: &generator) { events.append(.toolArguments(index: call, fragment: text())) }
        }
        events.append(.finish(calls > 0 ? .toolCalls : [.stop, .length].randomElement(using: &generator) ?? .stop))
        return events
    }
}

/// A generator whose numbers depend only on its seed. Source: S. Vigna, splitmix64.c.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
