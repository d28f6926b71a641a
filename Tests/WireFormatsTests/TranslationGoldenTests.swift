import Codecs
import Foundation
import ProviderKit
import Testing

@testable import WireFormats

/// The chat formats that a client may have, and a provider.
enum ChatFormat: String, CaseIterable {
    case openai, anthropic, responses, gemini, ollama

    var format: WireFormat {
        switch self {
        case .openai: OpenAIChat.format
        case .anthropic: AnthropicMessages.format
        case .responses: OpenAIResponses.format
        case .gemini: Gemini.format
        case .ollama: OllamaChat.format
        }
    }

    /// The provider's model for a request to a model of this name.
    func model(_ name: String) -> String { self == .gemini ? "gemini-3-flash-preview" : name }

    func read(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        switch self {
        case .openai: try OpenAIChat.readRequest(body)
        case .anthropic: try AnthropicMessages.readRequest(body)
        case .responses: try OpenAIResponses.readRequest(body)
        case .gemini: try Gemini.readRequest(body)
        case .ollama: try OllamaChat.readRequest(body)
        }
    }

    func sources(for call: Call, body: RawSpan) throws(ProviderError) -> [BodySource] {
        switch self {
        case .openai: try OpenAIChatBody(OpenAIDialect()).sources(for: call, body: body)
        case .anthropic: try AnthropicMessagesBody().sources(for: call, body: body)
        case .responses: try OpenAIResponsesBody().sources(for: call, body: body)
        case .gemini: try GeminiBody(signatures: GeminiSignatures()).sources(for: call, body: body)
        case .ollama: try OllamaBody().sources(for: call, body: body)
        }
    }

    func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch self {
        case .openai: try OpenAIChat.decoder(for: call, head: head)
        case .anthropic: try AnthropicMessages.decoder(for: call, head: head)
        case .responses: try OpenAIResponses.decoder(for: call, head: head)
        case .gemini: try Gemini.decoder(for: call, head: head)
        case .ollama: try OllamaChat.decoder(for: call, head: head)
        }
    }

    /// What a stream is.
    var streamForm: BodyForm { self == .ollama ? .jsonLines : .eventStream }

    /// The JSON of a chunk that passes through without its frame, as this format's client gets it.
    func framed(_ json: some Collection<UInt8>) -> [UInt8] {
        self == .ollama ? json + Array("\n".utf8) : Array("data: ".utf8) + json + Array("\n\n".utf8)
    }

    /// What a client of Responses has asked, as far as its response repeats it.
    private static let settings = OpenAIResponsesSettings(
        of: Array(
            (#"{"instructions":"Be brief","tools":[{"type":"custom","name":"apply_patch"},{"type":"local_shell"},"#
                + #"{"type":"namespace","name":"mcp__files","tools":[{"type":"function","name":"read"}]}]}"#).utf8
        ).span.bytes)

    /// What a client of chat completions has asked.
    private static let customTools = OpenAIChat.customTools(
        of: Array(#"{"tools":[{"type":"custom","custom":{"name":"apply_patch"}},{"type":"function","function":{"name":"f"}}]}"#.utf8).span
            .bytes)

    /// Typed events as this format's client gets them.
    ///
    /// - Parameter isComplete: whether the response ends well.
    func written(_ events: [ChatEvent], _ usage: Usage?, isStream: Bool, isComplete: Bool) throws(ProviderError) -> [UInt8] {
        switch (self, isStream) {
        case (.openai, true):
            var writer = OpenAIChunkWriter(id: "request", created: 1, model: "m")
            writer.customTools = Self.customTools
            let chunks = events.compactMap { writer.chunk($0) } + (usage.map { isComplete ? [writer.usageChunk($0)] : [] } ?? [])
            let end = isComplete ? "data: [DONE]\n\n" : ""
            return chunks.flatMap { framed($0) } + Array(end.utf8)
        case (.openai, false):
            var writer = OpenAICompletionWriter(id: "request", created: 1, model: "m")
            writer.customTools = Self.customTools
            for event in events { writer.add(event) }
            return writer.completion(usage)
        case (.anthropic, true):
            var writer = AnthropicEventWriter(id: "request", model: "m", inputTokens: 7)
            return events.flatMap { writer.frames($0) } + (isComplete ? writer.end(usage) : [])
        case (.anthropic, false):
            var writer = AnthropicMessageWriter(id: "request", model: "m")
            for event in events { writer.add(event) }
            return writer.message(usage)
        case (.responses, true):
            var writer = OpenAIResponsesEventWriter(id: "request", created: 1, model: "m", Self.settings)
            return events.flatMap { writer.frames($0) } + (isComplete ? writer.end(usage) : [])
        case (.responses, false):
            var writer = OpenAIResponsesWriter(id: "request", created: 1, model: "m", Self.settings)
            for event in events { writer.add(event) }
            return writer.response(usage)
        case (.gemini, true):
            var writer = GeminiChunkWriter(id: "request", model: "m", includesThoughts: true)
            let chunks = events.compactMap { writer.chunk($0) } + (isComplete ? [writer.end(usage)] : [])
            return chunks.flatMap { Array("data: ".utf8) + $0 + Array("\n\n".utf8) }
        case (.gemini, false):
            var writer = GeminiObjectWriter(id: "request", model: "m", includesThoughts: true)
            for event in events { writer.add(event) }
            return writer.response(usage)
        case (.ollama, true):
            var writer = OllamaLineWriter(format, model: "m")
            let lines = events.flatMap { writer.line($0, at: 1_766_000_000_125) }
            return lines + (isComplete ? try writer.end(usage, .sample, at: 1_766_000_000_125) : [])
        case (.ollama, false):
            var writer = OllamaMessageWriter(format, model: "m")
            for event in events { writer.add(event) }
            return try writer.object(usage, .sample, at: 1_766_000_000_125)
        }
    }
}

extension OllamaDurations {
    static let sample = OllamaDurations(total: 2_000_000_000, prompt: 500_000_000)
}

/// Whole translations: each feature from all clients' formats to all providers', and back. `Goldens/requests` has
/// `FEATURE.CLIENT.json`, and `Goldens/responses` has `FEATURE.PROVIDER.sse`, `.ndjson` or `.json`.
/// `RECORD_GOLDENS=1` records again what becomes of them.
@Suite("translations between chat formats")
struct TranslationGoldenTests {
    private static let folder =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Goldens/"

    /// The names of the inputs, which have no `-to-`. ``BedrockGoldenTests`` has those of Bedrock.
    private static func names(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: Self.folder + folder)) ?? [])
            .filter { !$0.contains("-to-") && !$0.contains(".bedrock.") }.sorted()
    }

    @Test("a client's request becomes the provider's", arguments: names("requests"), ChatFormat.allCases)
    func request(name: String, provider: ChatFormat) throws {
        let client = try #require(ChatFormat(rawValue: String(name.split(separator: ".")[1])))
        let body = try bytes("requests/\(name)")
        let members = try JSON.members(of: body.span.bytes)
        let model = JSONTree(body.span.bytes)?["model"]?.string ?? "m"
        let sent: [UInt8]
        do throws(ProviderError) {
            let payload = client == provider ? Payload.members(members) : .chat(try client.read(body.span.bytes))
            let call = Call(
                operation: .chat, model: provider.model(model),
                isStream: JSONTree(body.span.bytes)?["stream"]?.bool ?? (client == .ollama),
                format: client.format, payload: payload, provider: "p", context: 8192)
            sent = try provider.sources(for: call, body: body.span.bytes).joined(of: body)
        } catch {
            sent = Array("\(error.failure.rawValue): \(error.message)".utf8)
        }
        try compare(sent, name, "requests", client, provider)
    }

    @Test("a provider's response becomes the client's, wherever it is cut", arguments: names("responses"), ChatFormat.allCases)
    func response(name: String, client: ChatFormat) throws {
        let provider = try #require(ChatFormat(rawValue: String(name.split(separator: ".")[1])))
        let isStream = !name.hasSuffix(".json"), upstream = try bytes("responses/\(name)")
        let whole = try client.received(upstream, isStream: isStream, from: provider) { call throws(ProviderError) in
            try provider.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: isStream ? provider.streamForm : .jsonObject))
        }
        try compare(whole, name, "responses", provider, client)
    }

    @Test("there are goldens for every feature of each format")
    func count() {
        for format in ChatFormat.allCases {
            #expect(Self.names("requests").count { $0.contains(".\(format.rawValue).") } >= 9)
            #expect(Self.names("responses").count { $0.contains(".\(format.rawValue).") } >= 8)
        }
    }

    private func bytes(_ path: String) throws -> [UInt8] {
        Array(try #require(FileManager.default.contents(atPath: Self.folder + path)))
    }

    private func compare(_ bytes: [UInt8], _ name: String, _ folder: String, _ from: ChatFormat, _ to: ChatFormat) throws {
        let path = "\(Self.folder)\(folder)/" + name.replacing(".\(from.rawValue).", with: ".\(from.rawValue)-to-\(to.rawValue).")
        let text = String(decoding: bytes, as: UTF8.self)
        if ProcessInfo.processInfo.environment["RECORD_GOLDENS"] == "1" { try text.write(toFile: path, atomically: true, encoding: .utf8) }
        #expect(text == (try? String(contentsOfFile: path, encoding: .utf8)))
    }
}

extension ChatFormat {
    /// What a client of this format gets of a provider's response, and the usage. It is the same wherever the response
    /// is cut.
    ///
    /// - Parameter provider: nil for a format that no client has.
    func received(
        _ upstream: [UInt8], isStream: Bool, from provider: ChatFormat?, by decoder: (Call) throws(ProviderError) -> any ResponseDecoder
    ) throws -> [UInt8] {
        let whole = received(upstream, isStream, provider, cuts: [], decoder)
        #expect(received(upstream, isStream, provider, cuts: Array(1..<max(1, upstream.count)), decoder) == whole, "byte by byte")
        for cut in stride(from: 1, to: upstream.count, by: 7) {
            try #require(received(upstream, isStream, provider, cuts: [cut], decoder) == whole, "cut at \(cut)")
        }
        return whole
    }

    private func received(
        _ upstream: [UInt8], _ isStream: Bool, _ provider: ChatFormat?, cuts: [Int],
        _ makeDecoder: (Call) throws(ProviderError) -> any ResponseDecoder
    ) -> [UInt8] {
        let payload = self == provider ? Payload.members([]) : .chat(ChatRequest(messages: []))
        let call = Call(operation: .chat, model: "m", isStream: isStream, format: format, payload: payload, provider: "p")
        var sink = ResponseSink(), pending: [UInt8] = [], passed: [UInt8] = [], events: [ChatEvent] = [], start = 0, end = ""
        func take() {
            for part in sink.parts {
                switch part {
                case .chunk(let chunk):
                    passed += chunk.frame.map { Array(pending[$0]) } ?? framed(pending[chunk.json])
                case .joined(let json, _): passed += framed(json)
                case .buffered(let range, _): passed += pending[range]
                case .event(let event): events.append(event)
                case .embeddings, .count, .payload: break
                }
            }
            sink.removeParts()
        }
        do throws(ProviderError) {
            var decoder = try makeDecoder(call)
            for cut in cuts + [upstream.count] where !sink.isComplete {
                pending += upstream[start..<cut]
                start = cut
                let consumed = try decoder.decode(pending.span.bytes, into: &sink)
                take()
                pending.removeFirst(consumed)
            }
            if !sink.isComplete { try decoder.finish(pending.span.bytes, into: &sink) }
        } catch { end = "\n\(error.failure.rawValue): \(error.message)" }
        take()
        let usage = sink.usage.map { usage in
            "\nprompt \(usage.promptTokens ?? 0), read \(usage.cachedTokens ?? 0), written \(usage.cacheWriteTokens ?? 0)"
                + ", completion \(usage.completionTokens ?? 0), reasoning \(usage.reasoningTokens ?? 0)"
        }
        var written: [UInt8] = []
        do throws(ProviderError) {
            if !events.isEmpty { written = try self.written(events, sink.usage, isStream: isStream, isComplete: sink.isComplete) }
        } catch { end = "\n\(error.failure.rawValue): \(error.message)" }
        return passed + written + Array(((usage ?? "") + end + "\n").utf8)
    }
}
