import Anthropic
import Codecs
import ConfigTree
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@Suite("the Anthropic plugin")
struct AnthropicPluginTests {
    private let provider = AnthropicProvider(.sample())

    @Test("the provider passes the conformance suite")
    func conformance() {
        let suite = ProviderConformance(
            provider: provider,
            responses: [
                .init("a stream", isStream: true, head: .eventStream, bytes: Array(Self.stream.utf8), content: Self.streamContent),
                .init(
                    "a stream with CRLF", isStream: true, head: .eventStream, bytes: Array(Self.stream.replacing("\n", with: "\r\n").utf8)),
                .init(
                    "a message", isStream: false, head: .json, bytes: Array(Self.message.utf8),
                    content: .init(text: "Привет", toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls, usage: Self.usage)),
                .init("a stream that was not asked for", isStream: false, head: .eventStream, bytes: Array(Self.stream.utf8)),
                .init("a message in the place of a stream", isStream: true, head: .json, bytes: Array(Self.message.utf8)),
            ],
            requests: [
                .body(#"{"messages":[]}"#),
                .body(#"{"model":"auto","max_tokens":5,"messages":[{"role":"user","content":"Привет 🚀"}],"stream":true,"x":1e999}"#),
                .chat(ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "Привет 🚀")])),
            ],
            failures: [
                .init(
                    "an overloaded server", status: 529,
                    body: #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                    is: .rateLimited),
                .init(
                    "no credit", status: 400,
                    body: #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low"}}"#,
                    is: .providerRejected),
            ],
            failureEvents: [
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
            ])
        #expect(suite.violations() == [])
    }

    // MARK: Requests

    @Test(
        "only the model changes in a request that passes through, and all other bytes stay as they were",
        arguments: [
            (#"{"model":"auto","messages":[],"x":[1, 2]}"#, #"{"model":"up","messages":[],"x":[1, 2]}"#),
            (#" { "messages" : [] , "mod\u0065l":null } "#, #" { "messages" : [] , "mod\u0065l":"up" } "#),
            (#"{"messages":[]}"#, #"{"messages":[],"model":"up"}"#),
            (
                #"{"model":"a","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"c2ln"}, 1]}]}"#,
                #"{"model":"up","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"c2ln"}, 1]}]}"#
            ),
        ])
    func onlyTheModelChanges(body: String, expected: String) throws {
        #expect(try sent(body) == expected)
    }

    @Test("the policy's members are merged, and a translated request gets no default of ours in their place")
    func policyMembers() throws {
        let defaults = [field("max_tokens", "9"), field("thinking", #"{"type":"adaptive"}"#)]
        let body = #"{"model":"a","thinking":{"type":"disabled"}}"#
        #expect(
            try sent(body, defaults: defaults, overrides: [field("speed", #""fast""#)])
                == #"{"model":"up","thinking":{"type":"disabled"},"max_tokens":9,"speed":"fast"}"#)
        let chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        let typed = try sent(chat, model: "claude-opus-5", defaults: [field("max_tokens", "9")])
        #expect(typed.contains(#""max_tokens":9"#))
        #expect(!typed.contains("64000"))
    }

    @Test(
        "a request that doesn't limit its response gets the model's limit",
        arguments: [
            ("claude-3-haiku-20240307", 4096), ("claude-3-5-sonnet-latest", 8192), ("claude-opus-4-1-20250805", 32_000),
            ("claude-sonnet-4-20250514", 64_000), ("claude-opus-5", 64_000), ("deepseek-chat", 8192),
        ])
    func maxTokens(model: String, limit: Int) throws {
        let chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        #expect(try sent(chat, model: model).contains(#""max_tokens":\#(limit),"#))
        #expect(try sent(chat, model: model, maxOutput: 123).contains(#""max_tokens":123,"#))
    }

    @Test(
        "thinking is asked for in the form that the model accepts",
        arguments: [
            ("claude-fable-5", "high", #""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high"}"#),
            ("claude-fable-5-1", "none", #""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"low"}"#),
            ("claude-opus-5", "minimal", #""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"low"}"#),
            ("claude-opus-5", "none", #""thinking":{"type":"disabled"}"#),
            (
                "claude-opus-4-8-20260528", "xhigh",
                #""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"xhigh"}"#
            ),
            ("claude-opus-4-8", "none", ""), ("claude-opus-4-6", "none", ""),
            ("claude-opus-4-6", "xhigh", #""thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high"}"#),
            ("claude-opus-4-5", "medium", #""thinking":{"type":"enabled","budget_tokens":8192},"output_config":{"effort":"medium"}"#),
            ("claude-sonnet-4-5", "high", #""thinking":{"type":"enabled","budget_tokens":16384}"#),
            ("anthropic/claude-3.7-sonnet", "low", #""thinking":{"type":"enabled","budget_tokens":2048}"#),
            ("claude-3-5-sonnet-20241022", "high", ""), ("claude-latest", "low", #""output_config":{"effort":"low"}"#),
            ("glm-4.6", "high", #""thinking":{"type":"enabled","budget_tokens":4096}"#),
        ])
    func thinking(model: String, effort: String, expected: String) throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.reasoning = .effort(effort)
        let body = try sent(chat, model: model)
        if expected.isEmpty {
            #expect(!body.contains("thinking") && !body.contains("output_config"), "\(body)")
        } else {
            #expect(body.contains(expected), "\(body)")
        }
    }

    @Test("a budget leaves half of the response, and is left out where there is no room or a tool is forced")
    func budgets() throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.reasoning = .budget(tokens: 30_000)
        chat.maxTokens = 4096
        #expect(try sent(chat, model: "claude-sonnet-4-5").contains(#""budget_tokens":2048"#))
        chat.maxTokens = 1500
        #expect(try !sent(chat, model: "claude-sonnet-4-5").contains("thinking"))
        chat.maxTokens = 30_000
        chat.tools = [ChatTool(name: "f")]
        chat.toolChoice = .required
        #expect(try !sent(chat, model: "claude-sonnet-4-5").contains("thinking"))
        #expect(try sent(chat, model: "claude-opus-5").contains("adaptive"), "an adaptive model may be forced")
    }

    @Test(
        "sampling is what the client asks for, for every model, without what is the default of Claude",
        arguments: [
            ("claude-opus-5", 0.2, 0.9, 40, ["temperature": "0.2", "top_p": "0.9", "top_k": "40"]),
            ("claude-sonnet-4-5", 0.2, 0.9, nil, ["temperature": "0.2", "top_p": "0.9"]),
            ("claude-opus-5", 1, 1, nil, [:]), ("claude-3-5-haiku-latest", 1, 0.9, nil, ["top_p": "0.9"]),
            ("claude-fable-5", 1.7, nil, 1, ["top_k": "1"]), ("other-model", 1, 1, nil, ["temperature": "1.0", "top_p": "1.0"]),
        ] as [(String, Double?, Double?, Int?, [String: String])])
    func sampling(model: String, temperature: Double?, topP: Double?, topK: Int?, expected: [String: String]) throws {
        for effort in [nil, "high"] {
            var chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
            (chat.sampling.temperature, chat.sampling.topP, chat.sampling.topK) = (temperature, topP, topK)
            chat.reasoning = effort.map { .effort($0) }
            let body = try #require(JSONTree(Array(try sent(chat, model: model).utf8).span.bytes))
            let found = ["temperature", "top_p", "top_k"].compactMap { name in
                body.members?.first { $0.name == name }.map { (name, String(decoding: $0.value.encoded, as: UTF8.self)) }
            }
            #expect(Dictionary(uniqueKeysWithValues: found) == expected)
        }
    }

    @Test("a null of the policy removes a field, whoever sets it")
    func nulls() throws {
        let null = field("temperature", "null")
        let passed = try sent(#"{"model":"a","temperature":0.5,"x":1}"#, defaults: [field("temperature", "0.7")], overrides: [null])
        #expect(passed == #"{"model":"up","x":1}"#)
        #expect(try sent(#"{"model":"a"}"#, defaults: [field("temperature", "0.7")], overrides: [null]) == #"{"model":"up"}"#)
    }

    @Test("tokens are counted without the members of the policy that only responses have")
    func counting() throws {
        let defaults = [field("max_tokens", "9"), field("tools", "[]")]
        let body = #"{"model":"a","messages":[]}"#
        let request = try request(body, operation: .countTokens, defaults: defaults)
        #expect(request.target == "/v1/messages/count_tokens")
        #expect(text(request, body) == #"{"model":"up","messages":[],"tools":[]}"#)
        let call = Call(operation: .countTokens, model: "up", isStream: false, format: AnthropicMessages.format, payload: .members([]))
        var sink = ResponseSink()
        var decoder = try provider.decoder(for: call, head: .json)
        try decoder.finish(Array(#"{"input_tokens":12}"#.utf8).span.bytes, into: &sink)
        guard case .buffered(0..<19, _)? = sink.parts.first else { return #expect(Bool(false), "it doesn't pass through") }
        #expect(sink.isComplete && sink.usage == nil)
    }

    // MARK: Header fields and options

    @Test("the version is the policy's, else the client's, else ours, and the client's beta fields go upstream")
    func versions() throws {
        func version(_ options: AnthropicOptions, _ headers: [HTTPField]) throws -> [String] {
            let request = try request("{}", headers: headers, AnthropicProvider(options))
            return request.fields.map { field in
                if case .plain(let value) = field.value { return "\(field.name): \(value)" } else { return field.name }
            }.filter { $0.hasPrefix("anthropic-") }
        }
        let beta = HTTPField("anthropic-beta", "a-2026-01-01,oauth"), newer = HTTPField("anthropic-version", "2026-01-01")
        #expect(try version(.sample(), []) == ["anthropic-version: 2023-06-01"])
        #expect(try version(.sample(), [newer, beta]) == ["anthropic-version: 2026-01-01", "anthropic-beta: a-2026-01-01,oauth"])
        #expect(try version(.sample(headers: ["Anthropic-Version": "2024"]), [newer, beta]) == ["anthropic-beta: a-2026-01-01,oauth"])
    }

    @Test(
        "the address may have a version",
        arguments: [
            ("https://api.anthropic.com", "/v1/messages"), ("https://h/v1", "/v1/messages"),
            ("https://h/anthropic/", "/anthropic/v1/messages"),
        ])
    func addresses(url: String, target: String) throws {
        #expect(try request("{}", AnthropicProvider(.sample(url: url))).target == target)
    }

    @Test("the credential is a key, or the policy's own 'authorization'")
    func credentials() {
        #expect(provider.authentication == .keys([Secret("sk-ant-canary-0123456789")], in: "x-api-key"))
        #expect(AnthropicOptions.read([:]) == nil)
        #expect(AnthropicOptions.read(["headers": .mapping(["Authorization": "Bearer x"])])?.apiKeys == [])
        #expect(AnthropicOptions.read(["headers": .mapping(["Authorization": "Bearer x"])]) != nil)
    }

    @Test("ids of tool calls that would be equal differ, and results follow their calls")
    func toolIDs() throws {
        func call(_ id: String) -> ChatPart { ChatPart(.toolCall(ChatToolCall(id: id, name: "f", arguments: "{}"))) }
        func result(_ id: String) -> ChatPart { ChatPart(.toolResult(ChatToolResult(callID: id, parts: []))) }
        func ids(_ messages: [ChatMessage]) throws -> [String] {
            try sent(ChatRequest(messages: messages + [ChatMessage(.user, "a")]), model: "claude-opus-5").split(separator: #"id":""#)
                .dropFirst()
                .map { String($0.prefix { $0 != "\"" }) }
        }
        let clash = [
            ChatMessage(.assistant, [call("f.0"), call("f:0"), call("ok")]),
            ChatMessage(.tool, [result("f:0"), result("f.0"), result("ok")]),
        ]
        #expect(try ids(clash) == ["call_f_0", "call_f_0_2", "ok", "call_f_0_2", "call_f_0", "ok"])
        let legacy = [ChatMessage(.assistant, [call("f")]), ChatMessage(.tool, [result("f")])]
        #expect(try ids(legacy + legacy) == ["f", "f", "f_2", "f_2"])
    }

    @Test(
        "a user's id that Anthropic would refuse is left out",
        arguments: [
            ("bob@example.com", false), ("b", true), (String(repeating: "x", count: 256), true),
            (String(repeating: "x", count: 257), false),
        ])
    func users(id: String, isSent: Bool) throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.user = id
        #expect(try sent(chat, model: "claude-opus-5").contains("user_id") == isSent)
    }

    @Test("a file that another provider knows by its id is for another model")
    func files() throws {
        func chat(_ id: String) -> ChatRequest {
            ChatRequest(messages: [ChatMessage(.user, [ChatPart(.media(ChatMedia(.file, .id(id))))])])
        }
        #expect(try sent(chat("file_011"), model: "claude-opus-5").contains(#""file_id":"file_011""#))
        let error = #expect(throws: ProviderError.self) { try sent(chat("file-abc"), model: "claude-opus-5") }
        #expect(error?.failure == .unsupported)
    }

    // MARK: Opaque tokens and repairs

    @Test("thinking that another provider has made is dropped from a request that passes through, and nothing else is")
    func foreignThinking() throws {
        let own = OpaqueToken("c2ln", .signature, madeFor: call("{}")).tagged
        func turn(_ signature: String) -> String {
            #"{"role":"assistant","content":[{"type":"thinking","thinking":"a","signature":"\#(signature)"},{"type":"text","text":"b"}]}"#
        }
        let text = #"{"role":"assistant","content":[{"type":"text","text":"b"}]}"#
        for (given, expected) in [("llm-router:none", text), ("llm-router:00000000:x", text), (own, turn("c2ln")), ("c2ln", turn("c2ln"))] {
            #expect(try sent(#"{"model":"a","messages":[\#(turn(given))],"x": 1}"#) == #"{"model":"up","messages":[\#(expected)],"x": 1}"#)
        }
        let cited =
            #"{"model":"up","messages":[{"role":"assistant","content":[{"type":"text","text":"b","citations":[{"url":"u","encrypted_index":"E"},"#
            + #"{"url":"v","encrypted_index":"llm-router:none"}]}]}]}"#
        #expect(try sent(cited) == cited.replacing(#",{"url":"v","encrypted_index":"llm-router:none"}"#, with: ""))
        let only = #"{"model":"a","messages":[{"role":"assistant","content":[{"type":"redacted_thinking","data":"llm-router:none"}]}]}"#
        #expect(try sent(only) == #"{"model":"up","messages":[]}"#)
    }

    @Test(
        "refused thinking is repaired by leaving it out",
        arguments: [
            "messages.1.content.0: Invalid `signature` in `thinking` block",
            "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.",
            "`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified",
        ])
    func repairs(message: String) throws {
        let body =
            #"{"model":"a","messages":[{"role":"user","content":"a"},{"role":"assistant","content":["#
            + #"{"type":"thinking","thinking":"x","signature":"s"},{"type":"tool_use","id":"t","name":"f","input":{}}]}],"#
            + #""thinking":{"type":"enabled","budget_tokens":1024}}"#
        let repair = try #require(self.repair(body, message))
        #expect(!repair.isLasting)
        #expect(
            try sent(body, repairs: [repair])
                == #"{"model":"up","messages":[{"role":"user","content":"a"},{"role":"assistant","content":["#
                + #"{"type":"tool_use","id":"t","name":"f","input":{}}]}]}"#)
    }

    @Test(
        "edits of thinking go with the budget for it, and other edits stay",
        arguments: [
            (#"{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}"#, ""),
            (
                #"{"edits":[{"type":"clear_thinking_20251015"},{"type":"clear_tool_uses_20250919"}]}"#,
                #","context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}"#
            ),
        ])
    func thinkingEdits(management: String, left: String) throws {
        func body(_ thinking: String, _ signature: String) -> String {
            #"{"model":"up","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"\#(signature)"},"#
                + #"{"type":"tool_use","id":"t","name":"f","input":{}}]}],"thinking":{"type":"\#(thinking)"},"context_management":\#(management)}"#
        }
        let expected =
            #"{"model":"up","messages":[{"role":"assistant","content":[{"type":"tool_use","id":"t","name":"f","input":{}}]}]\#(left)}"#
        #expect(try sent(body("enabled", "llm-router:none")) == expected)
        let repair = try #require(self.repair(body("enabled", "s"), "Invalid `signature` in `thinking` block"))
        #expect(try sent(body("enabled", "s"), repairs: [repair]) == expected)
        #expect(try sent(body("adaptive", "llm-router:none")).hasSuffix(#""context_management":\#(management)}"#))
        #expect(try sent(body("enabled", "s")) == body("enabled", "s"))
    }

    @Test("no other refusal is repaired, nor a request without thinking")
    func noRepair() {
        let thinking = #"{"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"s"}]}]}"#
        #expect(repair(thinking, "max_tokens: too large") == nil)
        #expect(repair(#"{"messages":[]}"#, "Invalid `signature` in `thinking` block") == nil)
    }

    private func repair(_ body: String, _ message: String) -> Repair? {
        let refusal = Array(#"{"type":"error","error":{"type":"invalid_request_error","message":"\#(message)"}}"#.utf8)
        let error = provider.failure(head: UpstreamHead(status: 400), body: refusal.span.bytes)
        return provider.repair(of: call(body), body: Array(body.utf8).span.bytes, refusedWith: error, refusal: refusal.span.bytes)
    }

    // MARK: Errors

    @Test(
        "errors have the class of their type, or of their words",
        arguments: [
            (400, "invalid_request_error", "messages: at least one message is required", FailureClass.clientError),
            (400, "invalid_request_error", "prompt is too long: 213462 tokens > 200000 maximum", .contextOverflow),
            (400, "invalid_request_error", "input length and `max_tokens` exceed context limit: 1 + 2 > 3", .contextOverflow),
            (400, "invalid_request_error", "adaptive thinking is not supported on this model", .unsupported),
            (400, "invalid_request_error", "\\\"thinking.type.enabled\\\" is not supported for this model.", .unsupported),
            (400, "invalid_request_error", "context_management: Extra inputs are not permitted", .unsupported),
            (400, "invalid_request_error", "Prefilling assistant messages is not supported for this model.", .unsupported),
            (400, "invalid_request_error", "This model does not support assistant message prefill.", .unsupported),
            (400, "invalid_request_error", "Your credit balance is too low to access the Anthropic API.", .providerRejected),
            (400, "invalid_request_error", "You have reached your specified API usage limits.", .providerRejected),
            (401, "authentication_error", "invalid x-api-key", .providerRejected),
            (402, "billing_error", "Payment required", .providerRejected),
            (403, "permission_error", "Your API key does not have permission to use the specified resource.", .providerRejected),
            (404, "not_found_error", "model: claude-9", .notFound), (404, "not_found_error", "File not found: file_011", .clientError),
            (404, "not_found_error", "Container not found: container_01", .clientError),
            (
                400, "invalid_request_error", "You're out of extra usage. Add more at claude.ai/settings/usage and keep going.",
                .providerRejected
            ),
            (413, "request_too_large", "Request exceeds the maximum size", .contextOverflow),
            (429, "rate_limit_error", "This request would exceed your organization's rate limit", .rateLimited),
            (429, "rate_limit_error", "Your organization has reached its spend limit.", .providerRejected),
            (500, "api_error", "Internal server error", .upstreamError),
            (504, "timeout_error", "Request timed out", .upstreamError),
            (529, "overloaded_error", "Overloaded", .rateLimited),
        ])
    func failures(status: Int, type: String, message: String, failure: FailureClass) {
        let body = Array(#"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"},"request_id":"req_1"}"#.utf8)
        let error = provider.failure(head: UpstreamHead(status: status), body: body.span.bytes)
        #expect(error.failure == failure, "\(message)")
        #expect(error.type == type)
        #expect(error.message == message.replacing("\\\"", with: "\""))
    }

    @Test(
        "an error in a stream ends it with the same class",
        arguments: [("overloaded_error", FailureClass.rateLimited), ("api_error", .upstreamError), ("rate_limit_error", .rateLimited)])
    func errorEvents(type: String, failure: FailureClass) throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .eventStream)
        var sink = ResponseSink()
        let stream = Array("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"\(type)\",\"message\":\"m\"}}\n\n".utf8)
        let error = #expect(throws: ProviderError.self) { try decoder.decode(stream.span.bytes, into: &sink) }
        #expect(error?.failure == failure && error?.message == "m")
    }

    // MARK: Responses

    @Test(
        "text, thinking and tool calls are content, and what only frames them isn't",
        arguments: [
            (#"{"type":"message_start","message":{"usage":{"input_tokens":1}}}"#, Signals()), (#"{"type":"ping"}"#, Signals()),
            (#"{"type":"new_event","delta":{}}"#, Signals()),
            (#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#, Signals()),
            (#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#, Signals()),
            (
                #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t1","name":"f","input":{}}}"#,
                Signals(contentBytes: 3, hasToolCall: true)
            ),
            (#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"abc"}}"#, Signals(contentBytes: 3)),
            (#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":""}}"#, Signals()),
            (#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"ab"}}"#, Signals(contentBytes: 2)),
            (
                #"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{"}}"#,
                Signals(contentBytes: 1, hasToolCall: true)
            ),
            (#"{"type":"message_delta","delta":{"stop_reason":null}}"#, Signals()),
            (#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#, Signals(finishes: 1)),
            (#"{"type":"message_delta","delta":{"stop_reason":"refusal"}}"#, Signals(finishes: 1, isFiltered: true)),
        ])
    func signals(event: String, expected: Signals) throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .eventStream)
        var sink = ResponseSink()
        let frame = Array("event: x\ndata: \(event)\n\n".utf8)
        _ = try decoder.decode(frame.span.bytes, into: &sink)
        guard case .chunk(let chunk)? = sink.parts.first else { return #expect(Bool(false), "no chunk") }
        #expect(chunk.signals == expected)
        #expect(chunk.frame == 0..<frame.count)
    }

    @Test("an unknown stop reason is an end, and is noted")
    func unknownReason() throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .eventStream)
        var sink = ResponseSink()
        _ = try decoder.decode(
            Array("data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"new\"}}\n\n".utf8).span.bytes, into: &sink)
        #expect(sink.signals.hasUnknownFinishReason && sink.signals.finishes == 1)
    }

    @Test("a stream that breaks off doesn't report the tokens of its first event as those of the response")
    func brokenUsage() throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .eventStream)
        var sink = ResponseSink()
        let start = #"{"type":"message_start","message":{"usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":1}}}"#
        _ = try decoder.decode(Array("data: \(start)\n\n".utf8).span.bytes, into: &sink)
        #expect(sink.usage == Usage(promptTokens: 7, cachedTokens: 2))
    }

    @Test("markup, text and an empty body are no response", arguments: [BodyForm.markup, .other, nil])
    func unreadable(form: BodyForm?) {
        let error = #expect(throws: ProviderError.self) {
            try provider.decoder(for: call("{}"), head: UpstreamHead(status: 200, bodyForm: form))
        }
        #expect(error?.failure == .upstreamError)
    }

    // MARK: Helpers

    private func field(_ key: String, _ json: String) -> BodyField { BodyField(key: key, json: Array(json.utf8)) }

    private func call(
        _ body: String, isStream: Bool = false, operation: ProviderKit.Operation = .chat, defaults: [BodyField] = [],
        overrides: [BodyField] = [], headers: [HTTPField] = [], repairs: [Repair] = []
    ) -> Call {
        let members = (try? JSON.members(of: Array(body.utf8).span.bytes)) ?? []
        return Call(
            operation: operation, model: "up", isStream: isStream, format: AnthropicMessages.format, payload: .members(members),
            defaults: defaults, overrides: overrides, headers: headers, repairs: repairs, provider: "p")
    }

    private func request(
        _ body: String, operation: ProviderKit.Operation = .chat, defaults: [BodyField] = [], overrides: [BodyField] = [],
        headers: [HTTPField] = [], repairs: [Repair] = [], _ provider: AnthropicProvider? = nil
    ) throws -> UpstreamRequest {
        let call = call(body, operation: operation, defaults: defaults, overrides: overrides, headers: headers, repairs: repairs)
        return try (provider ?? self.provider).request(for: call, body: Array(body.utf8).span.bytes)
    }

    private func sent(
        _ body: String, defaults: [BodyField] = [], overrides: [BodyField] = [], repairs: [Repair] = []
    ) throws -> String {
        text(try request(body, defaults: defaults, overrides: overrides, repairs: repairs), body)
    }

    private func sent(_ chat: ChatRequest, model: String, defaults: [BodyField] = [], maxOutput: Int? = nil) throws -> String {
        let call = Call(
            operation: .chat, model: model, isStream: false, format: OpenAIChat.format, payload: .chat(chat), defaults: defaults,
            provider: "p", maxOutput: maxOutput)
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
    private static let streamContent = ProviderConformance.Content(
        text: "Привет 🚀", reasoning: "hm", hasToken: true, toolCalls: [("f", "{}")], finish: .toolCalls, usage: usage)

    private static let stream = [
        #"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[],"usage":{"input_tokens":3,"output_tokens":1}}}"#,
        #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        #"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
        #"{"type":"content_block_stop","index":0}"#, #"{"type": "ping"}"#,
        #"{"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}"#,
        #"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Привет 🚀"}}"#,
        #"{"type":"content_block_stop","index":1}"#,
        #"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}"#,
        #"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        #"{"type":"content_block_stop","index":2}"#,
        #"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":9}}"#,
        #"{"type":"message_stop"}"#,
    ].map { "event: x\ndata: \($0)\n\n" }.joined()

    private static let message =
        #"{"id":"msg_1","type":"message","role":"assistant","model":"up","content":[{"type":"text","text":"Привет"},{"type":"tool_use","id":"toolu_1","name":"f","input":{"a":1}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":9}}"#
}

extension AnthropicOptions {
    static func sample(url: String = "http://127.0.0.1:1", headers: [String: String] = [:]) -> AnthropicOptions {
        let options = read(["base_url": .text(url), "api_key": "sk-ant-canary-0123456789", "headers": .mapping(headers)])
        guard let options else { preconditionFailure("the sample's options are invalid") }
        return options
    }

    enum Value: ExpressibleByStringLiteral {
        case text(String)
        case mapping([String: String])

        init(stringLiteral text: String) { self = .text(text) }
    }

    /// nil if there are issues.
    static func read(_ values: [String: Value]) -> AnthropicOptions? {
        func entry(_ key: String, _ content: ConfigNode.Content) -> ConfigEntry {
            ConfigEntry(key: ConfigText(key, at: .start), value: ConfigNode(content, at: .start))
        }
        let entries = values.map { key, value in
            switch value {
            case .text(let text): entry(key, .scalar(ConfigScalar(text)))
            case .mapping(let members): entry(key, .mapping(members.map { entry($0.key, .scalar(ConfigScalar($0.value))) }))
            }
        }
        var fields = FieldReader(entries, at: .start)
        return AnthropicPlugin.readOptions(&fields)
    }
}
