import Codecs
import ConfigTree
import Ollama
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@Suite("the Ollama plugin")
struct OllamaPluginTests {
    private let provider = OllamaProvider(.sample())

    @Test("the provider passes the conformance suite")
    func conformance() {
        let suite = ProviderConformance(
            provider: provider,
            responses: [
                .init(
                    "a stream", isStream: true, head: .lines, bytes: Array(Self.stream.utf8),
                    content: .init(
                        text: "Привет 🚀", reasoning: "hm", toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls, usage: Self.usage)),
                .init("a stream with CRLF", isStream: true, head: .lines, bytes: Array(Self.stream.replacing("\n", with: "\r\n").utf8)),
                .init(
                    "a stream with blank lines", isStream: true, head: .lines, bytes: Array(Self.stream.replacing("\n", with: "\n\n").utf8)),
                .init("a stream without its type", isStream: true, head: .json, bytes: Array(Self.stream.utf8)),
                .init(
                    "a message", isStream: false, head: .json, bytes: Array(Self.message.utf8),
                    content: .init(text: "Привет", toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls, usage: Self.usage)),
                .init("a stream that was not asked for", isStream: false, head: .lines, bytes: Array(Self.stream.utf8)),
                .init("a message in the place of a stream", isStream: true, head: .json, bytes: Array(Self.message.utf8)),
            ],
            requests: [
                .body(#"{"messages":[]}"#),
                .body(#"{"model":"auto","messages":[{"role":"user","content":"Привет 🚀"}],"stream":true,"x":1e999}"#),
                .chat(ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "Привет 🚀")])),
            ],
            failures: [
                .init("a busy server", status: 503, body: #"{"error":"server busy, please try again"}"#, is: .rateLimited),
                .init("a model that is not there", status: 404, body: #"{"error":"model 'x' not found"}"#, is: .notFound),
            ],
            failureEvents: ["{\"error\":\"an error was encountered while running the model\"}\n"])
        #expect(suite.violations() == [])
    }

    // MARK: Requests

    @Test("the format of a request decides its path, and a typed one is a chat or an embedding")
    func targets() throws {
        let expected: [(ProviderKit.Operation, WireFormat, String)] = [
            (.chat, OllamaChat.format, "/api/chat"), (.chat, OllamaChat.generate, "/api/generate"),
            (.embeddings, OllamaEmbed.format, "/api/embed"), (.embeddings, OllamaEmbed.legacy, "/api/embeddings"),
        ]
        for (operation, format, target) in expected {
            #expect(provider.formats(for: operation, model: "m").contains(format))
            #expect(try provider.request(for: call("{}", operation, format), body: Array("{}".utf8).span.bytes).target == target)
        }
        let chat = Call(
            operation: .chat, model: "m", isStream: false, format: OpenAIChat.format, payload: .chat(ChatRequest(messages: [])))
        #expect(try provider.request(for: chat, body: [UInt8]().span.bytes).target == "/api/chat")
        let embeddings = Call(
            operation: .embeddings, model: "m", isStream: false, format: OpenAIEmbeddings.format,
            payload: .embeddings(EmbeddingsRequest(inputs: [.text("a")])))
        let request = try provider.request(for: embeddings, body: [UInt8]().span.bytes)
        #expect(request.target == "/api/embed")
        #expect(text(request, "") == #"{"input":["a"],"model":"m","truncate":false}"#)
        #expect(provider.formats(for: .moderation, model: "m") == [])
    }

    @Test(
        "the address may have the path of the API",
        arguments: [
            ("http://127.0.0.1:11434", "/api/chat"), ("https://ollama.com/api", "/api/chat"), ("http://h/ollama/", "/ollama/api/chat"),
        ])
    func addresses(url: String, target: String) throws {
        let provider = OllamaProvider(.sample(url: url))
        #expect(try provider.request(for: call("{}"), body: Array("{}".utf8).span.bytes).target == target)
    }

    @Test(
        "a request that passes through gets the model's name, and isn't cut silently",
        arguments: [
            (
                #"{"model":"a","messages":[],"x":[1, 2]}"#, nil,
                #"{"model":"up","messages":[],"x":[1, 2],"truncate":false,"shift":false}"#
            ),
            (
                #"{"model":"a","options":{"temperature":0, "num_ctx":2048},"truncate":true}"#, 8192,
                #"{"model":"up","options":{"temperature":0,"num_ctx":8192},"truncate":true,"shift":false}"#
            ),
            (
                #"{"model":"a","messages":[]}"#, 8192,
                #"{"model":"up","messages":[],"truncate":false,"shift":false,"options":{"num_ctx":8192}}"#
            ),
        ] as [(String, Int?, String)])
    func passed(body: String, context: Int?, expected: String) throws {
        #expect(try sent(body, context: context) == expected)
    }

    @Test("the policy's members win over the router's own")
    func policyMembers() throws {
        let own = [field("truncate", "true"), field("keep_alive", #""30m""#)]
        #expect(
            try sent(#"{"model":"a"}"#, context: 8192, defaults: own, overrides: [field("options", #"{"num_ctx":4096,"num_gpu":1}"#)])
                == #"{"model":"up","truncate":true,"keep_alive":"30m","shift":false,"options":{"num_ctx":4096,"num_gpu":1}}"#)
    }

    @Test("an older embedding, whose texts are always cut, gets no member that it doesn't have")
    func legacyEmbeddings() throws {
        let body = #"{"model":"a","prompt":"x"}"#
        let request = try provider.request(for: call(body, .embeddings, OllamaEmbed.legacy), body: Array(body.utf8).span.bytes)
        #expect(text(request, body) == #"{"model":"up","prompt":"x"}"#)
    }

    @Test(
        "reasoning is asked for by level, and left to the model where the client leaves it",
        arguments: [
            (ChatReasoning.effort("none"), "false"), (.effort("minimal"), #""low""#), (.effort("medium"), #""medium""#),
            (.effort("xhigh"), #""max""#), (.budget(tokens: 0), "false"), (.budget(tokens: 5000), #""medium""#), (.adaptive, nil),
        ] as [(ChatReasoning, String?)])
    func thinking(reasoning: ChatReasoning, expected: String?) throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.reasoning = reasoning
        let think = JSONTree(Array(try sent(chat).utf8).span.bytes)?["think"].map { String(decoding: $0.encoded, as: UTF8.self) }
        #expect(think == expected)
    }

    @Test("what the format can't express goes to the next model")
    func inexpressible() {
        func refused(_ change: (inout ChatRequest) -> Void) -> FailureClass? {
            var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
            chat.tools = [ChatTool(name: "f")]
            change(&chat)
            do { _ = try sent(chat) } catch { return (error as? ProviderError)?.failure }
            return nil
        }
        func media(_ media: ChatMedia) -> (inout ChatRequest) -> Void {
            { $0.messages.append(ChatMessage(.user, [ChatPart(.media(media))])) }
        }
        #expect(refused { _ in } == nil)
        #expect(refused { $0.choices = 2 } == .unsupported)
        #expect(refused { $0.toolChoice = .required } == .unsupported)
        #expect(refused { $0.toolChoice = .tool("f") } == .unsupported)
        #expect(refused(media(ChatMedia(.image, .url("https://h/x.png")))) == .unsupported)
        #expect(refused(media(ChatMedia(.image, .id("file-1")))) == .unsupported)
        #expect(refused(media(ChatMedia(.file, .base64("AAAA", mediaType: nil)))) == .unsupported)
        #expect(refused(media(ChatMedia(.video, .base64("AAAA", mediaType: nil)))) == .unsupported)
        #expect(refused(media(ChatMedia(.audio, .base64("AAAA", mediaType: nil)))) == nil)
    }

    @Test("a client that wants no tool call gets a request without tools")
    func noTools() throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.tools = [ChatTool(name: "f")]
        chat.toolChoice = ChatToolChoice.none
        #expect(try !sent(chat).contains("tools"))
    }

    @Test("a failed tool's result says so, and a result names its tool")
    func toolResults() throws {
        let call = ChatPart(.toolCall(ChatToolCall(id: "c", name: "f", arguments: "")))
        let result = ChatToolResult(callID: "c", parts: [ChatPart(.text("no"))], isError: true)
        let chat = ChatRequest(messages: [ChatMessage(.assistant, [call]), ChatMessage(.tool, [ChatPart(.toolResult(result))])])
        let sent = try sent(chat)
        #expect(sent.contains(#"{"role":"tool","content":"Error: no","tool_name":"f","tool_call_id":"c"}"#))
        #expect(sent.contains(#""tool_calls":[{"id":"c","function":{"index":0,"name":"f","arguments":{}}}]"#))
    }

    @Test("a model that doesn't think is asked again without 'think', if another format's client asked")
    func repairs() throws {
        let refusal = Array(#"{"error":"\"llama3.2\" does not support thinking"}"#.utf8)
        let error = provider.failure(head: UpstreamHead(status: 400), body: refusal.span.bytes)
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.reasoning = .effort("high")
        let typed = Call(operation: .chat, model: "up", isStream: false, format: OpenAIChat.format, payload: .chat(chat))
        let repair = provider.repair(of: typed, body: [UInt8]().span.bytes, refusedWith: error, refusal: refusal.span.bytes)
        #expect(repair?.isLasting == false)
        #expect(try !sent(chat, repairs: [try #require(repair)]).contains("think"))
        let passed = call(#"{"think":true}"#)
        #expect(
            provider.repair(of: passed, body: Array(#"{"think":true}"#.utf8).span.bytes, refusedWith: error, refusal: refusal.span.bytes)
                == nil)
    }

    // MARK: Errors

    @Test(
        "errors have the class of their words",
        arguments: [
            (400, "invalid options: temperature", FailureClass.clientError),
            (400, "registry.ollama.ai/library/llama2:latest does not support tools", .unsupported),
            (400, "\\\"llama3.2\\\" does not support thinking", .unsupported),
            (400, "the input length exceeds the context length", .contextOverflow),
            (401, "unauthorized", .providerRejected),
            (404, "model \\\"x\\\" not found, try pulling it first", .notFound), (404, "model 'x' not found", .notFound),
            (429, "too many requests", .rateLimited), (500, "llama runner process has terminated: exit status 2", .upstreamError),
            (502, "upstream unavailable", .upstreamError),
            (503, "server busy, please try again. maximum pending requests exceeded", .rateLimited),
        ])
    func failures(status: Int, message: String, failure: FailureClass) {
        let body = Array(#"{"error":"\#(message)"}"#.utf8)
        let error = provider.failure(head: UpstreamHead(status: status), body: body.span.bytes)
        #expect(error.failure == failure, "\(message)")
        #expect(error.message == message.replacing("\\\"", with: "\""))
    }

    @Test("an error in a stream ends it, with its words")
    func errorLine() throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .lines), sink = ResponseSink()
        let stream = Array("\(#"{"message":{"content":"a"},"done":false}"#)\n{\"error\":\"it broke\"}\n".utf8)
        let error = #expect(throws: ProviderError.self) { try decoder.decode(stream.span.bytes, into: &sink) }
        #expect(error?.message == "it broke" && error?.failure == .upstreamError && sink.parts.count == 1)
    }

    // MARK: Responses

    @Test(
        "text, thinking and tool calls are content, and what only frames them isn't",
        arguments: [
            (#"{"model":"m","message":{"role":"assistant","content":""},"done":false}"#, Signals()),
            (#"{"message":{"role":"assistant","content":"abc"},"done":false}"#, Signals(contentBytes: 3)),
            (#"{"message":{"role":"assistant","content":"","thinking":"ab"},"done":false}"#, Signals(contentBytes: 2)),
            (#"{"message":{"role":"assistant","content":"","tool_calls":[ ]},"done":false}"#, Signals()),
            (#"{"message":{"tool_calls":[{}]},"done":false}"#, Signals(contentBytes: 2, hasToolCall: true)),
            (#"{"response":"abc","done":false}"#, Signals(contentBytes: 3)), (#"{"status":"new"}"#, Signals()),
            (#"{"message":{"content":""},"done":true,"done_reason":"stop"}"#, Signals(finishes: 1)),
            (#"{"message":{"content":"ab"},"done":true}"#, Signals(contentBytes: 2)),
        ])
    func signals(line: String, expected: Signals) throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .lines), sink = ResponseSink()
        let frame = Array((line + "\n").utf8)
        _ = try decoder.decode(frame.span.bytes, into: &sink)
        guard case .chunk(let chunk)? = sink.parts.first else { return #expect(Bool(false), "no chunk") }
        #expect(chunk.signals == expected)
        #expect(chunk.frame == 0..<frame.count)
    }

    @Test("an unknown reason is an end, and is noted")
    func unknownReason() throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .lines), sink = ResponseSink()
        _ = try decoder.decode(Array((#"{"message":{},"done":true,"done_reason":"new"}"# + "\n").utf8).span.bytes, into: &sink)
        #expect(sink.signals.hasUnknownFinishReason && sink.signals.finishes == 1 && sink.isComplete)
    }

    @Test("the calls of old servers, which have no ids, get ids that don't repeat in the next response")
    func madeIDs() throws {
        func ids(_ time: String) throws -> [String] {
            let typed = Call(
                operation: .chat, model: "m", isStream: true, format: OpenAIChat.format, payload: .chat(ChatRequest(messages: [])))
            var decoder = try provider.decoder(for: typed, head: .lines), sink = ResponseSink()
            let calls = #"[{"function":{"name":"f","arguments":{}}},{"function":{"name":"f","arguments":{}}}]"#
            let line = #"{"created_at":"\#(time)","message":{"tool_calls":\#(calls)},"done":true}"# + "\n"
            _ = try decoder.decode(Array(line.utf8).span.bytes, into: &sink)
            return sink.parts.compactMap { if case .event(.toolCall(_, let id, _)) = $0 { id } else { nil } }
        }
        let all = try ids("2026-11-28T12:00:00.1Z") + ids("2026-11-28T12:00:00.2Z")
        #expect(all.count == 4 && Set(all).count == 4)
    }

    @Test("markup, text and an empty body are no response", arguments: [BodyForm.markup, .other, nil])
    func unreadable(form: BodyForm?) {
        for operation in [ProviderKit.Operation.chat, .embeddings] {
            let error = #expect(throws: ProviderError.self) {
                try provider.decoder(for: call("{}", operation), head: UpstreamHead(status: 200, bodyForm: form))
            }
            #expect(error?.failure == .upstreamError)
        }
    }

    // MARK: Options

    @Test("no option is needed, and '/v1' in the address is a mistake that is told")
    func options() {
        #expect(OllamaOptions.read([:])?.baseURL == BaseURL(origin: Origin(isTLS: false, host: "127.0.0.1", port: 11434), path: ""))
        var fields = FieldReader([OllamaOptions.entry("base_url", "http://h:11434/v1")], at: .start)
        #expect(OllamaPlugin.readOptions(&fields) != nil)
        #expect(fields.issues.map(\.severity) == [.warning])
    }

    // MARK: Helpers

    private func field(_ key: String, _ json: String) -> BodyField { BodyField(key: key, json: Array(json.utf8)) }

    private func call(
        _ body: String, _ operation: ProviderKit.Operation = .chat, _ format: WireFormat = OllamaChat.format, isStream: Bool = false,
        context: Int? = nil, defaults: [BodyField] = [], overrides: [BodyField] = []
    ) -> Call {
        let members = (try? JSON.members(of: Array(body.utf8).span.bytes)) ?? []
        return Call(
            operation: operation, model: "up", isStream: isStream, format: format, payload: .members(members), defaults: defaults,
            overrides: overrides, provider: "p", context: context)
    }

    private func sent(_ body: String, context: Int?, defaults: [BodyField] = [], overrides: [BodyField] = []) throws -> String {
        let call = call(body, context: context, defaults: defaults, overrides: overrides)
        return text(try provider.request(for: call, body: Array(body.utf8).span.bytes), body)
    }

    private func sent(_ chat: ChatRequest, repairs: [Repair] = []) throws -> String {
        let call = Call(
            operation: .chat, model: "up", isStream: false, format: OpenAIChat.format, payload: .chat(chat), repairs: repairs, provider: "p"
        )
        return text(try provider.request(for: call, body: [UInt8]().span.bytes), "")
    }

    private func text(_ request: UpstreamRequest, _ body: String) -> String {
        let client = Array(body.utf8)
        return String(
            decoding: request.body.flatMap { source in
                switch source {
                case .bytes(let bytes): bytes
                case .client(let range): Array(client[range])
                }
            }, as: UTF8.self)
    }

    private static let usage = Usage(promptTokens: 3, completionTokens: 9)

    private static let stream = [
        #"{"model":"up","created_at":"2026-11-28T12:00:00.1Z","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}"#,
        #"{"model":"up","created_at":"2026-11-28T12:00:00.2Z","message":{"role":"assistant","content":"Привет 🚀"},"done":false}"#,
        #"{"model":"up","created_at":"2026-11-28T12:00:00.3Z","message":{"role":"assistant","content":"","tool_calls":[{"id":"c","function":{"index":0,"name":"f","arguments":{"a":1}}}]},"done":false}"#,
        #"{"model":"up","created_at":"2026-11-28T12:00:00.4Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":5,"prompt_eval_count":3,"eval_count":9}"#,
    ].map { $0 + "\n" }.joined()

    private static let message =
        #"{"model":"up","created_at":"2026-11-28T12:00:00.1Z","message":{"role":"assistant","content":"Привет","tool_calls":[{"id":"c","function":{"name":"f","arguments":{"a":1}}}]},"done":true,"done_reason":"stop","prompt_eval_count":3,"eval_count":9}"#
}

extension UpstreamHead {
    fileprivate static let lines = UpstreamHead(
        status: 200, fields: [HTTPField("content-type", "application/x-ndjson")], bodyForm: .jsonLines)
}

extension OllamaOptions {
    static func sample(url: String = "http://127.0.0.1:1") -> OllamaOptions {
        guard let options = read(["base_url": url, "api_key": "sk-ollama-canary-0123456789"]) else {
            preconditionFailure("the sample's options are invalid")
        }
        return options
    }

    /// nil if there are issues.
    static func read(_ values: [String: String]) -> OllamaOptions? {
        var fields = FieldReader(values.map { entry($0.key, $0.value) }, at: .start)
        return OllamaPlugin.readOptions(&fields)
    }

    static func entry(_ key: String, _ value: String) -> ConfigEntry {
        ConfigEntry(key: ConfigText(key, at: .start), value: ConfigNode(.scalar(ConfigScalar(value)), at: .start))
    }
}
