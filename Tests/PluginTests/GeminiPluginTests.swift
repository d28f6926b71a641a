import Codecs
import ConfigTree
import ProviderConformance
import ProviderKit
import Testing
import WireFormats

@testable import Gemini

@Suite("the Gemini plugin")
struct GeminiPluginTests {
    private let provider = GeminiProvider(.sample())

    @Test("the provider passes the conformance suite")
    func conformance() {
        let stream = Array(Self.stream.utf8), object = Array(Self.object.utf8)
        let suite = ProviderConformance(
            provider: provider,
            responses: [
                .init(
                    "a stream", isStream: true, head: .eventStream, bytes: stream,
                    content: .init(
                        text: "Привет 🚀", reasoning: "hm", hasToken: true, toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls,
                        usage: Self.usage)),
                .init(
                    "a stream with CRLF", isStream: true, head: .eventStream, bytes: Array(Self.stream.replacing("\n", with: "\r\n").utf8)),
                .init(
                    "an object", isStream: false, head: .json, bytes: object,
                    content: .init(text: "Привет", toolCalls: [("f", #"{"a":1}"#)], finish: .toolCalls, usage: Self.usage)),
                .init("a stream that was not asked for", isStream: false, head: .eventStream, bytes: stream),
                .init("an object in the place of a stream", isStream: true, head: .json, bytes: object),
            ],
            requests: [
                .body(#"{"contents":[]}"#),
                .body(#"{"model":"auto","contents":[{"role":"user","parts":[{"text":"Привет 🚀"}]}],"x":1e999}"#),
                .chat(ChatRequest(messages: [ChatMessage(.system, "Be kind."), ChatMessage(.user, "Привет 🚀")])),
            ],
            failures: [
                .init(
                    "an overloaded server", status: 503,
                    body: #"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#, is: .rateLimited),
                .init(
                    "a wrong key", status: 400,
                    body: #"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}"#, is: .providerRejected),
            ],
            failureEvents: [
                "data: {\"error\":{\"code\":503,\"message\":\"The model is overloaded.\",\"status\":\"UNAVAILABLE\"}}\n\n"
            ])
        #expect(suite.violations() == [])
    }

    @Test("a warning about an option turns no provider off")
    func warnings() throws {
        let options: PluginOptions = ["api_key": ["AIza-the-same-key", "AIza-the-same-key"]]
        _ = try options.provider(of: GeminiPlugin.self)
    }

    // MARK: Addresses and credentials

    @Test(
        "the path has the version, the model and the verb",
        arguments: [
            ("https://generativelanguage.googleapis.com", "gemini-3-flash", "/v1beta/models/gemini-3-flash:generateContent"),
            ("https://h/v1", "models/gemini-3-flash", "/v1/models/gemini-3-flash:generateContent"),
            ("https://h/google/v1beta/", "tunedModels/a", "/google/v1beta/tunedModels/a:generateContent"),
        ])
    func addresses(url: String, model: String, target: String) throws {
        let provider = GeminiProvider(.sample(["base_url": .text(url)]))
        #expect(try request("{}", model: model, provider).target == target)
        #expect(try request("{}", model: model, isStream: true, provider).target.hasSuffix(":streamGenerateContent?alt=sse"))
        #expect(try request("{}", model: model, operation: .countTokens, provider).target.hasSuffix(":countTokens"))
    }

    @Test("at Vertex AI, the path has the project and the location, and the token comes from a file")
    func vertex() throws {
        let regional = try #require(
            GeminiOptions.read(["project": "my-project", "location": "us-central1", "token_file": "/run/secrets/token"]))
        #expect(regional.baseURL.origin.host == "us-central1-aiplatform.googleapis.com")
        let provider = GeminiProvider(regional)
        #expect(provider.authentication.credentials == [.tokenFile("/run/secrets/token")])
        #expect(provider.formats(for: .embeddings, model: "a").isEmpty)
        #expect(
            try request("{}", model: "gemini-3-flash", provider).target
                == "/v1beta1/projects/my-project/locations/us-central1/publishers/google/models/gemini-3-flash:generateContent")
        #expect(
            try request("{}", model: "endpoints/12", provider).target
                == "/v1beta1/projects/my-project/locations/us-central1/endpoints/12:generateContent")
        let global = GeminiOptions.read(["project": "my-project", "token_file": "/t"])
        #expect(global?.baseURL.origin.host == "aiplatform.googleapis.com")
        #expect(global?.vertexPath == "/projects/my-project/locations/global")
        let counted = #"{"generateContentRequest":{"model":"models/x","contents":[]}}"#
        #expect(try sent(counted, operation: .countTokens, provider) == #"{"contents":[]}"#)
    }

    @Test(
        "wrong options are refused",
        arguments: [
            [:], ["api_key": "a", "location": "us-central1"], ["token_file": "relative"], ["api_key": "a", "project": "a/../b"],
            ["api_key": "a", "project": "p", "location": "evil.example/"],
        ] as [[String: GeminiOptions.Value]])
    func wrongOptions(values: [String: GeminiOptions.Value]) { #expect(GeminiOptions.read(values) == nil) }

    @Test("a wrong credential is one issue, not also a missing one")
    func wrongFile() {
        let relative: PluginOptions = ["token_file": "relative"]
        #expect(relative.issues(of: GeminiPlugin.self) == ["'token_file' takes an absolute path, which begins with '/'"])
    }

    @Test("the key is in a header field, and equal options are equal whatever signatures they have")
    func credentials() {
        #expect(provider.authentication == .keys([Secret("AIza-canary-0123456789")], in: "x-goog-api-key"))
        #expect(provider.secrets == [Secret("AIza-canary-0123456789")])
        #expect(GeminiOptions.sample() == GeminiOptions.sample())
        #expect(GeminiOptions.read(["headers": .mapping(["Authorization": "Bearer x"])]) != nil)
    }

    // MARK: Requests that pass through

    @Test(
        "only the model changes in a request that passes through, and all other bytes stay as they were",
        arguments: [
            (#"{"contents":[],"x":[1, 2]}"#, #"{"contents":[],"x":[1, 2]}"#),
            (#" { "contents" : [] , "model":"a" } "#, #" { "contents" : []}"#),
            (
                #"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"c2ln"}, 1]}]}"#,
                #"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"c2ln"}, 1]}]}"#
            ),
        ])
    func onlyTheModelChanges(body: String, expected: String) throws { #expect(try sent(body) == expected) }

    @Test("the policy's members are merged, whichever way the client spells its own")
    func policyMembers() throws {
        let defaults = [field("generationConfig", #"{"temperature":1,"topK":5}"#)]
        let overrides = [field("safetySettings", "[]")]
        for name in ["generationConfig", "generation_config"] {
            #expect(
                try sent(#"{"\#(name)":{"temperature":0}}"#, defaults: defaults, overrides: overrides)
                    == #"{"generationConfig":{"temperature":0,"topK":5},"safetySettings":[]}"#)
        }
        let chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        #expect(try sent(chat, model: "gemini-3-flash", defaults: defaults).hasSuffix(#""generationConfig":{"temperature":1,"topK":5}}"#))
    }

    @Test("tokens are counted without the policy's members, and the request inside names the provider's model")
    func counting() throws {
        let defaults = [field("generationConfig", "{}")]
        #expect(try sent(#"{"contents":[]}"#, operation: .countTokens, defaults: defaults) == #"{"contents":[]}"#)
        #expect(
            try sent(#"{"generateContentRequest":{"model":"models/auto","contents":[]}}"#, operation: .countTokens)
                == #"{"generateContentRequest":{"model":"models/up","contents":[]}}"#)
        let chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        #expect(
            try sent(chat, model: "up", operation: .countTokens)
                == #"{"generateContentRequest":{"model":"models/up","contents":[{"role":"user","parts":[{"text":"a"}]}]}}"#)
        let counted = try decoded(#"{"totalTokens":12}"#, operation: .countTokens, isTyped: true)
        guard case .count(tokens: 12)? = counted.parts.first else { return #expect(Bool(false), "no number") }
        guard case .buffered? = try decoded(#"{"totalTokens":12}"#, operation: .countTokens).parts.first else {
            return #expect(Bool(false), "it doesn't pass through")
        }
    }

    @Test("requests for vectors name the provider's model in each part, with the policy's members")
    func embeddings() throws {
        let defaults = [field("taskType", #""RETRIEVAL_QUERY""#)]
        let batch = #"{"requests":[{"model":"models/auto","content":{"parts":[{"text":"a"}]}},{"taskType":"FACT_VERIFICATION"}]}"#
        #expect(
            try sent(batch, operation: .embeddings, defaults: defaults)
                == #"{"requests":[{"model":"models/up","content":{"parts":[{"text":"a"}]},"taskType":"RETRIEVAL_QUERY"},"#
                + #"{"taskType":"FACT_VERIFICATION","model":"models/up"}]}"#)
        let typed = Call(
            operation: .embeddings, model: "up", isStream: false, format: WireFormat("other"),
            payload: .embeddings(EmbeddingsRequest(inputs: [.text("a")], dimensions: 2)))
        let request = try provider.request(for: typed, body: [UInt8]().span.bytes)
        #expect(request.target == "/v1beta/models/up:batchEmbedContents")
        #expect(
            text(request, "") == #"{"requests":[{"model":"models/up","content":{"parts":[{"text":"a"}]},"outputDimensionality":2}]}"#)
        let tokens = Call(
            operation: .embeddings, model: "up", isStream: false, format: WireFormat("other"),
            payload: .embeddings(EmbeddingsRequest(inputs: [.tokens([1])])))
        #expect(throws: ProviderError.self) { try provider.request(for: tokens, body: [UInt8]().span.bytes) }
        let vectors = try decoded(#"{"embeddings":[{"values":[1,0.5]}]}"#, operation: .embeddings, isTyped: true)
        guard case .embeddings(let response)? = vectors.parts.first else { return #expect(Bool(false), "no vectors") }
        #expect(response.vectors == [[1, 0.5]])
    }

    // MARK: Requests that are translated

    @Test(
        "thinking is asked for in the form that the model accepts",
        arguments: [
            ("gemini-2.5-flash", "none", #"{"thinkingBudget":0,"includeThoughts":false}"#),
            ("gemini-2.5-pro", "none", #"{"thinkingBudget":128,"includeThoughts":false}"#),
            ("models/gemini-2.5-flash-lite-preview-09-2025", "low", #"{"thinkingBudget":1024,"includeThoughts":true}"#),
            ("gemini-2.5-flash", "max", #"{"thinkingBudget":24576,"includeThoughts":true}"#),
            ("gemini-2.5-pro", "max", #"{"thinkingBudget":32768,"includeThoughts":true}"#),
            ("gemini-3-pro-preview", "none", #"{"thinkingLevel":"LOW","includeThoughts":false}"#),
            ("gemini-3-pro-preview", "minimal", #"{"thinkingLevel":"LOW","includeThoughts":true}"#),
            ("gemini-3-pro-preview", "medium", #"{"thinkingLevel":"HIGH","includeThoughts":true}"#),
            ("gemini-3.1-pro-preview", "medium", #"{"thinkingLevel":"MEDIUM","includeThoughts":true}"#),
            ("gemini-3-flash-preview", "none", #"{"thinkingLevel":"MINIMAL","includeThoughts":false}"#),
            ("gemini-flash-latest", "xhigh", #"{"thinkingLevel":"HIGH","includeThoughts":true}"#),
            ("gemini-2.0-flash", "high", ""), ("gemini-2.5-flash-image", "high", ""), ("gemma-3-27b-it", "high", ""),
        ])
    func thinking(model: String, effort: String, expected: String) throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.reasoning = .effort(effort)
        let body = try sent(chat, model: model)
        #expect(expected.isEmpty ? !body.contains("thinkingConfig") : body.contains(#""thinkingConfig":\#(expected)"#), "\(body)")
    }

    @Test("a budget is kept within the model's bounds, and a model decides by itself with -1")
    func budgets() throws {
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        chat.reasoning = .budget(tokens: 99_999)
        #expect(try sent(chat, model: "gemini-2.5-flash").contains(#""thinkingBudget":24576"#))
        #expect(try sent(chat, model: "gemini-3-flash").contains(#""thinkingLevel":"HIGH""#))
        chat.reasoning = .adaptive
        #expect(try sent(chat, model: "gemini-2.5-flash").contains(#""thinkingBudget":-1"#))
        #expect(try sent(chat, model: "gemini-3-flash").contains(#""thinkingConfig":{"includeThoughts":true}"#))
    }

    /// What makes a request one that this format can't express, and the words of the refusal.
    private static let inexpressible: [(words: String, change: @Sendable (inout ChatRequest) -> Void)] = [
        ("several choices", { $0.choices = 2 }),
        ("more than 5 stop sequences", { $0.stop = ["a", "b", "c", "d", "e", "f"] }),
        ("an image at a URL", { $0.messages = [ChatMessage(.user, [ChatPart(.media(ChatMedia(.image, .url("https://h/x.png"))))])] }),
    ]

    @Test("what the format can't express is refused", arguments: inexpressible.indices)
    func unsupported(index: Int) {
        let (words, change) = Self.inexpressible[index]
        var chat = ChatRequest(messages: [ChatMessage(.user, "a")])
        change(&chat)
        let error = #expect(throws: ProviderError.self) { try sent(chat, model: "gemini-3-flash") }
        #expect(error?.failure == .unsupported && error?.message.contains(words) == true)
    }

    // MARK: Thought signatures

    /// A conversation in which a tool was called with this id.
    private func conversation(_ id: String, _ token: OpaqueToken? = nil) -> ChatRequest {
        let call = ChatPart(.toolCall(ChatToolCall(id: id, name: "f", arguments: "{}")))
        let thought = token.map { [ChatPart(.reasoning(ChatReasoningText(text: "", token: $0)))] } ?? []
        let result = ChatPart(.toolResult(ChatToolResult(callID: id, parts: [ChatPart(.text("x"))])))
        return ChatRequest(messages: [ChatMessage(.user, "a"), ChatMessage(.assistant, thought + [call]), ChatMessage(.tool, [result])])
    }

    @Test("a call gets its signature back: the client's, else the one that was remembered, else what skips the check")
    func signatures() throws {
        let response =
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}],"responseId":"r1"}"#
        let events = try decoded(response, isTyped: true).parts.compactMap { if case .event(let event) = $0 { event } else { nil } }
        guard case .toolCall(_, "call_r1_0", "f")? = events.first(where: { if case .toolCall = $0 { true } else { false } }) else {
            return #expect(Bool(false), "\(events)")
        }
        #expect(try sent(conversation("call_r1_0"), model: "gemini-3-flash").contains(#""thoughtSignature":"c2ln""#))
        let other = try sent(conversation("call_x"), model: "gemini-3-flash")
        #expect(other.contains(#""thoughtSignature":"skip_thought_signature_validator""#))
        #expect(try !sent(conversation("call_x"), model: "gemini-2.5-flash").contains("thoughtSignature"))
        let token = OpaqueToken("b3du", .signature, madeFor: call("{}"))
        #expect(try sent(conversation("call_r1_0", token), model: "gemini-3-flash").contains(#""thoughtSignature":"b3du""#))
        let foreign = OpaqueToken("b3du", .signature, .provider(tag: "00000000"))
        #expect(try sent(conversation("call_x", foreign), model: "gemini-3-flash").contains("skip_thought_signature_validator"))
    }

    @Test("without an id of the response, ids are unique in the conversation")
    func madeUpIDs() throws {
        let response =
            #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]},"finishReason":"STOP"}]}"#
        let sink = try decoded(response, payload: .chat(conversation("call_0")))
        let ids = sink.parts.compactMap { if case .event(.toolCall(_, let id, _)) = $0 { id } else { nil } }
        #expect(ids == ["call_1", "call_2"])
    }

    @Test(
        "refused signatures are repaired by the sentinel",
        arguments: [
            "Function call is missing a thought_signature in functionCall parts.", "Invalid thought signature.",
            "Corrupted thought signature.",
        ])
    func repairs(message: String) throws {
        let body =
            #"{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"g"},"thoughtSignature":"c2ln"}]}],"#
            + #""x": 1}"#
        let refusal = Array(#"{"error":{"code":400,"message":"\#(message)","status":"INVALID_ARGUMENT"}}"#.utf8)
        let error = provider.failure(head: UpstreamHead(status: 400), body: refusal.span.bytes)
        let found = provider.repair(of: call(body), body: Array(body.utf8).span.bytes, refusedWith: error, refusal: refusal.span.bytes)
        let repair = try #require(found)
        #expect(!repair.isLasting)
        #expect(
            try sent(body, repairs: [repair])
                == #"{"contents":[{"role":"model","parts":["#
                + #"{"functionCall":{"name":"f"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"g"}}]}],"x": 1}"#
        )
        let none = provider.repair(
            of: call(body), body: Array(body.utf8).span.bytes, refusedWith: error, refusal: Array("{}".utf8).span.bytes)
        #expect(none == nil)
    }

    // MARK: Errors

    @Test(
        "errors have the class of their reason, or of their words",
        arguments: [
            (400, "INVALID_ARGUMENT", "* GenerateContentRequest.contents: contents is not specified", nil, FailureClass.clientError),
            (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID", .providerRejected),
            (
                400, "INVALID_ARGUMENT", "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).", nil,
                .contextOverflow
            ),
            (403, "PERMISSION_DENIED", "Your API key was reported as leaked.", nil, .providerRejected),
            (404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta", nil, .notFound),
            (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).", nil, .rateLimited),
            (500, "INTERNAL", "An internal error has occurred.", nil, .upstreamError),
            (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", nil, .rateLimited),
        ] as [(Int, String, String, String?, FailureClass)])
    func failures(status: Int, name: String, message: String, reason: String?, failure: FailureClass) {
        let details = reason.map { #","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"\#($0)"}]"# } ?? ""
        let object = #"{"error":{"code":\#(status),"message":"\#(message)","status":"\#(name)"\#(details)}}"#
        for body in [object, "[\(object)]"] {
            let error = provider.failure(head: UpstreamHead(status: status), body: Array(body.utf8).span.bytes)
            #expect(error.failure == failure, "\(message)")
            #expect(error.message == message)
        }
    }

    @Test("a limit names its wait, and a day's quota waits for midnight in California")
    func quotas() {
        func body(_ quota: String, _ delay: String) -> [UInt8] {
            Array(
                (#"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","#
                    + #""status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":["#
                    + #"{"quotaId":"\#(quota)-FreeTier"}]},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"\#(delay)"}]}}"#)
                    .utf8)
        }
        // 2026-11-28T07:00:00Z
        let head = UpstreamHead(status: 429, receivedAt: 1_795_849_200)
        let minute = provider.failure(head: head, body: body("GenerateRequestsPerMinutePerProjectPerModel", "17s").span.bytes)
        #expect(minute.failure == .rateLimited && minute.retryAfter == .seconds(17))
        let day = provider.failure(head: head, body: body("GenerateRequestsPerDayPerProjectPerModel", "17s").span.bytes)
        #expect(day.failure == .rateLimited && day.retryAfter == .seconds(3600))
        for (now, wait) in [(0.0, 28_800), (28_800, 86_400), (28_801, 86_399), (.nan, 3600), (1e300, 3600)] as [(Double, Double)] {
            #expect(GeminiProvider.untilReset(now) == .seconds(wait))
        }
    }

    // MARK: Responses

    @Test(
        "text, thoughts, calls and signatures are content, and finish reasons are ends",
        arguments: [
            (#"{"usageMetadata":{"promptTokenCount":1}}"#, Signals()), (#"{"candidates":[{"content":{"role":"model"}}]}"#, Signals()),
            (#"{"candidates":[{"content":{"parts":[{"text":"abc"}]}}]}"#, Signals(contentBytes: 3)),
            (#"{"candidates":[{"content":{"parts":[{"text":"abc","thought":true}]}}]}"#, Signals(contentBytes: 3)),
            (#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"ab"}]}}]}"#, Signals(contentBytes: 2)),
            (#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]}}]}"#, Signals(contentBytes: 10, hasToolCall: true)),
            (#"{"candidates":[{"finishReason":"STOP"}]}"#, Signals(finishes: 1)),
            (#"{"candidates":[{"finishReason":"CONTINUATION"}]}"#, Signals()),
            (#"{"candidates":[{"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#, Signals()),
            (#"{"candidates":[{"finishReason":"SAFETY"}]}"#, Signals(finishes: 1, isFiltered: true)),
            (#"{"promptFeedback":{"blockReason":"SAFETY"}}"#, Signals(finishes: 1, isFiltered: true)),
            (#"{"promptFeedback":{"safetyRatings":[]}}"#, Signals()),
        ])
    func signals(chunk: String, expected: Signals) throws {
        var decoder = try provider.decoder(for: call("{}", isStream: true), head: .eventStream)
        var sink = ResponseSink()
        _ = try decoder.decode(Array("data: \(chunk)\n\n".utf8).span.bytes, into: &sink)
        guard case .chunk(let part)? = sink.parts.first else { return #expect(Bool(false), "no chunk") }
        #expect(part.signals == expected)
    }

    @Test("an unknown finish reason is an end, and is noted")
    func unknownReason() throws {
        let sink = try decoded(#"{"candidates":[{"finishReason":"NEW"}]}"#)
        #expect(sink.signals.hasUnknownFinishReason && sink.signals.finishes == 1)
    }

    @Test("a finish reason that means a failure is an error", arguments: ["MALFORMED_FUNCTION_CALL", "MISSING_THOUGHT_SIGNATURE", "OTHER"])
    func failureReasons(reason: String) {
        for isTyped in [false, true] {
            let error = #expect(throws: ProviderError.self) {
                try decoded(#"{"candidates":[{"finishReason":"\#(reason)","finishMessage":"so"}]}"#, isTyped: isTyped)
            }
            #expect(error?.failure == .upstreamError && error?.message.contains("'\(reason)': so") == true)
        }
    }

    @Test("the usage counts the prompt with its tools' tokens, and thoughts in the completion")
    func usage() throws {
        let usage =
            #"{"promptTokenCount":10,"cachedContentTokenCount":4,"toolUsePromptTokenCount":3,"candidatesTokenCount":5,"thoughtsTokenCount":7,"totalTokenCount":25,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":6}],"toolUsePromptTokensDetails":[{"modality":"AUDIO","tokenCount":1}],"candidatesTokensDetails":[{"modality":"TEXT","tokenCount":3},{"modality":"AUDIO","tokenCount":2}]}"#
        let sink = try decoded(#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":\#(usage)}"#)
        var expected = Usage(promptTokens: 13, completionTokens: 12, cachedTokens: 4, reasoningTokens: 7)
        (expected.audioTokens, expected.audioOutputTokens) = (7, 2)
        #expect(sink.usage == expected)
        let odd = #"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":-1,"candidatesTokenCount":1e99}}"#
        #expect(try decoded(odd).usage == nil)
    }

    @Test(
        "a total that contradicts the parts counts, and one that leaves out thoughts or the tokens of tools does not contradict",
        arguments: [
            (#""promptTokenCount":100,"candidatesTokenCount":20,"totalTokenCount":500"#, 100, 400, true),
            (#""promptTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":7,"totalTokenCount":127"#, 100, 27, false),
            // The thoughts are among the candidates' tokens, or there are too many of them for that.
            (#""promptTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":7,"totalTokenCount":120"#, 100, 20, false),
            (#""promptTokenCount":10,"candidatesTokenCount":105,"thoughtsTokenCount":100,"totalTokenCount":115"#, 10, 105, false),
            (
                #""promptTokenCount":10,"toolUsePromptTokenCount":3,"candidatesTokenCount":9,"thoughtsTokenCount":4,"totalTokenCount":22"#,
                13, 9, false
            ),
            (#""promptTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":70,"totalTokenCount":120"#, 100, 90, false),
            (#""promptTokenCount":100,"candidatesTokenCount":20,"thoughtsTokenCount":7,"totalTokenCount":134"#, 100, 34, true),
            (#""promptTokenCount":10,"toolUsePromptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":15"#, 13, 5, false),
            (#""promptTokenCount":100,"totalTokenCount":120"#, 100, 20, false),
            (#""promptTokenCount":0,"candidatesTokenCount":0,"totalTokenCount":0"#, 0, 0, false),
        ])
    func totals(numbers: String, prompt: Int, completion: Int, isInconsistent: Bool) throws {
        let usage = try #require(try decoded(#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{\#(numbers)}}"#).usage)
        #expect(usage.promptTokens == prompt && usage.completionTokens == completion && usage.isInconsistent == isInconsistent)
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
        _ body: String, model: String = "up", isStream: Bool = false, operation: ProviderKit.Operation = .chat,
        defaults: [BodyField] = [], overrides: [BodyField] = [], repairs: [Repair] = []
    ) -> Call {
        let members = (try? JSON.members(of: Array(body.utf8).span.bytes)) ?? []
        return Call(
            operation: operation, model: model, isStream: isStream, format: Gemini.format, payload: .members(members), defaults: defaults,
            overrides: overrides, repairs: repairs, provider: "p")
    }

    private func request(
        _ body: String, model: String = "up", isStream: Bool = false, operation: ProviderKit.Operation = .chat,
        defaults: [BodyField] = [], overrides: [BodyField] = [], repairs: [Repair] = [], _ provider: GeminiProvider? = nil
    ) throws -> UpstreamRequest {
        let call = call(
            body, model: model, isStream: isStream, operation: operation, defaults: defaults, overrides: overrides, repairs: repairs)
        return try (provider ?? self.provider).request(for: call, body: Array(body.utf8).span.bytes)
    }

    private func sent(
        _ body: String, operation: ProviderKit.Operation = .chat, defaults: [BodyField] = [], overrides: [BodyField] = [],
        repairs: [Repair] = [], _ provider: GeminiProvider? = nil
    ) throws -> String {
        text(try request(body, operation: operation, defaults: defaults, overrides: overrides, repairs: repairs, provider), body)
    }

    private func sent(
        _ chat: ChatRequest, model: String, operation: ProviderKit.Operation = .chat, defaults: [BodyField] = []
    ) throws -> String {
        let call = Call(
            operation: operation, model: model, isStream: false, format: OpenAIChat.format, payload: .chat(chat), defaults: defaults,
            provider: "p")
        return text(try provider.request(for: call, body: [UInt8]().span.bytes), "")
    }

    private func decoded(
        _ body: String, operation: ProviderKit.Operation = .chat, isTyped: Bool = false, payload: Payload? = nil
    ) throws -> ResponseSink {
        let call = Call(
            operation: operation, model: "up", isStream: false, format: Gemini.format,
            payload: payload ?? (isTyped ? .chat(ChatRequest(messages: [])) : .members([])), provider: "p")
        var decoder = try provider.decoder(for: call, head: .json), sink = ResponseSink()
        try decoder.finish(Array(body.utf8).span.bytes, into: &sink)
        return sink
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

    private static let usage = Usage(promptTokens: 3, completionTokens: 5)

    private static let stream = [
        #"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":3},"modelVersion":"up","responseId":"r"}"#,
        #"{"candidates":[{"content":{"parts":[{"text":"Привет 🚀"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":3}}"#,
        #"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"}],"role":"model"},"index":0}]}"#,
        #"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8}}"#,
    ].map { "data: \($0)\n\n" }.joined()

    private static let object =
        #"{"candidates":[{"content":{"parts":[{"text":"Привет"},{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5},"modelVersion":"up","responseId":"r"}"#
}

extension GeminiOptions {
    static func sample(_ values: [String: Value] = [:]) -> GeminiOptions {
        let defaults: [String: Value] = ["base_url": "http://127.0.0.1:1", "api_key": "AIza-canary-0123456789"]
        guard let options = read(defaults.merging(values) { $1 }) else { preconditionFailure("the sample's options are invalid") }
        return options
    }

    enum Value: ExpressibleByStringLiteral {
        case text(String)
        case mapping([String: String])

        init(stringLiteral text: String) { self = .text(text) }
    }

    /// nil if there are issues.
    static func read(_ values: [String: Value]) -> GeminiOptions? {
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
        return GeminiPlugin.readOptions(&fields)
    }
}
