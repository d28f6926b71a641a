import Codecs
import ProviderKit
import Testing

@testable import WireFormats

/// How the ends of responses are read as typed events, whatever the format.
@Suite("the end of a translated response")
struct TranslatedEndTests {
    /// A format, and its streams.
    enum Format: CaseIterable {
        case openAI, anthropic, gemini, ollama

        func decoder(_ call: Call) throws -> any ResponseDecoder {
            let events = UpstreamHead(status: 200, bodyForm: .eventStream)
            return switch self {
            case .openAI: try OpenAIChat.decoder(for: call, head: events)
            case .anthropic: try AnthropicMessages.decoder(for: call, head: events)
            case .gemini: try Gemini.decoder(for: call, head: events)
            case .ollama: try OllamaChat.decoder(for: call, head: UpstreamHead(status: 200, bodyForm: .jsonLines))
            }
        }

        /// A stream with a text and an end.
        func stream(_ text: String, reason: String) -> String {
            switch self {
            case .openAI:
                #"data: {"choices":[{"index":0,"delta":{"content":"\#(text)"}}]}"# + "\n\n"
                    + #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"\#(reason)"}]}"# + "\n\n"
            case .anthropic:
                #"data: {"type":"message_start","message":{"id":"m","content":[]}}"# + "\n\n"
                    + #"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"# + "\n\n"
                    + #"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"\#(text)"}}"# + "\n\n"
                    + #"data: {"type":"message_delta","delta":{"stop_reason":"\#(reason)"}}"# + "\n\n"
            case .gemini:
                #"data: {"candidates":[{"content":{"parts":[{"text":"\#(text)"}]}}]}"# + "\n\n"
                    + #"data: {"candidates":[{"content":{"parts":[]},"finishReason":"\#(reason)"}]}"# + "\n\n"
            case .ollama:
                #"{"message":{"content":"\#(text)"},"done":false}"# + "\n"
                    + #"{"message":{"content":""},"done":true,"done_reason":"\#(reason)"}"# + "\n"
            }
        }
    }

    private func decode(_ format: Format, _ stream: String, finishes: Bool = true, isStream: Bool = true) throws -> ResponseSink {
        var decoder = try format.decoder(.translated(to: "m", isStream: isStream)), sink = ResponseSink()
        let bytes = Array(stream.utf8)
        let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
        if finishes, !sink.isComplete { try decoder.finish(bytes.span.bytes.extracting(consumed..<bytes.count), into: &sink) }
        return sink
    }

    private func events(_ sink: ResponseSink) -> [ChatEvent] {
        sink.parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
    }

    @Test(
        "a finish reason with a word for a failure is one in every format",
        arguments: Format.allCases,
        [
            "error", "network_error", "abort", "failed", "timeout", "server_error", "insufficient_system_resource", "ERROR",
            "deadline_exceeded", "out_of_memory", "preempted", "server_shutdown",
        ])
    func failures(format: Format, reason: String) {
        for isStream in [true, false] {
            #expect(throws: ProviderError.self) { try decode(format, format.stream("x", reason: reason), isStream: isStream) }
        }
    }

    @Test(
        "a reason with a word for a filter is one in every format", arguments: Format.allCases,
        ["content_filter", "sensitive", "safety", "blacklist", "unsafe", "flagged", "policy_violation", "content_policy", "ERROR_TOXIC"])
    func filters(format: Format, reason: String) throws {
        let sink = try decode(format, format.stream("x", reason: reason))
        #expect(sink.signals.isFiltered && events(sink).last == .finish(.contentFilter))
    }

    @Test("an unknown reason counts as an end, and is told", arguments: Format.allCases)
    func unknown(format: Format) throws {
        let sink = try decode(format, format.stream("x", reason: "quorum"))
        #expect(sink.signals.hasUnknownFinishReason && events(sink).last == .finish(.stop))
    }

    @Test("the router knows of a finish reason before the stream ends", arguments: Format.allCases)
    func early(format: Format) throws {
        let sink = try decode(format, format.stream("x", reason: format == .gemini ? "STOP" : "stop"), finishes: false)
        #expect(sink.signals.finishes > 0)
    }

    @Test(
        "a stream with neither content nor a finish reason has no end, so it is no success",
        arguments: [
            "", #"{"choices":[{"index":0,"delta":{"role":"assistant"}}]}"#, #"{"choices":[]}"#,
            #"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":0}}"#,
            #"{"choices":[{"index":0,"delta":{"tool_calls":[]}}]}"#,
        ])
    func empty(chunk: String) throws {
        let sink = try decode(.openAI, (chunk.isEmpty ? "" : "data: \(chunk)\n\n") + "data: [DONE]\n\n")
        #expect(!sink.signals.hasBegun && events(sink).allSatisfy { if case .finish = $0 { false } else { true } })
    }

    /// Responses with an end marker alone, and what each would be with a text.
    struct Silence: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let decoder: @Sendable (Call) throws -> any ResponseDecoder
        /// The body before the text, the text, and what follows.
        let start: String, text: String, end: String
        var isStream = true

        static let anthropic =
            [#"{"type":"message_stop"}"#]
            + [#"null"#, #""""#, #""none""#].map {
                #"{"type":"message_delta","delta":{"stop_reason":\#($0)}}"# + "\n\ndata: " + #"{"type":"message_stop"}"#
            }
        static let all =
            anthropic.flatMap { end in
                [true, false].map { isStream in
                    Silence(
                        testDescription: "Anthropic, \(end), \(isStream)",
                        decoder: { try AnthropicMessages.decoder(for: $0, head: UpstreamHead(status: 200, bodyForm: .eventStream)) },
                        start: "data: " + #"{"type":"message_start","message":{"id":"m","content":[]}}"# + "\n\ndata: "
                            + #"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"# + "\n\n",
                        text: "data: " + #"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"x"}}"# + "\n\n",
                        end: "data: \(end)\n\n", isStream: isStream)
                }
            }
            + ["", #","done_reason":"""#, #","done_reason":"none""#, #","done_reason":null"#].flatMap { reason in
                [true, false].map { isStream in
                    Silence(
                        testDescription: "Ollama, \(reason), \(isStream)",
                        decoder: { try OllamaChat.decoder(for: $0, head: UpstreamHead(status: 200, bodyForm: .jsonLines)) },
                        start: #"{"message":{"role":"assistant","content":""},"done":false}"# + "\n",
                        text: #"{"message":{"content":"x"},"done":false}"# + "\n",
                        end: #"{"message":{"content":""},"done":true\#(reason)}"# + "\n", isStream: isStream)
                }
            }
            + ["null", #""""#, #""none""#].map { reason in
                Silence(
                    testDescription: "Bedrock, \(reason)",
                    decoder: { try BedrockConverse.decoder(for: $0, head: UpstreamHead(status: 200, bodyForm: .jsonObject)) },
                    start: #"{"output":{"message":{"role":"assistant","content":["#, text: #"{"text":"x"}"#,
                    end: #"]}},"stopReason":\#(reason)}"#, isStream: false)
            }
    }

    @Test("an end marker is no finish reason: it ends a response that has content, and no other", arguments: Silence.all)
    func markers(silence: Silence) throws {
        for format in ["other", "same"] {
            func decode(_ body: String) throws -> ResponseSink {
                let payload = format == "other" ? Payload.chat(ChatRequest(messages: [])) : .members([])
                let call = Call(
                    operation: .chat, model: "m", isStream: silence.isStream, format: WireFormat("f"), payload: payload, provider: "p")
                var decoder = try silence.decoder(call), sink = ResponseSink()
                let bytes = Array(body.utf8)
                let consumed = try decoder.decode(bytes.span.bytes, into: &sink)
                if !sink.isComplete { try decoder.finish(bytes.span.bytes.extracting(consumed..<bytes.count), into: &sink) }
                return sink
            }
            let sink = try decode(silence.start + silence.text + silence.end)
            #expect(sink.isComplete && sink.signals.contentBytes > 0)
            #expect(throws: ProviderError.self, "\(format)") { try decode(silence.start + silence.end) }
        }
    }

    @Test("a reason that doesn't say why is an end after content, and a failure without", arguments: Format.allCases, ["other", "OTHER"])
    func unclear(format: Format, reason: String) throws {
        for isStream in [true, false] {
            let sink = try decode(format, format.stream("x", reason: reason), isStream: isStream)
            #expect(events(sink).last == .finish(.stop) && !sink.signals.hasUnknownFinishReason)
            #expect(throws: ProviderError.self) { try decode(format, format.stream("", reason: reason), isStream: isStream) }
        }
    }

    @Test("content after a finish reason comes before the end")
    func contentAfterReason() throws {
        let stream = ["AAA", "BBB"].map { Format.openAI.stream($0, reason: "stop") }.joined() + "data: [DONE]\n\n"
        #expect(try events(decode(.openAI, stream)).suffix(3) == [.text("AAA"), .text("BBB"), .finish(.stop)])
    }

    @Test(
        "a call that says nothing is none",
        arguments: [
            #""tool_calls":[{}]"#, #""tool_calls":[{"index":0,"id":"","function":{"name":"","arguments":""}}]"#,
            #""function_call":{}"#, #""function_call":{"name":"","arguments":""}"#,
        ])
    func emptyCall(call: String) throws {
        let stream =
            #"data: {"choices":[{"index":0,"delta":{"content":"hi",\#(call)},"finish_reason":"stop"}]}"# + "\n\ndata: [DONE]\n\n"
        #expect(try events(decode(.openAI, stream)).dropFirst() == [.text("hi"), .finish(.stop)])
    }

    @Test("the reasoning is what either of its two names says", arguments: ["null", "\"\""])
    func reasoning(absent: String) throws {
        let stream =
            #"data: {"choices":[{"index":0,"delta":{"reasoning_content":\#(absent),"reasoning":"hm"}}]}"# + "\n\n"
            + Format.openAI.stream("x", reason: "stop")
        #expect(try events(decode(.openAI, stream)).contains(.reasoning("hm")))
    }
}
