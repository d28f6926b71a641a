import OpenAICompatible
import ProviderConformance
import ProviderKit
import Testing

/// Error bodies as providers send them, and what each says is at fault. The status alone would mislead in most of them.
@Suite("what a provider's refusal says is at fault")
struct RefusalTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "a refusal of the key or the account",
        arguments: [
            (
                "OpenAI", 401,
                #"{"error":{"message":"Incorrect API key provided: sk-…","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#
            ),
            (
                "OpenAI", 429,
                #"{"error":{"message":"You exceeded your current quota, please check your plan and billing details.","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#
            ),
            (
                "OpenAI", 429,
                #"{"error":{"message":"Your account is not active, please check your billing details on our website.","type":"billing_not_active","param":null,"code":"billing_not_active"}}"#
            ),
            (
                "OpenAI", 400,
                #"{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","param":null,"code":"billing_hard_limit_reached"}}"#
            ),
            (
                "OpenAI", 403,
                #"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported","param":null,"type":"request_forbidden"}}"#
            ),
            (
                "Anthropic", 400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits."},"request_id":"req_011"}"#
            ),
            (
                "Anthropic", 400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."}}"#
            ),
            (
                "Anthropic", 400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"This organization has been disabled."}}"#
            ),
            ("Anthropic", 401, #"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}"#),
            (
                "Gemini", 400,
                #"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}]"#
            ),
            (
                "Gemini", 400,
                #"[{"error":{"code":400,"message":"User location is not supported for the API use.","status":"FAILED_PRECONDITION"}}]"#
            ),
            (
                "Gemini", 400,
                #"{"error":{"code":400,"message":"no","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_EXPIRED"}]}}"#
            ),
            (
                "Gemini", 429,
                #"{"error":{"code":429,"message":"Your prepayment credits are depleted. Please go to AI Studio.","status":"RESOURCE_EXHAUSTED"}}"#
            ),
            (
                "Gemini", 429,
                #"{"error":{"code":429,"message":"Your project has exceeded its monthly spending cap.","status":"RESOURCE_EXHAUSTED"}}"#
            ),
            (
                "Google", 403,
                #"{"error":{"code":403,"message":"Generative Language API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED","details":[{"reason":"SERVICE_DISABLED"}]}}"#
            ),
            (
                "Groq", 400,
                #"{"error":{"message":"Organization has been restricted. Please reach out to support if you believe this was in error.","type":"invalid_request_error","code":"organization_restricted"}}"#
            ),
            ("Groq", 400, #"{"error":{"message":"Spend limit reached","type":"invalid_request_error","code":"blocked_api_access"}}"#),
            (
                "DeepSeek", 402,
                #"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#
            ),
            (
                "DeepSeek", 401,
                #"{"error":{"message":"Authentication Fails, Your api key: ****abcd is invalid","type":"authentication_error","param":null,"code":"invalid_request_error"}}"#
            ),
            (
                "xAI", 429,
                #"{"code":"Some resource has been exhausted","error":"Your team 1 has either used all available credits or reached its monthly spending limit. To continue making API requests, please purchase more credits or raise your spending limit."}"#
            ),
            (
                "xAI", 400,
                #"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz. You can obtain an API key from https://console.x.ai."}"#
            ),
            (
                "OpenRouter", 402,
                #"{"error":{"message":"Insufficient credits. Add more using https://openrouter.ai/settings/credits","code":402}}"#
            ),
            (
                "OpenRouter", 403,
                #"{"error":{"message":"Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys","code":403}}"#
            ),
            ("OpenRouter", 200, #"{"error":{"message":"Insufficient credits","code":402}}"#),
            (
                "OpenRouter, an inner refusal", 400,
                #"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is too low\"}}","provider_name":"Anthropic"}}}"#
            ),
            ("Mistral", 401, #"{"detail":"Unauthorized"}"#),
            (
                "Moonshot", 429,
                #"{"error":{"message":"Your account org-1 is suspended, please check your plan and billing details","type":"exceeded_current_quota_error"}}"#
            ),
            ("z.ai", 429, #"{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}"#),
            ("z.ai, in Chinese", 429, #"{"error":{"code":"1113","message":"您的账户余额不足,请充值后重试"}}"#),
            ("SiliconFlow", 403, #"{"code":30001,"message":"Sorry, your account balance is insufficient","data":null}"#),
            (
                "Alibaba", 400,
                #"{"error":{"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage","param":null,"code":"Arrearage"}}"#
            ),
            (
                "Alibaba", 403,
                #"{"error":{"message":"The free tier of the model has been exhausted.","code":"AllocationQuota.FreeTierOnly"}}"#
            ),
            (
                "Volcengine", 403,
                #"{"error":{"code":"AccountOverdueError","message":"The request failed because your account has an overdue balance.","type":"Forbidden"}}"#
            ),
            (
                "Hugging Face", 402,
                #"{"error":"You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO to get 20x more monthly included credits."}"#
            ),
            ("MiniMax", 500, #"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#),
            ("Baidu", 400, #"{"error_code":110,"error_msg":"Invalid API key or access token expired"}"#),
            (
                "Cloudflare", 400,
                #"{"success":false,"errors":[{"code":10000,"message":"Authentication error: invalid authentication"}],"messages":[]}"#
            ),
            (
                "NVIDIA", 401,
                #"{"type":"urn:inference-service:problem-details:unauthorized","title":"Unauthorized","status":401,"detail":"Authentication failed"}"#
            ),
            (
                "Together", 402,
                #"{"id":"1","error":{"message":"Credit limit exceeded, please navigate to billing","type":"credit_limit","param":null,"code":null}}"#
            ),
            (
                "LiteLLM's proxy", 400,
                #"{"error":{"message":"Budget has been exceeded! Current cost: 1.2, Max budget: 1.0","type":"budget_exceeded","param":null,"code":"400"}}"#
            ),
            (
                "a proxy, with JSON in the message", 400,
                #"{"error":{"message":"upstream error: {\"error\":{\"message\":\"no\",\"code\":\"insufficient_quota\"}}","type":"upstream_error"}}"#
            ),
            (
                "a proxy, with Python in the message", 500,
                #"{"error":{"message":"Error code: 400 - {'error': {'message': 'Your credit balance is too low'}}"}}"#
            ),
            ("a page of HTML", 403, "<html><head><title>403 Forbidden</title></head><body>…</body></html>"),
        ])
    func account(provider: String, status: Int, body: String) {
        #expect(failure(status, body) == .providerRejected)
    }

    @Test(
        "a model that does not exist, or not for this account",
        arguments: [
            (
                "OpenAI", 404,
                #"{"error":{"message":"The model `gpt-9` does not exist or you do not have access to it.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#
            ),
            (
                "OpenAI", 403,
                #"{"error":{"message":"Project `proj_1` does not have access to model `o3`","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#
            ),
            (
                "Groq", 400,
                #"{"error":{"message":"The model `llama2-70b` has been decommissioned and is no longer supported.","type":"invalid_request_error","code":"model_decommissioned"}}"#
            ),
            (
                "Groq", 400,
                #"{"error":{"message":"The model `x` requires terms acceptance.","type":"invalid_request_error","code":"model_terms_required"}}"#
            ),
            (
                "DeepSeek", 400,
                #"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#
            ),
            ("Mistral", 400, #"{"object":"error","message":"Invalid model: mistral-x","type":"invalid_model","param":null,"code":"1500"}"#),
            ("OpenRouter", 400, #"{"error":{"message":"foo/bar is not a valid model ID","code":400}}"#),
            ("OpenRouter", 404, #"{"error":{"message":"No endpoints found for foo/bar.","code":404}}"#),
            (
                "Together", 400,
                #"{"error":{"message":"Unable to access non-serverless model x. Please create a dedicated endpoint.","type":"invalid_request_error","code":"model_not_available"}}"#
            ),
            ("Azure", 404, #"{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}"#),
            ("Bedrock", 400, #"{"message":"Invocation of model ID x with on-demand throughput isn’t supported."}"#),
            (
                "Hugging Face", 400,
                #"{"error":{"message":"The requested model 'x' is not supported by any provider you have enabled.","type":"invalid_request_error","param":"model","code":"model_not_supported"}}"#
            ),
            (
                "Gemini", 404,
                #"[{"error":{"code":404,"message":"models/x is not found for API version v1main, or is not supported for generateContent.","status":"NOT_FOUND"}}]"#
            ),
            (
                "Ollama", 404,
                #"{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#
            ),
            ("Anthropic", 404, #"{"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}}"#),
            (
                "Alibaba", 400,
                #"{"error":{"message":"Model not exist.","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#
            ),
        ])
    func model(provider: String, status: Int, body: String) {
        #expect(failure(status, body) == .notFound)
    }

    @Test(
        "a request that this model does not serve, while it serves others",
        arguments: [
            (
                "OpenRouter", 402,
                #"{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 16000 tokens, but can only afford 7217.","code":402,"metadata":{"limit_source":"openrouter_credits"}}}"#
            ),
            (
                "OpenRouter", 404,
                #"{"error":{"message":"No endpoints found that support tool use. To learn more about provider routing, visit: https://openrouter.ai/docs/provider-routing","code":404}}"#
            ),
            ("OpenRouter", 404, #"{"error":{"message":"No endpoints found that support image input","code":404}}"#),
            (
                "Ollama", 400,
                #"{"error":{"message":"registry.ollama.ai/library/gemma:2b does not support tools","type":"api_error","param":null,"code":null}}"#
            ),
            (
                "vLLM", 400,
                #"{"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}"#
            ),
            (
                "vLLM", 400,
                #"{"object":"error","message":"At most 0 image(s) may be provided in one prompt.","type":"BadRequestError","param":null,"code":400}"#
            ),
            (
                "OpenAI", 400,
                #"{"error":{"message":"Invalid content type. image_url is only supported by certain models.","type":"invalid_request_error","param":"messages.[0].content.[1].type","code":null}}"#
            ),
            (
                "OpenAI", 400,
                #"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#
            ),
            (
                "OpenAI", 400,
                #"{"error":{"message":"max_tokens is too large: 100000. This model supports at most 16384 completion tokens.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}"#
            ),
            (
                "DeepSeek", 422,
                "Failed to deserialize the JSON body into the target type: messages[0]: unknown variant `image_url`, expected `text`"
            ),
            (
                "llama.cpp", 500,
                #"{"error":{"code":500,"message":"image input is not supported - hint: if this is unexpected, you may need to provide the mmproj","type":"server_error"}}"#
            ),
            (
                "Gemma on Gemini", 400,
                #"[{"error":{"code":400,"message":"Developer instruction is not enabled for models/gemma-3-27b-it","status":"INVALID_ARGUMENT"}}]"#
            ),
            (
                "Anthropic", 400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens for claude-x"}}"#
            ),
            (
                "Anthropic", 400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"adaptive thinking is not supported on this model"}}"#
            ),
        ])
    func request(provider: String, status: Int, body: String) {
        #expect(failure(status, body) == .unsupported)
    }

    @Test(
        "a context that is too long, with any status but 429",
        arguments: [
            (
                "GitHub Models", 413,
                #"{"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o model. Max size: 8000 tokens.","details":"Request body too large for gpt-4o model. Max size: 8000 tokens."}}"#
            ),
            (
                "Anthropic", 400,
                #"{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 178959 + 64000 > 200000, decrease input length or `max_tokens` and try again"}}"#
            ),
            (
                "Copilot", 400,
                #"{"error":{"message":"prompt token count of 130389 exceeds the limit of 128000","code":"model_max_prompt_tokens_exceeded"}}"#
            ),
            ("llama.cpp", 400, #"{"error":{"code":400,"message":"Context size has been exceeded.","type":"invalid_request_error"}}"#),
            ("llama.cpp", 500, #"{"error":{"code":500,"message":"Context size has been exceeded.","type":"server_error"}}"#),
            (
                "vLLM", 400,
                #"{"error":{"message":"The decoder prompt (length 9216) is longer than the maximum model length of 8192. Make sure that `max_model_len` is no smaller than the number of text tokens plus multimodal tokens.","type":"BadRequestError","param":null,"code":400}}"#
            ),
            ("Bedrock", 400, #"{"error":{"message":"Input is too long for requested model.","type":"invalid_request_error"}}"#),
            (
                "SiliconFlow", 400,
                #"{"code":20015,"message":"length of prompt_tokens (40000) must be less than max_seq_len (32768).","data":null}"#
            ),
            ("Cohere", 400, #"{"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000."}"#),
            ("a proxy", 403, #"{"error":{"message":"the maximum context length is 1","code":403}}"#),
            ("a proxy", 404, #"{"error":{"message":"maximum context length"}}"#),
            ("FastAPI", 422, #"{"detail":[{"type":"value_error","loc":["body"],"msg":"Value error, maximum context length is 4096"}]}"#),
        ])
    func length(provider: String, status: Int, body: String) {
        #expect(failure(status, body) == .contextOverflow)
    }

    @Test(
        "a limit that passes by itself, with the wait that the text names",
        arguments: [
            (
                "OpenAI", 429,
                #"{"error":{"message":"Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 1.5s.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#,
                1500
            ),
            (
                "Groq", 429,
                #"{"error":{"message":"Rate limit reached for model `x` on requests per day (RPD): Limit 1000. Please try again in 6m0s.","type":"requests","code":"rate_limit_exceeded"}}"#,
                360_000
            ),
            (
                "Gemini, the words of a used-up quota", 429,
                #"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. Please retry in 31.5s.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"}]}}"#,
                31_500
            ),
            (
                "Gemini, with RetryInfo", 429,
                #"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"31s"}]}}"#,
                31_000
            ),
            (
                "Gemini, without a wait", 429,
                #"{"error":{"code":429,"message":"You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.","status":"RESOURCE_EXHAUSTED"}}"#,
                nil
            ),
            (
                "Azure", 429,
                #"{"error":{"code":"429","message":"Requests have exceeded call rate limit of your current tier. Please retry after 12 seconds."}}"#,
                12_000
            ),
            ("Bedrock", 400, #"{"message":"Too many tokens, please wait before trying again."}"#, nil),
            (
                "GitHub Models", 403,
                #"{"error":{"message":"You have exceeded a secondary rate limit. Please wait 2 minutes before you try again."}}"#, 120_000
            ),
            (
                "OpenRouter", 429,
                #"{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429}}"#,
                nil
            ),
            ("llama.cpp", 503, #"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#, nil),
            ("Hugging Face", 503, #"{"error":"Model x is currently loading","estimated_time":20.0}"#, 20_000),
        ] as [(String, Int, String, Int?)])
    func rate(provider: String, status: Int, body: String, wait: Int?) {
        let error = self.error(status, body)
        #expect(error.failure == .rateLimited)
        #expect(error.retryAfter == wait.map { .milliseconds($0) })
    }

    @Test(
        "words that a server repeats from the request say nothing about the account",
        arguments: [
            #"[{"type":"float_parsing","loc":["body","temperature"],"msg":"Input should be a valid number","input":"insufficient balance"}]"#,
            #"{"object":"error","message":"[{'type': 'float_parsing', 'msg': 'Input should be a valid number', 'input': 'insufficient balance'}]","type":"BadRequestError","code":400}"#,
            #"{"error":{"message":"Invalid value: 'invalid api key'. Supported values are: 'system', 'user'.","type":"invalid_request_error","code":"invalid_value"}}"#,
        ])
    func echoes(body: String) {
        #expect(failure(400, body) == .clientError)
    }

    @Test(
        "every part of a body is read, and what says most is the message",
        arguments: [
            (
                422,
                #"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":1}]},"type":"invalid_request_error","param":null,"code":null}"#,
                .unsupported, "Extra inputs are not permitted"
            ),
            (400, #"{"error":"Bad Request","message":"Insufficient balance"}"#, .providerRejected, "Insufficient balance"),
            (
                400, #"{"error":"invalid_request","error_description":"The access token is expired"}"#, .providerRejected,
                "The access token is expired"
            ),
            (400, #"{"message":"Bad Request","detail":"Insufficient balance"}"#, .providerRejected, "Insufficient balance"),
            (400, #"{"errors":[{"message":"Bad request"},{"message":"Insufficient balance"}]}"#, .providerRejected, "Bad request"),
            (400, #"{"statusCode":400,"error":"Bad Request","message":["no","Insufficient balance"]}"#, .providerRejected, "no"),
            (
                200, #"{"error_code":18,"error_msg":"Open api qps request limit reached"}"#, .rateLimited,
                "Open api qps request limit reached"
            ),
            (200, #"{"error":{"code":"1305","message":"该模型当前访问量过大，请您稍后再试"}}"#, .rateLimited, "该模型当前访问量过大，请您稍后再试"),
            (
                400, "<html><head><title>Error</title></head><body><h1 class=x>Invalid <b>API</b> key</h1></body></html>",
                .providerRejected,
                "the upstream responded with status 400 and a page of HTML: Error: Invalid API key"
            ),
        ] as [(Int, String, FailureClass, String)])
    func parts(status: Int, body: String, failure: FailureClass, message: String) {
        let error = self.error(status, body)
        #expect(error.failure == failure)
        #expect(error.message == message)
    }

    /// What every shape says.
    private static let refusal = "Your account has insufficient balance, please recharge"

    @Test(
        "a message is found in every shape, in a 400 and in a 200",
        arguments: [
            ("Apigee", #"{"fault":{"faultstring":"#, "}}"), ("Vapor", #"{"error":true,"reason":"#, "}"),
            ("OData", #"{"error":{"code":"bad","message":"fail","innererror":{"message":"#, "}}}"),
            ("Elasticsearch", #"{"error":{"type":"x","reason":"#, "}}"), ("WeChat", #"{"errcode":4,"errmsg":"#, "}"),
            ("a gateway", #"{"code":400,"msg":"fail","data":{"message":"#, "}}"), ("Spring", #"{"status":400,"exception":"#, "}"),
            ("RFC 9457", #"{"type":"about:blank","status":400,"title":"#, "}"),
            ("RFC 9457, with a detail", #"{"type":"about:blank","title":"Bad Request","status":400,"detail":"#, "}"),
            ("Node", #"{"error":{"message":"failed","cause":{"message":"#, "}}}"),
            ("iFlytek", #"{"header":{"code":10007,"message":"#, "}}"),
            ("Tencent", #"{"Response":{"RequestId":"1","Error":{"Code":"X","Message":"#, "}}}"),
            ("Volcengine", #"{"ResponseMetadata":{"RequestId":"1","Error":{"Code":"X","Message":"#, "}}}"),
            ("OAuth", #"{"error":"invalid","error_description":"#, "}"), ("a gateway", #"{"error":"bad","details":"#, "}"),
            ("a gateway", #"{"data":{"error":"#, "}}"), ("a gateway", #"{"result":{"error":{"message":"#, "}}}"),
        ])
    func shapes(provider: String, before: String, after: String) {
        for status in [200, 400] {
            let error = self.error(status, before + "\"\(Self.refusal)\"" + after)
            #expect(error.failure == .providerRejected, "\(status)")
            #expect(error.message.contains(Self.refusal), "\(status)")
        }
    }

    @Test(
        "in a failed response of an unknown shape the first sentence is the message, unless it repeats the request",
        arguments: [
            (#"{"ok":false,"info":{"text":"Your account has insufficient balance"}}"#, FailureClass.providerRejected),
            (#"{"failure":[{"at":"x","why":"Your account has insufficient balance"}]}"#, .providerRejected),
            (#"{"error":{"description":"Your account has insufficient balance"}}"#, .providerRejected),
            (#"{"status":{"code":400,"message":"Your account has insufficient balance"}}"#, .providerRejected),
            (#"{"ok":false,"request":{"prompt":"Your account has insufficient balance"}}"#, .clientError),
        ])
    func unknownShapes(body: String, failure: FailureClass) {
        let error = self.error(400, body)
        #expect(error.failure == failure)
        if failure == .providerRejected { #expect(error.message == "Your account has insufficient balance") }
    }

    @Test(
        "the result in an envelope and the news in an event are no failure",
        arguments: [
            #"{"code":0,"msg":"success","data":{"message":"invalid api key"}}"#, #"{"header":{"code":0,"message":"Success"},"payload":{}}"#,
            #"{"type":"info","data":{"message":"the model is loading"}}"#,
        ])
    func envelopes(event: String) throws {
        let bytes = Array("data: \(event)\n\n".utf8)
        var decoder = try provider.decoder(for: .sample(isStream: true), head: .eventStream), sink = ResponseSink()
        #expect(throws: Never.self) { try decoder.decode(bytes.span.bytes, into: &sink) }
    }

    @Test(
        "a code that the table doesn't know is read as words",
        arguments: [
            ("invalid_iam_token", FailureClass.providerRejected), ("token_expired", .providerRejected),
            ("account_unverified", .providerRejected), ("free_quota_exhausted", .providerRejected),
            ("FreeQuotaExhausted", .providerRejected),
            ("context_window_exceeded", .contextOverflow), ("PromptTooLong", .contextOverflow),
            ("Throttling.AllocationQuota", .rateLimited),
            ("invalid_value", .clientError), ("invalid_request_error", .clientError),
        ])
    func words(code: String, failure: FailureClass) {
        #expect(self.failure(400, #"{"error":{"message":"нет","code":"\#(code)"}}"#) == failure)
        #expect(self.failure(400, #"{"errors":[{"message":"нет","code":"\#(code)"}]}"#) == failure)
    }

    @Test("a message about a model counts before a code for a value")
    func verification() {
        let body = #"{"error":{"message":"Your organization must be verified to use the model `o3`.","code":"unsupported_value"}}"#
        #expect(failure(400, body) == .notFound)
        #expect(failure(400, #"{"error":{"message":"no","code":"unsupported_value","param":"stream"}}"#) == .unsupported)
    }

    @Test("the codes of a refusal of a model", arguments: ["no_access", "key_model_access_denied", "Model.AccessDenied"])
    func modelCodes(code: String) { #expect(failure(403, #"{"error":{"message":"no","code":"\#(code)"}}"#) == .notFound) }

    @Test("the codes of a refusal of an account", arguments: ["wrong_api_key", "NOT_ENOUGH_BALANCE", "ExpiredTokenException"])
    func accountCodes(code: String) { #expect(failure(400, #"{"error":{"message":"no","code":"\#(code)"}}"#) == .providerRejected) }

    @Test(
        "a string that is too long is about the context only in a message's content",
        arguments: [
            ("messages", true), ("input", true), ("messages[1].content", true), ("messages.[0].content.[1].text", true), ("user", false),
            ("messages[1].tool_calls[0].function.name", false), ("messages[1].name", false), ("tools[0].content", false),
        ])
    func longString(param: String, isLength: Bool) {
        let body = #"{"error":{"message":"string too long","param":"\#(param)","code":"string_above_max_length"}}"#
        #expect(failure(400, body) == (isLength ? .contextOverflow : .clientError))
    }

    @Test(
        "a wait in the body counts as it is, up to 30 days",
        arguments: [
            (#"{"error":{"message":"Rate limit reached. Please try again in 2 days."}}"#, 172_800),
            (#"{"error":{"message":"Rate limit reached","retry_after":90}}"#, 90), (#"{"message":"Rate limit","retry_after":"1m30s"}"#, 90),
            (#"{"error":{"message":"Rate limit"},"retry_after":7.0}"#, 7),
            (#"{"error":{"message":"Provider returned error","metadata":{"retry_after":345600}}}"#, 345_600),
            (#"{"message":"Rate limit","retry_after":999999999}"#, 2_592_000),
        ])
    func waits(body: String, seconds: Int) { #expect(error(429, body).retryAfter == .seconds(seconds)) }

    @Test("the upstream's own words are the message")
    func words() {
        #expect(
            error(
                403, #"{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported"}}"#
            ).message
                == "Country, region, or territory not supported")
        #expect(error(401, #"{"detail":"Unauthorized"}"#).message == "Unauthorized")
        #expect(
            error(403, "<html><title>\n 403  Forbidden</title></html>").message
                == "the upstream responded with status 403 and a page of HTML: 403 Forbidden")
    }

    private func failure(_ status: Int, _ body: String) -> FailureClass { error(status, body).failure }

    /// The error of a failed response, or of one with status 200 that contains an error.
    private func error(_ status: Int, _ body: String) -> ProviderError {
        let bytes = Array(body.utf8)
        guard status == 200 else { return provider.failure(head: UpstreamHead(status: status), body: bytes.span.bytes) }
        do throws(ProviderError) {
            var decoder = try provider.decoder(for: .sample(isStream: false), head: .json), sink = ResponseSink()
            try decoder.finish(bytes.span.bytes, into: &sink)
            return ProviderError(.cancelled, message: "the response was accepted")
        } catch { return error }
    }
}
