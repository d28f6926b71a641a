import Bedrock
import Codecs
import ProviderConformance
import ProviderKit
import TestSupport
import Testing
import WireFormats

@Suite("the Bedrock plugin")
struct BedrockPluginTests {
    private static let claude = "anthropic.claude-sonnet-4-5-20250929-v1:0"

    private func provider() throws -> any Provider {
        try PluginOptions(dictionaryLiteral: ("region", "us-east-1"), ("api_key", "bedrock-key-0123456789")).provider(
            of: BedrockPlugin.self)
    }

    @Test("the provider passes the conformance suite")
    func conformance() throws {
        let suite = ProviderConformance(
            provider: try provider(),
            responses: [
                .init(
                    "a stream", isStream: true, head: UpstreamHead(status: 200, bodyForm: .other), bytes: Self.stream,
                    content: .init(
                        text: "Hello", reasoning: "Hm.", hasToken: true, toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls,
                        usage: Usage(promptTokens: 18, completionTokens: 4, cachedTokens: 5, cacheWriteTokens: 3))),
                .init(
                    "a message", isStream: false, head: .json, bytes: Array(Self.message.utf8),
                    content: .init(
                        text: "Привет", toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls,
                        usage: Usage(promptTokens: 3, completionTokens: 2))),
            ],
            requests: [
                .chat(ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "Привет 🚀")]))
            ],
            failures: [
                .init(
                    "a limit", status: 429, body: #"{"message":"Too many requests, please wait before trying again."}"#, is: .rateLimited),
                .init("a long prompt", status: 400, body: #"{"message":"Input is too long for requested model."}"#, is: .contextOverflow),
            ])
        #expect(suite.violations() == [])
    }

    // MARK: Options

    @Test("requests have an API key, or are signed, and not both")
    func credentials() throws {
        #expect(try provider().authentication.credentials == [.bearer(Secret("bedrock-key-0123456789"))])
        let pair: PluginOptions = [
            "region": "eu-central-1", "access_key_id": "AKID", "secret_access_key": "secret-0123456789",
            "session_token": "token-0123456789",
        ]
        let signed = try pair.provider(of: BedrockPlugin.self)
        let key = AWSCredential(
            accessKeyID: Secret("AKID"), secretAccessKey: Secret("secret-0123456789"), sessionToken: Secret("token-0123456789"),
            region: "eu-central-1", service: "bedrock")
        #expect(signed.authentication.credentials == [.signature(key)])
        #expect(Set(signed.secrets.map { $0.reveal() }) == ["AKID", "secret-0123456789", "token-0123456789"])
        #expect(signed.origin?.authority == "bedrock-runtime.eu-central-1.amazonaws.com")
        var both = pair
        both.values.append(("api_key", "k"))
        #expect(both.issues(of: BedrockPlugin.self) == ["a provider has either 'api_key' or an AWS key, not both"])
        #expect(PluginOptions(dictionaryLiteral: ("region", "us-east-1")).issues(of: BedrockPlugin.self) == ["key 'api_key' is missing"])
        let token: PluginOptions = ["region": "eu-central-1", "api_key": "k-0123456789abcdef", "session_token": "t-0123456789abcdef"]
        #expect(token.issues(of: BedrockPlugin.self) == ["'session_token' means nothing beside 'api_key'"])
        #expect(try token.provider(of: BedrockPlugin.self).authentication.credentials == [.bearer(Secret("k-0123456789abcdef"))])
        let wrong: PluginOptions = ["region": "us east", "api_key": "k"]
        #expect(wrong.issues(of: BedrockPlugin.self) == ["'us east' is not a region"])
    }

    // MARK: Requests

    @Test(
        "the model is one segment of the path, also if it is an ARN",
        arguments: [
            (claude, "anthropic.claude-sonnet-4-5-20250929-v1%3A0"),
            (
                "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
                "arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Aapplication-inference-profile%2Fabc"
            ),
        ])
    func models(model: String, segment: String) throws {
        let chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
        #expect(try provider().sent(chat, model: model).target == "/model/\(segment)/converse")
        #expect(try provider().sent(chat, model: model, isStream: true).target == "/model/\(segment)/converse-stream")
    }

    @Test("a conversation with everything becomes a request of Converse")
    func conversation() throws {
        var chat = ChatRequest(messages: [
            ChatMessage(.system, [ChatPart(.text("Be kind."), cacheControl: Array(#"{"type":"ephemeral","ttl":"1h"}"#.utf8))]),
            ChatMessage(
                .user,
                [
                    ChatPart(.text("What is this?")), ChatPart(.media(ChatMedia(.image, .base64("iVBORw0KGgo=", mediaType: nil)))),
                    ChatPart(.text(" ")),
                ]),
            ChatMessage(.assistant, [ChatPart(.toolCall(ChatToolCall(id: "call/1", name: "look", arguments: #"{"x":1}"#)))]),
            ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: "call/1", parts: [ChatPart(.text("a cat"))], isError: true)))]),
            ChatMessage(.user, "So?"), ChatMessage(.system, "Be brief."),
        ])
        chat.tools = [ChatTool(name: "look", description: "", parameters: Array(#"{"properties":{}}"#.utf8))]
        chat.toolChoice = .required
        chat.maxTokens = 100
        chat.sampling.temperature = 1.5
        chat.stop = ["END"]
        let sent = try provider().sent(chat, model: Self.claude).body
        let expected = """
            {"messages":[
              {"role":"user","content":[{"text":"What is this?"},{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}]},
              {"role":"assistant","content":[{"toolUse":{"toolUseId":"call_call_1","name":"look","input":{"x":1}}}]},
              {"role":"user","content":[{"toolResult":{"toolUseId":"call_call_1","content":[{"text":"a cat"}],"status":"error"}},
                {"text":"So?"},{"text":"<system>\\nBe brief.\\n</system>"}]}],
             "system":[{"text":"Be kind."},{"cachePoint":{"type":"default","ttl":"1h"}}],
             "inferenceConfig":{"maxTokens":100,"stopSequences":["END"]},
             "toolConfig":{"tools":[{"toolSpec":{"name":"look","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"any":{}}}}
            """
        #expect(isSameJSON(sent, expected), "\(sent)")
    }

    @Test(
        "each call of a tool has an id of its own, of 64 bytes at most, and its result has the same",
        arguments: [
            ("call_1", "call_2"), ("a|1", "a/1"), ("", "x y"), ("call_0", "call_0"), ("a:b.c-d_e", "a:b.c-d_e_2"),
            (String(repeating: "n", count: 64) + ":0", String(repeating: "n", count: 64) + ":1"),
            (String(repeating: "n", count: 64), String(repeating: "n", count: 64) + "!"),
        ])
    func toolIDs(first: String, second: String) throws {
        var messages = [ChatMessage(.user, "Look.")], number = 0
        for _ in 0..<12 {
            let ids = [(first, number), (second, number + 1)]
            number += 2
            messages.append(
                ChatMessage(
                    .assistant, ids.map { ChatPart(.toolCall(ChatToolCall(id: $0, name: "look", arguments: #"{"x":\#($1)}"#))) }))
            // Results come in any order; those of calls with one id, in theirs.
            for (id, number) in first == second ? ids : ids.reversed() {
                let result = ChatToolResult(callID: id, parts: [ChatPart(.text("\(number)"))])
                messages.append(ChatMessage(.tool, [ChatPart(.toolResult(result))]))
            }
        }
        let sent = try provider().sent(ChatRequest(messages: messages), model: Self.claude).body
        let blocks = JSONTree(Array(sent.utf8).span.bytes)?["messages"]?.elements?.flatMap { $0["content"]?.elements ?? [] } ?? []
        let calls = blocks.compactMap { $0["toolUse"] }, results = blocks.compactMap { $0["toolResult"] }
        let called = Dictionary(
            calls.map { ($0["toolUseId"]?.string ?? "", $0["input"]?["x"]?.integer) }, uniquingKeysWith: { first, _ in first })
        #expect(called.count == number && results.count == number, "\(sent)")
        for result in results {
            let id = result["toolUseId"]?.string ?? ""
            #expect(called[id] == result["content"]?.elements?.first?["text"]?.string.flatMap { Int($0) }, "\(id)")
            #expect(id.wholeMatch(of: /[a-zA-Z0-9_.:-]{1,64}/) != nil, "\(id)")
        }
        // An id that needs no change has none, so that the request's beginning stays the same from turn to turn.
        if first == "a:b.c-d_e" { #expect(calls.prefix(2).map { $0["toolUseId"]?.string } == [first, second]) }
    }

    @Test(
        "Claude's sampling is what the client asks for, without what is the default, and that of other models ends at 1",
        arguments: [
            ("anthropic.claude-opus-4-7", 1.5, 0.9, #"{"topP":0.9}"#, #""top_k":40"#),
            ("us.anthropic.claude-opus-5", 0.5, 1, #"{"temperature":0.5}"#, #""top_k":40"#),
            ("meta.llama3", 1.5, 1, #"{"temperature":1.0,"topP":1.0}"#, nil),
        ] as [(String, Double, Double, String, String?)])
    func sampling(model: String, temperature: Double, topP: Double, inference: String, more: String?) throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
        (chat.sampling.temperature, chat.sampling.topP, chat.sampling.topK) = (temperature, topP, more.map { _ in 40 })
        chat.reasoning = model.contains("opus") ? .effort("high") : nil
        let sent = try provider().sent(chat, model: model).body
        #expect(sent.contains(#""inferenceConfig":\#(inference)"#) && more.map { sent.contains($0) } ?? true, "\(sent)")
    }

    @Test("the policy's nulls remove what the client asks for")
    func nulls() throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
        (chat.sampling.temperature, chat.sampling.topK, chat.maxTokens) = (0.5, 40, 9)
        let overrides = [
            BodyField(key: "inferenceConfig", json: Array(#"{"temperature":null}"#.utf8)),
            BodyField(key: "additionalModelRequestFields", json: Array("null".utf8)),
        ]
        let call = Call(
            operation: .chat, model: Self.claude, isStream: false, format: WireFormat("other"), payload: .chat(chat), overrides: overrides,
            provider: "p")
        let sent = try provider().sent(call, []).body
        #expect(sent.contains(#""inferenceConfig":{"maxTokens":9}"#) && !sent.contains("additionalModel"), "\(sent)")
    }

    @Test("the tokens of what the model reads are counted, and of nothing else")
    func counting() throws {
        var chat = ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "hi")])
        chat.maxTokens = 100
        let defaults = [BodyField(key: "guardrailConfig", json: Array("{}".utf8)), BodyField(key: "system", json: Array("[]".utf8))]
        let call = Call(
            operation: .countTokens, model: "m", isStream: false, format: WireFormat("other"), payload: .chat(chat), defaults: defaults,
            provider: "p")
        let sent = try provider().sent(call, [])
        #expect(sent.target == "/model/m/count-tokens")
        #expect(
            isSameJSON(
                sent.body,
                #"{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"hi"}]}],"system":[{"text":"Be kind."}]}}}"#),
            "\(sent.body)")
        var decoder = try provider().decoder(for: call, head: .json), sink = ResponseSink()
        try decoder.finish(Array(#"{"inputTokens":15}"#.utf8).span.bytes, into: &sink)
        guard case .count(tokens: 15)? = sink.parts.first else { return #expect(Bool(false), "\(sink.parts)") }
        let refusal = #"{"message":"The provided model doesn't support counting tokens."}"#
        let error = try provider().failure(head: UpstreamHead(status: 400), body: Array(refusal.utf8).span.bytes)
        #expect(error.failure == .unsupported, "the router estimates then")
    }

    @Test("a schema is a text, and Claude's thinking is a field of the model's own")
    func output() throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
        chat.responseFormat = .schema(name: "r", description: nil, schema: Array(#"{"type":"object"}"#.utf8), isStrict: true)
        chat.reasoning = .budget(tokens: 2048)
        chat.maxTokens = 8192
        let sent = try provider().sent(chat, model: Self.claude).body
        #expect(
            sent.contains(#""textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"r"}}}"#))
        #expect(sent.contains(#""additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}}"#))
        #expect(try !provider().sent(chat, model: "amazon.nova-pro-v1:0").body.contains("thinking"))
    }

    @Test("the tools of an earlier turn are declared, because the format requires it")
    func toolHistory() throws {
        var chat = ChatRequest(messages: [
            ChatMessage(.user, "a"), ChatMessage(.assistant, [ChatPart(.toolCall(ChatToolCall(id: "1", name: "f", arguments: "{}")))]),
            ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: "1", parts: [])))]),
        ])
        #expect(
            try provider().sent(chat).body.contains(
                #""toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}"#))
        chat.toolChoice = .some(.none)
        #expect(throws: ProviderError.self) { try provider().sent(chat) }
    }

    @Test("what the format can't express goes to the next model, by name")
    func inexpressible() throws {
        func refusal(_ change: (inout ChatRequest) -> Void, model: String = "meta.llama3") -> String? {
            var chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
            change(&chat)
            let error = #expect(throws: ProviderError.self) { try provider().sent(chat, model: model) }
            return error?.failure == .unsupported ? error?.message : nil
        }
        #expect(refusal { $0.choices = 2 }?.contains("several choices") == true)
        #expect(refusal { $0.sampling.presencePenalty = 1 }?.contains("penalty") == true)
        #expect(refusal { $0.sampling.topK = 5 }?.contains("'top_k'") == true)
        let image = ChatMedia(.image, .url("https://h/a.png"))
        #expect(refusal { $0.messages[0].parts.append(ChatPart(.media(image))) }?.contains("it needs the bytes") == true)
    }

    @Test("reasoning goes back to the provider that has made it, and after a refusal without it")
    func reasoning() throws {
        let provider = try provider(), events = provider.events(Self.stream, form: .other).events
        let token = try #require(events.compactMap { if case .reasoningToken(let token) = $0 { token } else { nil } }.first)
        let chat = ChatRequest(messages: [
            ChatMessage(.user, "a"),
            ChatMessage(.assistant, [ChatPart(.reasoning(ChatReasoningText(text: "Hm.", token: token))), ChatPart(.text("b"))]),
            ChatMessage(.user, "c"),
        ])
        let expected = #"{"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"c2ln"}}}"#
        #expect(try provider.sent(chat).body.contains(expected))
        let refusal = Array(#"{"message":"messages.1.content.0: Invalid `signature` in `thinking` block"}"#.utf8)
        let call = Call.typed(chat), none: [UInt8] = []
        let error = provider.failure(head: UpstreamHead(status: 400), body: refusal.span.bytes)
        let known = provider.repair(of: call, body: none.span.bytes, refusedWith: error, refusal: refusal.span.bytes)
        let repair = try #require(known)
        #expect(try !provider.sent(chat, repairs: [repair]).body.contains("reasoningContent"))
    }

    // MARK: Responses

    @Test("the events of a stream, with tool calls counted from 0 and the tokens of the cache in the prompt's")
    func stream() throws {
        let (events, usage, error) = try provider().events(Self.stream, form: .other)
        #expect(error == nil)
        #expect(
            events == [
                .start(id: nil, model: nil), .reasoning("Hm."),
                .reasoningToken(OpaqueToken("c2ln", .signature, madeFor: .typed(ChatRequest(messages: [])))),
                .text("Hello"), .toolCall(index: 0, id: "tooluse_1", name: "f"), .toolArguments(index: 0, fragment: #"{"a""#),
                .toolArguments(index: 0, fragment: ":1}"), .finish(.toolCalls),
            ])
        #expect(usage?.promptTokens == 18 && usage?.cachedTokens == 5 && usage?.cacheWriteTokens == 3 && usage?.completionTokens == 4)
    }

    @Test(
        "a total that contradicts the parts counts, and one may leave out the cache",
        arguments: [(500, 18, 482, true), (22, 18, 4, false), (14, 18, 4, false), (0, 18, 4, false)])
    func totals(total: Int, prompt: Int, completion: Int, isInconsistent: Bool) throws {
        let numbers = #""outputTokens":4,"totalTokens":\#(total),"cacheReadInputTokens":5,"cacheWriteInputTokens":3"#
        let last = AWSEventStream.event("metadata", #"{"usage":{"inputTokens":10,\#(numbers)}}"#)
        let usage = try #require(try provider().events(Self.parts.dropLast().flatMap { $0 } + last, form: .other).usage)
        #expect(usage.promptTokens == prompt && usage.completionTokens == completion && usage.isInconsistent == isInconsistent)
    }

    @Test("a message where a stream was asked for, and a stream where a message was, are read as what they are")
    func otherForms() throws {
        let message = try provider().events(Array(Self.message.utf8), isStream: false).events
        #expect(try provider().events(Array(Self.message.utf8), isStream: true, form: .jsonObject).events == message)
        #expect(
            try provider().events(Self.stream, isStream: false, form: .other).events == provider().events(Self.stream, form: .other).events)
    }

    @Test("what is neither of them is unreadable", arguments: [true, false])
    func otherText(isStream: Bool) throws {
        let error = try #require(try provider().events(Array("please sign in to continue".utf8), isStream: isStream, form: .other).error)
        #expect(error.failure == .upstreamError && error.message.contains("'base_url'"))
    }

    @Test("a stream without its end is truncated, and one without the usage is complete")
    func ends() throws {
        let withoutUsage = Self.parts.dropLast().flatMap { $0 }, withoutEnd = Self.parts.dropLast(2).flatMap { $0 }
        #expect(try provider().events(withoutUsage, form: .other).error == nil)
        #expect(try provider().events(withoutEnd, form: .other).error?.code == "upstream_truncated")
    }

    @Test(
        "an exception has its class, in a stream and as a response",
        arguments: [
            ("throttlingException", 429, FailureClass.rateLimited), ("modelStreamErrorException", 424, .upstreamError),
            ("internalServerException", 500, .upstreamError), ("serviceUnavailableException", 503, .upstreamError),
            ("validationException", 400, .clientError), ("modelTimeoutException", 408, .upstreamError),
            ("modelNotReadyException", 429, .rateLimited),
        ])
    func exceptions(name: String, status: Int, failure: FailureClass) throws {
        let body = Array(#"{"message":"it failed"}"#.utf8)
        let events = try provider().events(AWSEventStream.exception(name, #"{"message":"it failed"}"#), form: .other)
        #expect(events.error?.failure == failure && events.error?.message == "it failed")
        let type = name.prefix(1).uppercased() + name.dropFirst() + ":http://internal.amazon.com/coral/"
        let head = UpstreamHead(status: status, fields: [HTTPField("x-amzn-errortype", type)])
        #expect(try provider().failure(head: head, body: body.span.bytes).failure == failure)
    }

    @Test("a prompt that is too long has its class, and a malformed output is a failure")
    func classes() throws {
        let long = Array(#"{"message":"Input is too long for requested model."}"#.utf8)
        #expect(try provider().failure(head: UpstreamHead(status: 400), body: long.span.bytes).failure == .contextOverflow)
        let malformed = Self.message.replacing("end_turn", with: "malformed_tool_use")
        #expect(try provider().events(Array(malformed.utf8), isStream: false).error?.failure == .upstreamError)
    }

    private static let parts = [
        AWSEventStream.event("messageStart", #"{"role":"assistant"}"#),
        AWSEventStream.event("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}"#),
        AWSEventStream.event("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}"#),
        AWSEventStream.event("contentBlockStop", #"{"contentBlockIndex":0}"#),
        AWSEventStream.event("contentBlockDelta", #"{"contentBlockIndex":1,"delta":{"text":"Hello"}}"#),
        AWSEventStream.event("contentBlockStop", #"{"contentBlockIndex":1}"#),
        AWSEventStream.event("contentBlockStart", #"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"f"}}}"#),
        AWSEventStream.event("contentBlockDelta", #"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\""}}}"#),
        AWSEventStream.event("contentBlockDelta", #"{"contentBlockIndex":2,"delta":{"toolUse":{"input":":1}"}}}"#),
        AWSEventStream.event("contentBlockStop", #"{"contentBlockIndex":2}"#),
        AWSEventStream.event("messageStop", #"{"stopReason":"tool_use"}"#),
        AWSEventStream.event(
            "metadata",
            #"{"metrics":{"latencyMs":1},"usage":{"inputTokens":10,"outputTokens":4,"totalTokens":22,"cacheReadInputTokens":5,"cacheWriteInputTokens":3}}"#
        ),
    ]
    private static let stream = parts.flatMap { $0 }

    private static let message =
        #"{"metrics":{"latencyMs":1},"output":{"message":{"content":[{"text":"Привет"},{"toolUse":{"toolUseId":"t1","name":"f","input":{"a":1}}}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":3,"outputTokens":2,"totalTokens":5}}"#
}
