import Codecs
import ConfigTree
import OpenAI
import OpenAICompatible
import OpenAIServer
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@Suite("the OpenAI plugin")
struct OpenAIPluginTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test("the provider passes the conformance suite")
    func conformance() {
        let suite = ProviderConformance(
            provider: provider, responses: Self.recorded, requests: Self.requests,
            failures: [
                .init("no credit", status: 429, body: #"{"error":{"message":"x","code":"insufficient_quota"}}"#, is: .providerRejected),
                .init(
                    "a limit", status: 429, body: #"{"error":{"message":"Rate limit reached. Please try again in 1.5s."}}"#,
                    is: .rateLimited,
                    retryAfter: .milliseconds(1500)),
            ],
            failureEvents: Self.failureEvents)
        #expect(suite.violations() == [])
    }

    @Test(
        "a base URL without a version is doubtful, unless the server is known to need none",
        arguments: [
            ("http://127.0.0.1:8000", true), ("http://127.0.0.1:8000/", true), ("https://openrouter.ai/api", true),
            ("https://api.groq.com/openai", true), ("https://h/vllm", true), ("http://127.0.0.1:8000/v1", false),
            ("https://h/api/v3", false),
            ("https://h/v1beta/openai", false), ("https://h/openai/deployments/gpt-4o", false), ("https://h/compatible-mode/v1", false),
            ("https://h/api/paas/v4", false), ("https://api.deepseek.com", false), ("https://api.deepseek.com/beta", false),
            ("https://models.github.ai/inference", false), ("https://h/v1/chat/completions", false),
        ])
    func versions(url: String, isDoubtful: Bool) {
        func entry(_ key: String, _ value: String) -> ConfigEntry {
            ConfigEntry(key: ConfigText(key, at: .start), value: ConfigNode(.scalar(ConfigScalar(value)), at: .start))
        }
        for plugin in [OpenAIPlugin.self, OpenAICompatiblePlugin.self] as [any ProviderPlugin.Type] {
            var fields = FieldReader([entry("base_url", url), entry("api_key", "sk-0123456789abcdef")], at: .start)
            _ = plugin.readOptions(&fields)
            #expect(fields.issues.contains { $0.severity == .warning && $0.message.contains("has no version in its path") } == isDoubtful)
        }
    }

    @Test(
        "only the model changes in a request, and all other bytes stay as they were",
        arguments: [
            (#"{"model":"auto","messages":[],"x":[1, 2]}"#, #"{"model":"up","messages":[],"x":[1, 2]}"#),
            (#" { "messages" : [] , "mod\u0065l":null } "#, #" { "messages" : [] , "mod\u0065l":"up" } "#),
            (#"{"messages":[]}"#, #"{"messages":[],"model":"up"}"#),
            (#"{}"#, #"{"model":"up"}"#),
        ])
    func onlyTheModelChanges(body: String, expected: String) throws {
        #expect(try sent(body, isStream: false) == expected)
    }

    @Test(
        "the usage of a stream is requested, and the client's other stream options stay",
        arguments: [
            (#"{"model":"a","stream":true}"#, #"{"model":"up","stream":true,"stream_options":{"include_usage":true}}"#),
            (
                #"{"model":"a","stream_options":{"x":1,"include_usage":false}}"#,
                #"{"model":"up","stream_options":{"x":1,"include_usage":true}}"#
            ),
            (#"{"model":"a","stream_options":null}"#, #"{"model":"up","stream_options":{"include_usage":true}}"#),
        ])
    func streamsRequestUsage(body: String, expected: String) throws {
        #expect(try sent(body, isStream: true) == expected)
    }

    @Test("the usage is not requested from a server that refuses such requests")
    func usageCanBeLeftOut() throws {
        var options = OpenAIServerOptions.sample
        options.dialect.streamUsage = false
        #expect(try sent(#"{"model":"a"}"#, isStream: true, OpenAICompatibleProvider(options)) == #"{"model":"up"}"#)
    }

    @Test("the client's members take precedence over the policy's defaults, but not over its overrides")
    func defaultsAndOverrides() throws {
        let defaults = [BodyField(key: "temperature", json: Array("0.7".utf8)), BodyField(key: "seed", json: Array("1".utf8))]
        let overrides = [BodyField(key: "safe", json: Array("true".utf8)), BodyField(key: "top_p", json: Array("1".utf8))]
        let body = #"{"model":"a","temperature":0,"safe":false}"#
        #expect(
            try sent(body, isStream: false, defaults: defaults, overrides: overrides)
                == #"{"model":"up","temperature":0,"safe":true,"seed":1,"top_p":1}"#)
    }

    private func field(_ key: String, _ json: String) -> BodyField { BodyField(key: key, json: Array(json.utf8)) }

    @Test(
        "objects are merged deeply: the client wins over defaults, and overrides win over the client",
        arguments: [
            (#"{"o":{"a":{"x":1},"c":1},"d":{"c":1}}"#, #"{"o":{"a":{"x":9,"z":3},"c":1,"b":2},"d":{"c":1,"e":{"f":1}},"model":"up"}"#),
            (#"{"o":1,"d":1}"#, #"{"o":{"a":{"x":9}},"d":1,"model":"up"}"#),
            (#"{"d":null}"#, #"{"d":null,"model":"up","o":{"b":2,"a":{"x":9,"z":3}}}"#),
            (#"{}"#, #"{"model":"up","o":{"b":2,"a":{"x":9,"z":3}},"d":{"c":0,"e":{"f":1}}}"#),
        ])
    func deepMerge(body: String, expected: String) throws {
        let defaults = [field("o", #"{"b":2,"a":{"x":0,"z":3}}"#), field("d", #"{"c":0,"e":{"f":1}}"#)]
        #expect(try sent(body, isStream: false, defaults: defaults, overrides: [field("o", #"{"a":{"x":9}}"#)]) == expected)
    }

    @Test("the request for usage is merged with stream options of the policy, and no key is sent twice")
    func policyStreamOptions() throws {
        let options = field("stream_options", #"{"include_obfuscation":false}"#)
        for body in [#"{"model":"a","stream_options":{"x":1}}"#, #"{"model":"a"}"#] {
            for sent in [try sent(body, isStream: true, defaults: [options]), try sent(body, isStream: true, overrides: [options])] {
                #expect(sent.split(separator: "stream_options").count == 2, "\(sent)")
                #expect(sent.contains(#""include_usage":true"#) && sent.contains(#""include_obfuscation":false"#), "\(sent)")
                #expect(sent.contains(#""x":1"#) == body.contains(#""x":1"#))
            }
        }
    }

    @Test(
        "an override replaces every member of its key, however the client spells it",
        arguments: [
            #"{"model":"a","safe":false,"safe":false}"#, #"{"safe":false,"model":"a","s\u0061fe":false}"#,
        ])
    func overriddenDuplicates(body: String) throws {
        let sent = try sent(body, isStream: false, overrides: [BodyField(key: "safe", json: Array("true".utf8))])
        #expect(!sent.contains("false"))
        #expect(sent.split(separator: "true").count == 2)
    }

    @Test(
        "a stream is complete only if every choice that has begun has ended",
        arguments: [
            (["c0 a", "c1 b", "f0", "f1"], true), (["c0 a", "c1 b", "f0"], false), (["c0 a", "f0"], true),
            (["c0 a", "f0", "c0 late"], false), (["c1 b", "f0"], false),
        ])
    func choices(steps: [String], isComplete: Bool) throws {
        let stream = steps.map { step -> String in
            let index = step.dropFirst().prefix(1)
            let rest = step.hasPrefix("f") ? #""delta":{},"finish_reason":"stop""# : #""delta":{"content":"x"},"finish_reason":null"#
            return #"data: {"choices":[{"index":\#(index),\#(rest)}]}"# + "\n\n"
        }.joined()
        var decoder = try provider.decoder(for: .sample(isStream: true), head: .eventStream)
        var sink = ResponseSink()
        let bytes = Array(stream.utf8)
        _ = try decoder.decode(bytes.span.bytes, into: &sink)
        let rest: [UInt8] = []
        let isTruncated: Bool
        do throws(ProviderError) {
            try decoder.finish(rest.span.bytes, into: &sink)
            isTruncated = false
        } catch {
            isTruncated = error.code == "upstream_truncated"
        }
        #expect(isTruncated != isComplete)
    }

    private static let finished = #"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"# + "\n\n"

    @Test(
        "a value that can't hold a chunk is left out, and after the finish reason what is no object ends the stream",
        arguments: [
            ("data: null\n\n" + finished + "data: [DONE]\n\n", 1), ("data: []\n\ndata: 0\n\n" + finished, 1),
            (finished + "data: true\n\ndata: null\n\ndata: [DONE]\n\n", 1), (finished + "data: \"\"\n\n", 1),
            (finished + "data: [done]\n\n", 1), (finished + #"data: "[DONE]""# + "\n\n", 1),
            // News beside a choice or the usage.
            (#"data: {"message":"Request processed","choices":[{"index":0,"delta":{"content":""}}]}"# + "\n\n" + finished, 2),
            (finished + #"data: {"message":"Request processed","choices":[],"usage":{"prompt_tokens":1}}"# + "\n\ndata: [DONE]\n\n", 2),
        ])
    func harmless(stream: String, chunks: Int) throws {
        var decoder = try provider.decoder(for: .sample(isStream: true), head: .eventStream), sink = ResponseSink()
        let bytes = Array(stream.utf8), rest: [UInt8] = []
        _ = try decoder.decode(bytes.span.bytes, into: &sink)
        try decoder.finish(rest.span.bytes, into: &sink)
        #expect(sink.isComplete && sink.parts.count == chunks)
    }

    @Test(
        "before the finish reason, what can't be read is a failure, and so is a message without a choice",
        arguments: [
            "data: [done]\n\n", "data: [1]\n\n", "data: text\n\n", #"data: {"message":"Request failed"}"# + "\n\n",
            #"data: {"message":"Request failed","choices":[]}"# + "\n\n",
            #"data: {"code":"x","message":"failed","choices":[{"index":0,"delta":{}}]}"# + "\n\n",
            finished + #"data: {"choices":[{"delta":{"content":"los"# + "\n\n",
        ])
    func harmful(stream: String) throws {
        var decoder = try provider.decoder(for: .sample(isStream: true), head: .eventStream), sink = ResponseSink()
        let bytes = Array(stream.utf8)
        #expect(throws: ProviderError.self) { _ = try decoder.decode(bytes.span.bytes, into: &sink) }
    }

    @Test(
        "an error body in another format is shown as text",
        arguments: [
            (#"{"reasons":[17]}"#, #"{"reasons":[17]}"#), ("too\n long", "too long"),
            ("<html></html>", nil),
        ] as [(String, String?)])
    func otherErrors(body: String, text: String?) {
        let bytes = Array(body.utf8)
        let error = provider.failure(head: UpstreamHead(status: 422), body: bytes.span.bytes)
        #expect(error.failure == .clientError)
        #expect(error.message == "the upstream responded with status 422" + (text.map { ": \($0)" } ?? ""))
    }

    @Test(
        "the code of a 400 decides its class",
        arguments: [
            ("context_length_exceeded", nil, FailureClass.contextOverflow), ("content_filter", nil, .contentFilter),
            ("unsupported_parameter", "response_format", .unsupported), ("invalid_value", "messages", .clientError),
        ] as [(String, String?, FailureClass)])
    func clientErrors(code: String, param: String?, failure: FailureClass) {
        let body = #"{"error":{"message":"no","code":"\#(code)","param":\#(param.map { "\"\($0)\"" } ?? "null")}}"#
        let bytes = Array(body.utf8)
        let error = provider.failure(head: UpstreamHead(status: 400), body: bytes.span.bytes)
        #expect(error.failure == failure)
    }

    @Test(
        "markup, plain text and an empty body are not a response", arguments: [BodyForm.markup, .other, nil], [true, false])
    func unreadable(form: BodyForm?, isStream: Bool) {
        let head = UpstreamHead(status: 200, bodyForm: form)
        let error = #expect(throws: ProviderError.self) { try provider.decoder(for: .sample(isStream: isStream), head: head) }
        #expect(error?.failure == .upstreamError)
    }

    @Test(
        "text, reasoning and tool calls are content, a role or an empty value is not",
        arguments: [
            (#"{"role":"assistant","content":"","refusal":null}"#, false), (#"{}"#, false),
            (#"{"role":"assistant","tool_calls":[]}"#, false),
            (#"{"content":"x"}"#, true), (#"{"reasoning_content":"x"}"#, true), (#"{"reasoning":"x"}"#, true),
            (#"{"tool_calls":[{"index":0}]}"#, false), (#"{"tool_calls":[{}]}"#, false), (#"{"tool_calls":[null]}"#, false),
            (#"{"tool_calls":[{"index":0,"type":"function","function":{"arguments":""}}]}"#, false),
            (#"{"tool_calls":[{"index":0,"function":{"name":"f","arguments":""}}]}"#, true),
            (#"{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}"#, true),
            (#"{"function_call":{"name":"","arguments":""}}"#, false), (#"{"function_call":{"arguments":"1"}}"#, true),
            (#"{"content":[{"type":"text","text":""}]}"#, false), (#"{"content":[{"type":"text","text":""},{"text":"a"}]}"#, true),
            (#"{"reasoning_details":[{"type":"reasoning.text","text":"","format":"unknown","index":0}]}"#, false),
            (#"{"reasoning_details":[{"type":"reasoning.encrypted","data":"eA=="}]}"#, true),
            (#"{"audio":{"id":"","data":""}}"#, false), (#"{"audio":{"id":"audio_1","expires_at":1,"data":""}}"#, false),
            (#"{"audio":{"id":"audio_1","transcript":"a"}}"#, true),
            (#"{"images":[{"type":"image_url","image_url":{"url":""}}]}"#, false), (#"{"images":[[],{ },[[null,false]]]}"#, false),
            (#"{"images":[{"type":"image_url","image_url":{"url":"data:,"}}]}"#, true), (#"{"x":{"scores":[0.5]}}"#, true),
            (#"{"annotations":[{"a":1}]}"#, false),
        ])
    func content(delta: String, isContent: Bool) throws {
        var decoder = try provider.decoder(for: .sample(isStream: true), head: .eventStream)
        var sink = ResponseSink()
        _ = try decoder.decode(
            Array((#"data: {"choices":[{"index":0,"delta":\#(delta),"finish_reason":null}]}"# + "\n\n").utf8).span.bytes, into: &sink)
        guard case .chunk(let chunk) = try #require(sink.parts.first) else { return #expect(Bool(false), "no chunk") }
        #expect(chunk.signals.hasBegun == isContent)
    }

    private func sent(
        _ body: String, isStream: Bool, _ provider: OpenAICompatibleProvider? = nil, defaults: [BodyField] = [], overrides: [BodyField] = []
    ) throws -> String {
        let bytes = Array(body.utf8)
        let members = try JSON.members(of: bytes.span.bytes)
        let call = Call(
            operation: .chat, model: "up", isStream: isStream, format: OpenAIChat.format, payload: .members(members), defaults: defaults,
            overrides: overrides)
        let request = try (provider ?? self.provider).request(for: call, body: bytes.span.bytes)
        return String(
            decoding: request.body.flatMap { source in
                switch source {
                case .bytes(let bytes): bytes
                case .client(let range): Array(bytes[range])
                }
            }, as: UTF8.self)
    }

    static let stream = [
        #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#,
        #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Привет 🚀"},"finish_reason":null}]}"#,
        #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        #"data: {"id":"c","object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#,
        "data: [DONE]",
    ].map { $0 + "\n\n" }.joined()

    static let roughStream = [
        ": ping", #"id: 7"# + "\r\n" + #"data: {"choices":[{"index":0,"# + "\r\n" + #"data: "delta":{"content":"a"}}]}"#,
        #"event: message"# + "\r\n" + #"data:{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#, "data:  [DONE] ",
    ].map { $0 + "\r\n\r\n" }.joined()

    static let buffered =
        #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Привет"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#
}

extension OpenAIServerOptions {
    static var sample: OpenAIServerOptions {
        let text = ConfigEntry(
            key: ConfigText("base_url", at: .start), value: ConfigNode(.scalar(ConfigScalar("http://127.0.0.1:1/v1")), at: .start))
        let key = ConfigEntry(
            key: ConfigText("api_key", at: .start), value: ConfigNode(.scalar(ConfigScalar("sk-canary-0123456789")), at: .start))
        var fields = FieldReader([text, key], at: .start)
        guard let options = OpenAICompatiblePlugin.readOptions(&fields) else { preconditionFailure("\(fields.issues)") }
        return options
    }
}

extension SourcePosition {
    static let start = SourcePosition(file: "routes.yaml", line: 1, column: 1)
}

extension UpstreamHead {
    static let eventStream = UpstreamHead(status: 200, fields: [HTTPField("content-type", "text/event-stream")], bodyForm: .eventStream)
    static let json = UpstreamHead(status: 200, fields: [HTTPField("content-type", "application/json")], bodyForm: .jsonObject)
}

extension Call {
    static func sample(isStream: Bool, keepsText: Bool = false) -> Call {
        Call(operation: .chat, model: "up", isStream: isStream, format: OpenAIChat.format, payload: .members([]), keepsText: keepsText)
    }
}
