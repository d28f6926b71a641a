import Codecs
import OpenAI
import OpenRouter
import ProviderKit
import Testing
import WireFormats

@Suite("the OpenRouter plugin")
struct OpenRouterPluginTests {
    private func provider() throws -> any Provider {
        try PluginOptions(
            dictionaryLiteral: ("api_key", "sk-1"), ("app_url", "https://app.example"), ("app_title", "An app"),
            ("app_categories", "cli-agent,cloud-agent")
        ).provider(of: OpenRouterPlugin.self)
    }

    @Test("requests name the application")
    func attribution() throws {
        let fields = try provider().fields()
        #expect(fields["http-referer"] == "https://app.example" && fields["x-openrouter-title"] == "An app")
        #expect(fields["x-openrouter-categories"] == "cli-agent,cloud-agent")
    }

    @Test("Anthropic's format passes through, and other formats are translated to OpenAI's")
    func formats() throws {
        let provider = try provider(),
            body = #"{"model":"a","max_tokens":5,"messages":[{"role":"user","content":"hi"}],"thinking":{"type":"adaptive"}}"#
        #expect(provider.formats(for: .chat, model: "a") == [OpenAIChat.format, OpenAIResponses.format, AnthropicMessages.format])
        let messages = try provider.sent(body, as: AnthropicMessages.format)
        #expect(messages.target == "/api/v1/messages")
        #expect(messages.body == body.replacing(#""model":"a""#, with: #""model":"up""#))
        #expect(try provider.sent(body).target == "/api/v1/chat/completions")
        #expect(try provider.sent(ChatRequest(messages: [ChatMessage(.user, "hi")])).target == "/api/v1/chat/completions")
        #expect(try provider.sent(#"{"input":"a"}"#, .embeddings).target == "/api/v1/embeddings")
    }

    @Test(
        "how much a model reasons has OpenRouter's form",
        arguments: [
            (ChatReasoning.effort("max"), #"{"effort":"max"}"#), (.effort("none"), #"{"effort":"none"}"#),
            (.budget(tokens: 2000), #"{"max_tokens":2000}"#), (.budget(tokens: 0), #"{"effort":"none"}"#),
            (.adaptive, #"{"enabled":true}"#),
        ])
    func reasoning(reasoning: ChatReasoning, expected: String) throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "hi")])
        chat.reasoning = reasoning
        #expect(try provider().sent(chat).body.contains(#""reasoning":\#(expected)"#))
    }

    @Test("the details of reasoning go back exactly as they came, whichever format the client has")
    func details() throws {
        let provider = try provider()
        let (events, usage, error) = provider.events(Array(OpenAIFamilyTests.openRouterStream.utf8))
        #expect(error == nil && usage?.costUSD == 0.00014 && usage?.cachedTokens == 4)
        #expect(events.compactMap { if case .reasoning(let text) = $0 { text } else { nil } }.joined() == "Let me see.")
        let tokens = events.compactMap { if case .reasoningToken(let token) = $0 { token } else { nil } }
        let token = try #require(tokens.first)
        #expect(tokens.count == 1 && token.kind == .signature)
        // The token comes before what follows the reasoning.
        let places = events.indices.filter { if case .reasoningToken = events[$0] { true } else { false } }
        #expect(places[0] < (events.firstIndex(of: .text("Four.")) ?? 0))
        // A client of another format keeps the tagged text.
        let returned = try #require(OpaqueToken(tagged: token.tagged, .signature, in: WireFormat("other")))
        let chat = ChatRequest(messages: [
            ChatMessage(.user, "2 + 2?"),
            ChatMessage(
                .assistant, [ChatPart(.reasoning(ChatReasoningText(text: "Let me see.", token: returned))), ChatPart(.text("Four."))]),
            ChatMessage(.user, "Sure?"),
        ])
        let sent = try provider.sent(chat).body
        let bytes = Array(sent.utf8), tree = JSONTree(bytes.span.bytes)
        let details = try #require(tree?["messages"]?.elements?[1]["reasoning_details"])
        #expect(isSameJSON(String(decoding: details.encoded, as: UTF8.self), Self.sentDetails))
        // Another provider doesn't get them.
        let call = Call(
            operation: .chat, model: "up", isStream: false, format: WireFormat("other"), payload: .chat(chat), provider: "q")
        #expect(try !provider.sent(call, []).body.contains("reasoning_details"))
    }

    @Test("the next request of a sticky conversation asks first for the server that has it in its cache")
    func hosts() throws {
        let provider = try provider()
        for bytes in [
            OpenAIFamilyTests.openRouterStream, #"{"provider":"Anthropic","choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#,
        ] {
            for isTyped in [false, true] {
                let isStream = bytes.hasPrefix(":")
                let call = Call(
                    operation: .chat, model: "up", isStream: isStream, format: isTyped ? WireFormat("other") : OpenAIChat.format,
                    payload: isTyped ? .chat(ChatRequest(messages: [])) : .members([]))
                var sink = ResponseSink()
                var decoder = try provider.decoder(
                    for: call, head: UpstreamHead(status: 200, bodyForm: isStream ? .eventStream : .jsonObject))
                let body = Array(bytes.utf8)
                let consumed = try decoder.decode(body.span.bytes, into: &sink)
                if !sink.isComplete { try decoder.finish(Array(body.dropFirst(consumed)).span.bytes, into: &sink) }
                #expect(sink.servedBy == .host("Anthropic"))
            }
        }
        func sent(
            _ body: String, defaults: [BodyField] = [], at provider: any Provider, host: String? = "Amazon \"Bedrock\""
        ) throws -> String {
            let bytes = Array(body.utf8)
            let call = Call(
                operation: .chat, model: "up", isStream: false, format: OpenAIChat.format,
                payload: .members(try JSON.members(of: bytes.span.bytes)), defaults: defaults, lastHost: host)
            return try provider.sent(call, bytes).body
        }
        #expect(try sent(#"{"model":"a"}"#, at: provider) == #"{"model":"up","provider":{"order":["Amazon \"Bedrock\""]}}"#)
        #expect(try sent(#"{"model":"a"}"#, at: provider, host: nil) == #"{"model":"up"}"#)
        #expect(try sent(#"{"model":"a","provider":{}}"#, at: provider) == #"{"model":"up","provider":{}}"#)
        let preset = BodyField(key: "provider", json: Array(#"{"sort":"price"}"#.utf8))
        #expect(try sent(#"{"model":"a"}"#, defaults: [preset], at: provider) == #"{"model":"up","provider":{"sort":"price"}}"#)
        let other = try PluginOptions(dictionaryLiteral: ("api_key", "sk-1")).provider(of: OpenAIPlugin.self)
        #expect(try sent(#"{"model":"a"}"#, at: other) == #"{"model":"up"}"#)
    }

    private static let sentDetails =
        #"[{"type":"reasoning.text","text":"Let me see.","format":"anthropic-claude-v1","index":0,"signature":"c2ln"},{"type":"reasoning.encrypted","data":"ZW5j","id":"rs_1","format":"openai-responses-v1","index":1}]"#

    /// Source: openrouter-python 1.3.84, `apierrortype.py`.
    @Test(
        "the type of an error is its class",
        arguments: [
            ("context_length_exceeded", 400, FailureClass.contextOverflow), ("authentication", 401, .providerRejected),
            ("permission_denied", 403, .providerRejected), ("payment_required", 402, .providerRejected),
            ("rate_limit_exceeded", 429, .rateLimited), ("provider_overloaded", 503, .rateLimited),
            ("provider_unavailable", 502, .upstreamError), ("invalid_request", 400, .clientError), ("not_found", 404, .notFound),
            ("content_policy_violation", 403, .contentFilter), ("refusal", 400, .contentFilter), ("server", 500, .upstreamError),
            ("timeout", 408, .upstreamError), ("unmapped", 500, .upstreamError),
        ])
    func errorTypes(type: String, status: Int, failure: FailureClass) throws {
        let body = #"{"error":{"code":\#(status),"message":"it failed","metadata":{"error_type":"\#(type)"}}}"#
        #expect(try provider().failure(head: UpstreamHead(status: status), body: Array(body.utf8).span.bytes).failure == failure)
        // In a stream, a chunk reports it.
        let chunk =
            #"data: {"id":"gen-1","object":"chat.completion.chunk","error":{"code":\#(status),"message":"it failed","metadata":{"error_type":"\#(type)"}},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#
            + "\n\n"
        #expect(try provider().events(Array(chunk.utf8)).error?.failure == failure)
    }
}

extension OpenAIFamilyTests {
    /// Source: OpenRouter's guide "Reasoning Tokens", streams, and "Usage Accounting", joined and shortened.
    static let openRouterStream = [
        ": OPENROUTER PROCESSING",
        #"data: {"id":"gen-1","provider":"Anthropic","model":"anthropic/claude-sonnet-4.5","object":"chat.completion.chunk","created":1,"choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"Let me ","reasoning_details":[{"type":"reasoning.text","text":"Let me ","format":"anthropic-claude-v1","index":0}]},"finish_reason":null}]}"#,
        #"data: {"id":"gen-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":"see.","reasoning_details":[{"type":"reasoning.text","text":"see.","format":"anthropic-claude-v1","index":0}]},"finish_reason":null}]}"#,
        #"data: {"id":"gen-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"","reasoning":null,"reasoning_details":[{"type":"reasoning.text","signature":"c2ln","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"ZW5j","id":"rs_1","format":"openai-responses-v1","index":1}]},"finish_reason":null}]}"#,
        #"data: {"id":"gen-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":"Four."},"finish_reason":null}]}"#,
        #"data: {"id":"gen-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop","native_finish_reason":"end_turn"}]}"#,
        #"data: {"id":"gen-1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":{"prompt_tokens":10,"completion_tokens":8,"total_tokens":18,"cost":0.00014,"is_byok":false,"prompt_tokens_details":{"cached_tokens":4}}}"#,
        "data: [DONE]",
    ].map { $0 + "\n\n" }.joined()

    /// Source: DeepSeek's API reference, streams, and "Rate Limit" for the comments, shortened.
    static let deepSeekStream = [
        ": keep-alive", "",
        #"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"deepseek-reasoner","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":""},"logprobs":null,"finish_reason":null}],"usage":null}"#,
        #"data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":null,"reasoning_content":"Hm."},"finish_reason":null}],"usage":null}"#,
        #"data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"Four.","reasoning_content":null},"finish_reason":null}],"usage":null}"#,
        #"data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"","reasoning_content":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17,"completion_tokens_details":{"reasoning_tokens":4},"prompt_cache_hit_tokens":6,"prompt_cache_miss_tokens":4}}"#,
        "data: [DONE]",
    ].map { $0 + "\n\n" }.joined()
}
