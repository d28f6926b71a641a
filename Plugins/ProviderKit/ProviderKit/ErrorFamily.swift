import Codecs

/// A phrase of an error message, in lower case.
struct Phrase: ExpressibleByStringLiteral, Sendable {
    /// The longest text that a `…` stands for, in bytes.
    private static let maxGap = 200

    private let parts: [[UInt8]]

    init(stringLiteral text: String) {
        parts = text.split(separator: "…").map { Array($0.utf8) }
    }

    /// - Parameter text: a text in lower case.
    func occurs(in text: [UInt8]) -> Bool {
        guard let first = parts.first else { return false }
        var start = 0
        while let found = TextSearch.find(first, in: text, from: start) {
            var end = found + first.count
            let isMatch = parts.dropFirst().allSatisfy { part in
                guard let next = TextSearch.find(part, in: text, from: end, gap: Self.maxGap) else { return false }
                end = next + part.count
                return true
            }
            if isMatch { return true }
            start = found + 1
        }
        return false
    }
}

/// The words with which upstreams say that one kind of thing is at fault. This table is the only place that knows them.
///
/// An upstream's status says little: a used-up quota is sent as 400, 402, 403 and 429, and a prompt that is too long as
/// 400, 413, 422 and 500. So the words are searched first, and the status decides only if they say nothing. The order
/// of the search is: the codes of all families, the phrases of all families, the generic codes of all families.
///
/// A code matches as a whole, a phrase anywhere in a message, and both in either case. A source in brackets is an issue
/// thread, or a list of another project, for what a provider doesn't document.
struct ErrorFamily: Sendable {
    let failure: FailureClass
    /// Codes, types, statuses and reasons, in lower case.
    var codes: Set<String> = []
    /// Phrases in lower case. `…` stands for at most 200 bytes of any text.
    var phrases: [Phrase] = []
    /// Codes that are also sent for other causes, so that phrases come before them.
    var genericCodes: Set<String> = []
    /// Statuses with which these words mean something else.
    var ignoredStatuses: Set<Int> = []

    /// In the order in which they are searched.
    static let all = [malformed, unsupported, model, rate, account, length, filter]

    /// The request itself is malformed, in words that would otherwise look like another family's.
    private static let malformed = ErrorFamily(
        failure: .clientError,
        codes: ["missing_required_parameter"],
        phrases: [
            // OpenAI, about the client's own schema
            "invalid schema for response_format",
            // OpenAI: "'messages' must contain the word 'json' in some form, to use 'response_format' of type
            // 'json_object'."
            "must contain the word 'json'",
        ],
        genericCodes: [])

    /// The model can't serve this request, and serves others: nothing cools down.
    private static let unsupported = ErrorFamily(
        failure: .unsupported,
        codes: [
            // OpenAI's error codes, with the parameter in `param`; Groq, as `code`
            "unsupported_parameter", "unsupported_value", "unsupported_format", "unknown_parameter",
            // Groq: the model failed to write the JSON or the tool call that was requested [issue threads of its
            // clients]
            "json_validate_failed", "tool_use_failed",
            // OpenRouter's APIErrorType
            "unsupported_modality", "unsupported_feature",
        ],
        phrases: [
            // OpenRouter, 402: "This request requires more credits, or fewer max_tokens. You requested up to 16000
            // tokens, but can only afford 7217." [maxx#818]
            "fewer max_tokens", "can only afford",
            // OpenRouter, 404: "No endpoints found that support tool use." (image input, the requested parameters, …)
            // [routstr-core#554]
            "no endpoints found that support", "no endpoints found that can handle",
            // Ollama: "registry.ollama.ai/library/gemma:2b does not support tools"; "… does not support thinking"
            "does not support tools", "does not support thinking", "does not support function", "does not support vision",
            "does not support image", "does not support audio", "does not support video", "does not support multimodal",
            "does not support system", "does not support assistant message prefill", "does not support stream",
            "does not support parameter", "does not support the parameter",
            // Groq, Fireworks, Together: "`tool calling` is not supported with this model"
            "is not supported with this model", "is not supported by this model", "not supported for this model",
            "are not supported with this model", "are not supported by this model", "isn't supported by this model",
            // vLLM: "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"
            "tool choice requires", "tools are not supported", "tool use is not supported", "function calling is not supported",
            // OpenAI: "Invalid content type. image_url is only supported by certain models."
            "only supported by certain models",
            // vLLM: "… is not a multimodal model", "At most 0 image(s) may be provided in one prompt."
            "is not a multimodal model", "at most 0 image", "at most 0 audio", "at most 0 video",
            // llama.cpp: "image input is not supported - hint: if this is unexpected, you may need to provide the
            // mmproj"
            "image input is not supported", "audio input is not supported", "images are not supported", "image inputs are not supported",
            // DeepSeek: "unknown variant `image_url`, expected `text`"
            "unknown variant `image_url`", "unknown variant `input_audio`", "unknown variant `file`",
            // Gemma on Gemini's API: "Developer instruction is not enabled for models/gemma-3-27b-it"; "Function
            // calling is …"
            "is not enabled for models/",
            // Anthropic: "adaptive thinking is not supported on this model", "… Extra inputs are not permitted"
            "thinking is not supported", "thinking.type.enabled", "extra inputs are not permitted",
            // OpenAI: "Unsupported parameter: 'max_tokens' is not supported with this model.",
            // "Unrecognized request argument supplied: …"
            "unsupported parameter", "unsupported value", "unrecognized request argument", "unknown parameter",
            // OpenAI: "max_tokens is too large: 100000. This model supports at most 16384 completion tokens";
            // Anthropic: "max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens"; DeepSeek:
            // "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"; Groq: "`max_tokens` must be less
            // than or equal to `8192`"
            "max_tokens is too large", "maximum allowed number of output tokens", "valid range of max_tokens",
            "`max_tokens` must be less than or equal to", "supports at most…completion tokens",
            // OpenAI: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model",
            // without `param` [langchain-ai/langchain#31490]
            "invalid parameter: 'response_format' of type", "response_format is not supported", "'response_format' is not supported",
            // DeepSeek: "This response_format type is unavailable now"; LM Studio: "'response_format.type' must be
            // 'json_schema' or 'text'"; Groq: "This model does not support response format `json_schema`."
            "response_format type is unavailable", "'response_format.type' must be", "does not support response format",
            "json mode is not supported", "structured output is not supported", "structured outputs are not supported",
        ])

    /// The model does not exist, or not for this account.
    private static let model = ErrorFamily(
        failure: .notFound,
        codes: [
            // OpenAI, Groq, xAI, DashScope; Groq and OpenAI for retired models
            "model_not_found", "model_decommissioned", "model_deprecated", "unknown_model", "model_not_exist", "invalid_model",
            // Azure; Volcengine; Copilot and Hugging Face; Groq: terms of a model that nobody accepted
            "deploymentnotfound", "deployment_not_found", "modelnotopen", "invalidendpointormodel.notfound", "model_not_supported",
            "model_not_available", "model_terms_required", "model_permission_blocked_project", "model_permission_blocked_org",
        ],
        phrases: [
            // OpenAI: "The model `x` does not exist or you do not have access to it."; "Project `x` does not have
            // access to model `x`"; Bedrock: "You don't have access to the model with the specified model ID."
            "model…does not exist", "does not have access to model", "have access to the model", "have access to model",
            "not available to your account",
            // DeepSeek, DashScope: "Model Not Exist"; Ollama: "model \"x\" not found, try pulling it first";
            // llama-swap, vLLM
            "model not exist", "model…not found", "no such model", "unknown model", "unrecognized model",
            // OpenRouter: "x is not a valid model ID", "No endpoints found for x.", "No allowed providers are available
            // for the selected model."
            "is not a valid model", "no endpoints found", "no allowed providers are available",
            // Groq: "The model `x` has been decommissioned and is no longer supported."; OpenAI: "… has been
            // deprecated"
            "has been decommissioned", "model…has been deprecated", "model…has been retired", "model…is no longer", "model…was retired",
            // Gemini: "models/x is not found for API version v1beta"; "This model … is no longer available to new
            // users"
            "is not found for api version", "no longer available to new users",
            // Azure: "The API deployment for this resource does not exist."
            "deployment for this resource does not exist",
            // Together: "Unable to access non-serverless model x"; Mistral: "Invalid model: x"; Hugging Face: "Model x
            // is not supported by provider y", "The requested model 'x' is not supported by any provider you have
            // enabled."
            "unable to access non-serverless model", "unable to access model", "invalid model:", "invalid model name",
            "not supported by provider", "not supported by any provider", "requested model is not supported",
            // Bedrock: "Invocation of model ID x with on-demand throughput isn't supported."
            "on-demand throughput isn", "provided model identifier is invalid",
            // Groq: "The model `x` requires terms acceptance."
            "requires terms acceptance", "model is not available", "model is currently not available", "model is unavailable",
            // OpenRouter: "This model is not available in your region."
            "model is not available in your",
        ],
        genericCodes: ["not_found", "not_found_error", "notfounderror"])

    /// Too many requests, or a model that is still loading: it passes by itself. With a 413 the request alone is over
    /// the limit, so waiting does not help.
    private static let rate = ErrorFamily(
        failure: .rateLimited,
        codes: ["throttling.ratequota", "throttling.burstrate", "throttlingexception", "modelnotreadyexception"],
        phrases: [
            "rate limit", "rate_limit", "ratelimit", "rate-limit", "too many requests", "request limit exceeded", "requests per minute",
            "tokens per minute", "requests per day", "(tpm)", "(rpm)", "(rpd)", "(tpd)",
            // Gemini sends the same text as for a used-up quota, with a link to the page about limits
            "gemini-api/docs/rate-limits", "quota exceeded for metric", "quota exceeded for quota metric",
            // Bedrock: "Too many tokens, please wait before trying again."
            "please wait before trying again", "throttled",
            // z.ai, Alibaba: "concurrency"
            "too many concurrent", "concurrency limit", "high concurrency",
            // llama.cpp, 503: "Loading model"; Hugging Face: "Model x is currently loading"; Ollama; LM Studio
            "loading model", "is currently loading", "model is loading", "model is still loading", "model is warming up",
        ],
        genericCodes: [
            // OpenAI's code and type; Anthropic's; Google's status; Azure's; Bedrock's
            "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "tokens", "requests", "too_many_requests",
            "toomanyrequests", "resource_exhausted", "throttling", "429",
        ],
        ignoredStatuses: [413])

    /// The provider refuses the router's key or account: every model of the provider is affected.
    private static let account = ErrorFamily(
        failure: .providerRejected,
        codes: [
            // OpenAI's error codes guide
            "invalid_api_key", "incorrect_api_key", "insufficient_quota", "billing_not_active", "billing_hard_limit_reached",
            "account_deactivated", "invalid_organization", "ip_not_authorized", "unsupported_country_region_territory",
            "access_terminated",
            // Groq; Anthropic; OpenRouter's APIErrorType; Together
            "organization_restricted", "organization_deleted", "blocked_api_access", "spend_limit_reached", "billing_error",
            "payment_required", "insufficient_credits", "credit_limit", "account_suspended", "expired_api_key",
            // Google's `reason`
            "api_key_invalid", "api_key_expired", "api_key_service_blocked", "api_key_http_referrer_blocked",
            "api_key_ip_address_blocked", "service_disabled", "billing_disabled", "consumer_suspended", "consumer_invalid",
            // Moonshot, DeepSeek and Alibaba, Volcengine, new-api, LiteLLM's proxy
            "exceeded_current_quota_error", "invalid_authentication_error", "insufficient_balance", "arrearage", "invalidapikey",
            "accountoverdueerror", "insufficient_user_quota", "pre_consume_token_quota_failed", "budget_exceeded",
            "allocationquota.freetieronly", "authenticationerror", "invalid_token",
        ],
        phrases: [
            // Keys. OpenAI: "Incorrect API key provided"; Gemini: "API key not valid", "API key expired"; Anthropic:
            // "invalid x-api-key"; DeepSeek: "Authentication Fails, Your api key: … is invalid"; OpenRouter: "No auth
            // credentials found"
            "incorrect api key", "invalid api key", "api key not valid", "invalid x-api-key", "invalid api-key", "invalid apikey",
            "api key is invalid", "api key:…is invalid", "api key expired", "api key has expired", "api key is expired", "expired api key",
            "api key is missing", "missing api key", "api key has been", "api key was reported as leaked", "invalid bearer token",
            "invalid authentication", "authentication fails", "authentication failed", "no auth credentials", "user not found.",
            "key limit exceeded", "access token…expired", "api key is disabled", "api key not found",
            // Credit and quota. Anthropic: "Your credit balance is too low"; DeepSeek: "Insufficient Balance";
            // SiliconFlow: "your account balance is insufficient"; OpenRouter: "Insufficient credits"; xAI: "used all
            // available credits or reached its monthly spending limit"; Hugging Face: "exceeded your monthly included
            // credits"; Gemini: "prepayment credits are depleted"; z.ai, 1113: "Insufficient balance or no resource
            // package"
            "credit balance is too low", "insufficient balance", "balance is insufficient", "balance is not enough", "insufficient credit",
            "insufficient fund", "insufficient quota", "not enough credits", "out of credits", "no credits", "no remaining credits",
            "credits are depleted", "credits have been depleted", "credits exhausted", "credits have been exhausted",
            "used all available credits", "included credits", "exceeded your current quota", "quota has been exhausted",
            "quota is exhausted", "quota has been used up", "free quota", "free tier of the model has been exhausted",
            "requires more credits",
            "add more credits", "add credits", "purchase credits", "purchase more credits", "top up", "recharge", "payment required",
            "payment method", "billing hard limit", "billing is not active", "billing not active", "billing account",
            "check your plan and billing",
            // Limits of spending. Anthropic: "You have reached your specified API usage limits."; Gemini: "exceeded its
            // monthly spending cap"; LiteLLM: "Budget has been exceeded"
            "spending limit", "spend limit", "spending cap", "spend cap", "specified api usage limits", "monthly usage limit",
            "monthly limit", "budget has been exceeded", "exceeded budget", "usage limit for your plan",
            // Region. OpenAI: "Country, region, or territory not supported"; Gemini: "User location is not supported
            // for the API use."; Anthropic: "… is not available in your country"
            "region, or territory not supported", "location is not supported", "not available in your country",
            "not available in your region", "not available in your location", "not supported in your country",
            "not supported in your region", "unsupported country", "unsupported region", "country is not supported",
            // Accounts. Groq: "Organization has been restricted."; Anthropic: "This organization has been disabled.";
            // Google: "Consumer … has been suspended."; OpenAI: "Your account is not active"
            "organization has been", "organization is disabled", "organization must be verified", "account has been",
            "account is not active",
            "account is suspended", "account is disabled", "account is blocked", "account is deactivated", "account…is suspended",
            "has been suspended", "has been banned", "user is banned", "project has been denied access", "access terminated",
            "account is in good standing", "account is overdue", "overdue payment", "ip address is not allowed", "ip not authorized",
            "欠费", "余额不足", "账户已", "无效的令牌", "令牌已过期", "额度不足", "额度已用尽",
        ],
        genericCodes: [
            // Anthropic's types; Google's statuses; NVIDIA's and others' words for 401 and 403
            "authentication_error", "permission_error", "permission_denied", "permissiondenied", "unauthenticated", "unauthorized",
            "forbidden", "access_denied", "accessdenied", "accessdeniedexception", "quota_exceeded",
        ])

    /// The prompt is too long. A 429 with such words is about the tokens of a minute.
    private static let length = ErrorFamily(
        failure: .contextOverflow,
        codes: [
            // OpenAI's error codes guide; Azure, Groq [OpenHands#1902], OpenRouter's APIErrorType
            "context_length_exceeded",
            // llama.cpp, tools/server, as `type`
            "exceed_context_size_error",
            // Anthropic's errors guide, 413; OpenRouter's APIErrorType, 413, and for a single message over a provider's
            // limit
            "request_too_large", "payload_too_large", "string_too_long",
            // GitHub Models, 413 [cline#995]; Copilot [opencode#2464]; z.ai [pi-mono, overflow.ts]
            "tokens_limit_reached", "model_max_prompt_tokens_exceeded", "model_context_window_exceeded",
        ],
        phrases: [
            // OpenAI, vLLM, DeepSeek: "This model's maximum context length is 4096 tokens."; OpenRouter: "This
            // endpoint's …"; Mistral: "too large for model with 131072 maximum context length"
            "maximum context length", "max context length", "maximum context size", "context length exceeded", "exceeds context length",
            "exceed context length",
            // OpenAI: "Your input exceeds the context window of this model"
            "exceeds the context window", "exceeds context window", "exceed the context window", "context window exceeded",
            "context window exceeds limit", "outside the context window",
            // Gemini: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."
            "exceeds the maximum number of tokens", "exceed the maximum number of tokens", "exceeded the maximum number of tokens",
            // xAI: "This model's maximum prompt length is 131072 but the request contains 537812 tokens"
            "maximum prompt length", "maximum input length", "maximum allowed input length", "maximum sequence length",
            // Groq and Cerebras: "Please reduce the length of the messages or completion."; Groq's 413 [continue#10218]
            "reduce the length of the messages", "reduce the length of your", "reduce your message size", "reduce your prompt",
            "decrease input length",
            // Together: "The input (265330 tokens) is longer than the model's context length (262144 tokens)."; vLLM:
            // "The decoder prompt (length 9216) is longer than the maximum model length of 8192."; NIM, SGLang
            "longer than the model's context length", "longer than the maximum model length", "longer than the maximum",
            "longer than the context",
            // text-generation-inference, router/src/validation.rs
            "`inputs` tokens + `max_new_tokens` must be", "`inputs` must have less than",
            // llama.cpp: "request (9412 tokens) exceeds the available context size (8192 tokens)"; "Context size has
            // been exceeded." [llama.cpp#19774]; "the request exceeds the context size"
            "exceeds the available context", "context size has been exceeded", "exceeds the context size", "context size exceeded",
            "larger than the context",
            // Ollama: "prompt too long; exceeded max context length by 4 tokens"; "input length exceeds the context
            // length"
            "prompt too long", "exceeds the context length", "exceeded the context length", "exceeds maximum context",
            // LM Studio, in two versions
            "greater than the context length", "with context length of only",
            // Anthropic: "prompt is too long: 213462 tokens > 200000 maximum"; "input length and `max_tokens` exceed
            // context limit" [docker-agent#569]
            "prompt is too long", "exceed context limit", "exceeds context limit", "exceeds the context limit",
            // Bedrock: "Input is too long for requested model."
            "input is too long", "inputs are too long", "input too long", "request is too long", "message is too long",
            "too long for…model",
            // Copilot: "prompt token count of 130389 exceeds the limit of 128000"
            "prompt token count of…exceeds", "token count…exceeds", "prompt tokens…exceed",
            // SiliconFlow: "length of prompt_tokens (40000) must be less than max_seq_len (32768)."
            "must be less than max_seq_len", "max_seq_len",
            // GitHub Models: "Request body too large for gpt-4o model. Max size: 8000 tokens."
            "too large for…model. max size", "max size:…tokens",
            // Cohere: "too many tokens: total number of tokens in the prompt cannot exceed 4081"
            "too many tokens", "tokens in the prompt cannot exceed", "token limit exceeded", "exceeds the token limit",
            "exceeded token limit", "exceeds the limit of…tokens",
            // Moonshot, MiniMax, z.ai, Alibaba [pi-mono, overflow.ts]; Baidu; Volcengine
            "exceeded model token limit", "tokens in request more than max tokens allowed", "prompt exceeds max length",
            "range of input length should be", "prompt tokens too long", "exceed max message tokens", "输入过长", "超出最大长度",
        ],
        ignoredStatuses: [429])

    /// A content filter has stopped the request or the response.
    private static let filter = ErrorFamily(
        failure: .contentFilter,
        codes: [
            // Azure OpenAI's content filtering guide: `code`, and `innererror.code`
            "content_filter", "responsibleaipolicyviolation",
            // OpenAI; OpenRouter's APIErrorType, with `refusal`
            "content_policy_violation", "refusal", "moderation_blocked", "image_generation_user_error",
            // Alibaba's Model Studio, new-api [lobe-chat, error patterns]; Volcengine
            "data_inspection_failed", "datainspectionfailed", "sensitive_words_detected", "sensitivecontentdetected",
            "inputtextsensitivecontentdetected", "outputtextsensitivecontentdetected",
        ],
        phrases: [
            // Azure: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
            "content management policy", "content filter", "content_filter", "content policy", "content filtering policy",
            // DeepSeek's only message for it, with the code `invalid_request_error`
            "content exists risk",
            // xAI, a 400 or 403: "Content violates usage guidelines." [new-api, violation_fee.go]
            "violates usage guidelines", "violates our usage", "violates the usage policy",
            // OpenAI: "your prompt was flagged as potentially violating our usage policy", "as a result of our safety
            // system" [litellm, exception_mapping_utils.py]
            "violating our usage policy", "result of our safety system", "rejected by the safety system", "input was flagged",
            "content was flagged", "flagged by moderation",
            // Anthropic: "Output blocked by content filtering policy"; Gemini: "The prompt was blocked"; Moonshot: "The
            // request was rejected because it was considered high risk"
            "prompt was blocked", "blocked by safety", "considered high risk", "prohibited content",
            // Alibaba: "Input data may contain inappropriate content."; z.ai, 1301: "may contain unsafe or sensitive
            // content"
            "inappropriate content", "sensitive content", "unsafe or sensitive", "不安全或敏感内容", "敏感词",
            // Bedrock: "The guardrail intervened"
            "guardrail intervened",
        ])
}
