import AzureOpenAI
import Codecs
import DeepSeek
import OpenAI
import OpenAICompatible
import OpenRouter
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@Suite("the plugins of OpenAI's family")
struct OpenAIFamilyTests {
    static let plugins: [(any ProviderPlugin.Type, PluginOptions)] = [
        (OpenAIPlugin.self, ["api_key": "sk-canary-0123456789", "organization": "org-1"]),
        (AzureOpenAIPlugin.self, ["base_url": "https://r.openai.azure.com", "api_key": "sk-canary-0123456789"]),
        (
            AzureOpenAIPlugin.self,
            ["base_url": "https://r.openai.azure.com", "api_key": "sk-canary-0123456789", "api_version": "2024-10-21"]
        ),
        (OpenAICompatiblePlugin.self, ["base_url": "http://127.0.0.1:1/v1", "reasoning": "reasoning", "cache_control": "true"]),
        (OpenRouterPlugin.self, ["api_key": "sk-canary-0123456789", "app_title": "An app"]),
        (DeepSeekPlugin.self, ["api_key": "sk-canary-0123456789"]),
    ]

    @Test("each passes the conformance suite", arguments: plugins.indices)
    func conformance(index: Int) throws {
        let (plugin, options) = Self.plugins[index]
        let suite = ProviderConformance(
            provider: try options.provider(of: plugin),
            responses: OpenAIPluginTests.recorded + [
                .init(
                    "Azure's stream", isStream: true, head: .eventStream, bytes: Array(Self.azureStream.utf8),
                    content: .init(text: "Hello", finish: .stop, usage: Usage(promptTokens: 9, completionTokens: 1))),
                .init(
                    "OpenRouter's stream", isStream: true, head: .eventStream, bytes: Array(Self.openRouterStream.utf8),
                    content: .init(
                        text: "Four.", reasoning: "Let me see.", hasToken: true, finish: .stop,
                        usage: Usage(promptTokens: 10, completionTokens: 8, cachedTokens: 4, costUSD: 0.00014))),
                .init(
                    "DeepSeek's stream", isStream: true, head: .eventStream, bytes: Array(Self.deepSeekStream.utf8),
                    content: .init(
                        text: "Four.", reasoning: "Hm.", finish: .stop,
                        usage: Usage(promptTokens: 10, completionTokens: 7, cachedTokens: 6, reasoningTokens: 4))),
            ],
            requests: OpenAIPluginTests.requests,
            failures: [
                .init("no credit", status: 429, body: #"{"error":{"message":"x","code":"insufficient_quota"}}"#, is: .providerRejected),
                .init("a filtered prompt", status: 400, body: Self.azureFilter, is: .contentFilter),
                .init("no balance", status: 402, body: #"{"error":{"message":"Insufficient Balance"}}"#, is: .providerRejected),
            ],
            failureEvents: OpenAIPluginTests.failureEvents)
        #expect(suite.violations() == [])
    }

    @Test("each key of a list is a credential and a secret, whichever field has it", arguments: plugins.indices)
    func keys(index: Int) throws {
        let (plugin, options) = Self.plugins[index]
        var several = options
        several.values.removeAll { $0.0 == "api_key" }
        several.values.append(("api_key", ["sk-first-0123456789", "sk-second-0123456789"]))
        let provider = try several.provider(of: plugin)
        #expect(provider.authentication.credentials.count == 2)
        let secrets = provider.secrets.map { $0.reveal() }
        #expect(secrets.count == 2 && secrets[0].hasSuffix("sk-first-0123456789") && secrets[1].hasSuffix("sk-second-0123456789"))
    }

    // MARK: OpenAI

    @Test("the organization and the project are fields of each request")
    func organization() throws {
        let provider = try PluginOptions(dictionaryLiteral: ("api_key", "sk-1"), ("organization", "org-1"), ("project", "proj_1"))
            .provider(of: OpenAIPlugin.self)
        let fields = try provider.fields()
        #expect(fields["openai-organization"] == "org-1" && fields["openai-project"] == "proj_1")
        let issues = PluginOptions(dictionaryLiteral: ("api_key", "sk-1"), ("project", "two words")).issues(of: OpenAIPlugin.self)
        #expect(issues == ["'project' takes visible ASCII characters"])
    }

    /// OpenAI's and Azure's own words.
    @Test(
        "a refused name of the token limit is replaced by the other one, and nothing else changes",
        arguments: [
            (
                #"{"model":"a","max_tokens":5,"x":[1, 2]}"#,
                #"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
                #"{"model":"up","max_completion_tokens":5,"x":[1, 2]}"#
            ),
            (
                #"{"model":"a","max_completion_tokens":5}"#,
                #"{"error":{"message":"Unrecognized request argument supplied: max_completion_tokens","type":"invalid_request_error","param":null,"code":null}}"#,
                #"{"model":"up","max_tokens":5}"#
            ),
        ])
    func tokenLimit(body: String, refusal: String, expected: String) throws {
        let provider = try Self.plugins[0].1.provider(of: OpenAIPlugin.self)
        let repair = try #require(try provider.repair(body, refusedWith: refusal))
        #expect(repair.isLasting)
        #expect(try provider.sent(body, repairs: [repair]).body == expected)
        // The policy's members too, and a body that has both.
        let field = BodyField(key: "max_tokens", json: Array("7".utf8))
        let isNew = expected.contains("max_completion_tokens")
        if isNew {
            #expect(try provider.sent("{}", defaults: [field], repairs: [repair]).body == #"{"model":"up","max_completion_tokens":7}"#)
        }
        let both = try provider.sent(#"{"max_tokens":1,"max_completion_tokens":2}"#, repairs: [repair]).body
        #expect(both == (isNew ? #"{"max_completion_tokens":2,"model":"up"}"# : #"{"max_tokens":1,"model":"up"}"#))
    }

    @Test("a server with models of all kinds is repaired for one request only")
    func lastingRepair() throws {
        let provider = try Self.plugins[3].1.provider(of: OpenAICompatiblePlugin.self)
        let repair = try provider.repair(
            #"{"max_tokens":5}"#, refusedWith: #"{"error":{"message":"Use 'max_completion_tokens' instead."}}"#)
        #expect(repair?.isLasting == false)
    }

    @Test("a refused temperature is no repair: the request goes to the next model, or the client gets the field's name")
    func temperature() throws {
        let provider = try Self.plugins[0].1.provider(of: OpenAIPlugin.self)
        let refusal =
            #"{"error":{"message":"Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#
        #expect(try provider.repair(#"{"temperature":0.2}"#, refusedWith: refusal) == nil)
        let error = provider.failure(head: UpstreamHead(status: 400), body: Array(refusal.utf8).span.bytes)
        #expect(error.failure == .unsupported && error.param == "temperature")
    }

    @Test("a server without the role 'developer' gets 'system'")
    func developerRole() throws {
        let provider = try Self.plugins[5].1.provider(of: DeepSeekPlugin.self)
        let body = #"{"messages":[{"role":"developer","content":"a"},{"role":"user","content":"developer"}]}"#
        // DeepSeek's own words.
        let refusal =
            #"{"error":{"message":"Failed to deserialize the JSON body into the target type: messages[0].role: unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool` at line 1 column 40","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#
        let repair = try #require(try provider.repair(body, refusedWith: refusal, status: 422))
        #expect(
            try provider.sent(body, repairs: [repair]).body
                == #"{"messages":[{"role":"system","content":"a"},{"role":"user","content":"developer"}],"model":"up"}"#)
        #expect(try provider.repair(#"{"messages":[]}"#, refusedWith: refusal, status: 422) == nil)
    }

    // MARK: Azure

    @Test(
        "the path has the API without dates, or the deployment and the version",
        arguments: [
            ("https://r.openai.azure.com", nil, "/openai/v1/chat/completions"),
            ("https://r.openai.azure.com/openai/v1/", nil, "/openai/v1/chat/completions"),
            ("https://r.openai.azure.com/openai", nil, "/openai/v1/chat/completions"),
            ("https://r.openai.azure.com/openai/v1", "preview", "/openai/v1/chat/completions?api-version=preview"),
            ("https://r.openai.azure.com", "2024-10-21", "/openai/deployments/a%2Fb/chat/completions?api-version=2024-10-21"),
            ("https://r.openai.azure.com/openai", "2024-10-21", "/openai/deployments/a%2Fb/chat/completions?api-version=2024-10-21"),
            (
                "https://gateway/x/openai/deployments/mine", "2024-10-21",
                "/x/openai/deployments/mine/chat/completions?api-version=2024-10-21"
            ),
        ] as [(String, String?, String)])
    func azurePaths(url: String, version: String?, target: String) throws {
        var options: PluginOptions = ["api_key": "sk-1"]
        options.values.append(("base_url", .text(url)))
        if let version { options.values.append(("api_version", .text(version))) }
        let provider = try options.provider(of: AzureOpenAIPlugin.self)
        #expect(try provider.sent("{}", model: "a/b").target == target)
        #expect(provider.formats(for: .moderation, model: "a").isEmpty && !provider.formats(for: .speech, model: "a").isEmpty)
    }

    @Test("a resource has a key, or a file with a token, which is read again, and not both")
    func azureCredentials() throws {
        func authentication(_ options: PluginOptions) throws -> Authentication {
            try options.provider(of: AzureOpenAIPlugin.self).authentication
        }
        #expect(
            try authentication(["base_url": "https://h", "api_key": "sk-1"]) == .keys([Secret("sk-1")], in: "api-key"))
        #expect(try authentication(["base_url": "https://h", "token_file": "/run/token"]).credentials == [.tokenFile("/run/token")])
        let both: PluginOptions = ["base_url": "https://h", "token_file": "/run/token", "api_key": "sk-1"]
        #expect(both.issues(of: AzureOpenAIPlugin.self) == ["a provider has either 'api_key' or 'token_file', not both"])
        #expect(
            PluginOptions(dictionaryLiteral: ("base_url", "https://h")).issues(of: AzureOpenAIPlugin.self) == ["key 'api_key' is missing"])
        let relative: PluginOptions = ["base_url": "https://h", "token_file": "token"]
        #expect(relative.issues(of: AzureOpenAIPlugin.self) == ["'token_file' takes an absolute path, which begins with '/'"])
        let version: PluginOptions = ["base_url": "https://h", "api_key": "sk-1", "api_version": "2024&x=1"]
        #expect(version.issues(of: AzureOpenAIPlugin.self) == ["'2024&x=1' is not a version"])
    }

    @Test("Azure's empty first chunk is no content, and a filtered prompt has its class")
    func azureResponses() throws {
        let provider = try Self.plugins[1].1.provider(of: AzureOpenAIPlugin.self)
        let (events, usage, error) = provider.events(Array(Self.azureStream.utf8))
        #expect(error == nil && usage?.promptTokens == 9)
        #expect(events.first == .start(id: "chatcmpl-1", model: "gpt-4o"), "the first chunk names neither")
        #expect(events.contains(.text("Hello")) && events.last == .finish(.stop))
        let refusal = provider.failure(head: UpstreamHead(status: 400), body: Array(Self.azureFilter.utf8).span.bytes)
        #expect(refusal.failure == .contentFilter && refusal.code == "content_filter")
    }

    /// Source: Azure's guide "Content filtering", streamed responses, shortened.
    static let azureStream = [
        #"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]}"#,
        #"data: {"choices":[{"content_filter_results":{},"delta":{"content":"","refusal":null,"role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-1","model":"gpt-4o","object":"chat.completion.chunk","system_fingerprint":"fp_1"}"#,
        #"data: {"choices":[{"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}},"delta":{"content":"Hello"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"chatcmpl-1","model":"gpt-4o","object":"chat.completion.chunk"}"#,
        #"data: {"choices":[{"content_filter_results":{},"delta":{},"finish_reason":"stop","index":0,"logprobs":null}],"created":1,"id":"chatcmpl-1","model":"gpt-4o","object":"chat.completion.chunk"}"#,
        #"data: {"choices":[],"created":1,"id":"chatcmpl-1","model":"gpt-4o","object":"chat.completion.chunk","usage":{"completion_tokens":1,"prompt_tokens":9,"total_tokens":10}}"#,
        "data: [DONE]",
    ].map { $0 + "\n\n" }.joined()

    /// Source: Azure's guide "Content filtering", "Prompt filtered".
    private static let azureFilter =
        #"{"error":{"message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.","type":null,"param":"prompt","code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{"violence":{"filtered":true,"severity":"high"}}}}}"#

    // MARK: OpenAI-compatible

    @Test("the deviations of a server change what is translated for it")
    func deviations() throws {
        var chat = ChatRequest(messages: [
            ChatMessage(.user, [ChatPart(.text("hi"), cacheControl: Array(#"{"type":"ephemeral"}"#.utf8))]),
            ChatMessage(.assistant, [ChatPart(.reasoning(ChatReasoningText(text: "hm"))), ChatPart(.text("yes"))]),
            ChatMessage(.user, "go on"),
        ])
        chat.maxTokens = 5
        func sent(_ more: (String, PluginOptions.Value)...) throws -> String {
            var options: PluginOptions = ["base_url": "http://127.0.0.1:1/v1"]
            options.values += more
            return try options.provider(of: OpenAICompatiblePlugin.self).sent(chat).body
        }
        let plain = try sent()
        #expect(plain.contains(#""max_tokens":5"#) && !plain.contains("hm") && !plain.contains("cache_control"))
        #expect(try sent(("token_limit", "max_completion_tokens")).contains(#""max_completion_tokens":5"#))
        #expect(try sent(("reasoning", "reasoning_content")).contains(#""reasoning_content":"hm""#))
        #expect(try sent(("reasoning", "reasoning")).contains(#""reasoning":"hm""#))
        #expect(try sent(("cache_control", "true")).contains(#""cache_control":{"type":"ephemeral"}"#))
        let rerank = try Self.plugins[3].1.provider(of: OpenAICompatiblePlugin.self).formats(for: .rerank, model: "a")
        #expect(rerank == [OpenAIObjects.rerank])
    }

    @Test("an error that Groq reports inside of a stream ends it")
    func groqError() throws {
        let provider = try Self.plugins[3].1.provider(of: OpenAICompatiblePlugin.self)
        // Source: groq-python, `XGroq.error`: "An error string indicating why a stream was stopped early".
        let stream =
            #"data: {"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}"#
            + "\n\n"
            + #"data: {"id":"c","object":"chat.completion.chunk","choices":[],"x_groq":{"id":"req_1","error":"over capacity, please try again"}}"#
            + "\n\n"
        #expect(provider.events(Array(stream.utf8)).error?.message == "over capacity, please try again")
    }

    @Test("the parts of Mistral's content that are reasoning become reasoning")
    func mistralReasoning() throws {
        let provider = try Self.plugins[3].1.provider(of: OpenAICompatiblePlugin.self)
        // Source: Mistral's guide "Reasoning", shortened.
        let body =
            #"{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"Let me see."}]},{"type":"text","text":"Four."}]},"finish_reason":"stop"}]}"#
        let events = provider.events(Array(body.utf8), isStream: false).events
        #expect(events.contains(.reasoning("Let me see.")) && events.contains(.text("Four.")))
    }
}
