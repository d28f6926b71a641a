/// The words with which upstreams say that one kind of thing is at fault. This table is the only place that knows them.
///
/// An upstream's status says little: a used-up quota is sent as 400, 402, 403 and 429, and a prompt that is too long as
/// 400, 413, 422 and 500. So the words are searched first, and the status decides only if they say nothing. The order
/// of the search is: the codes of all families, the phrases of all families, the generic codes of all families.
///
/// A code matches as a whole, a ``Phrase`` anywhere in a message, and both in either case. A source in brackets is an
/// issue thread, or a list of another project, for what a provider doesn't document.
struct ErrorFamily: Sendable {
    let failure: FailureClass
    /// Codes, types, statuses and reasons, in lower case.
    var codes: Set<String> = []
    /// The phrases, of which the signs are described at ``Phrase``.
    var phrases: [Phrase] = []
    /// Codes that are also sent for other causes, so that phrases come before them.
    var genericCodes: Set<String> = []
    /// Whether the phrases are also searched for in what a message quotes from the request. False where a client could
    /// make an upstream say them, and with that stop everyone's requests.
    var includesQuotes = false
    /// The only statuses with which these words mean this; nil for any.
    var onlyStatuses: Set<Int>?
    /// Statuses with which these words mean something else.
    var ignoredStatuses: Set<Int> = []

    /// In the order in which they are searched: what is specific first.
    static let all = [
        malformed, broken, credit, unsupported, model, oversized, rate, account, modelAccess, modelRefused, length, filter,
        generallyUnsupported,
    ]

    /// Whether these words count with a status. Without a status all of them count.
    func counts(with status: Int?) -> Bool {
        guard let status else { return true }
        return !ignoredStatuses.contains(status) && onlyStatuses?.contains(status) ?? true
    }

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
        includesQuotes: true)

    /// The server can't load the model, which doesn't pass by itself.
    private static let broken = ErrorFamily(
        failure: .upstreamError,
        phrases: [
            // Ollama: "llama runner process has terminated: error loading model"; "unable to load model: /data"
            // [ollama#10930, ollama#11710]
            "llama runner process has terminated", "error|failed|unable _ loading|load _ model", "error|failed|unable to load _ model",
        ])

    /// The request needs more than the remaining credit, and a smaller one does not.
    private static let credit = ErrorFamily(
        failure: .unsupported,
        phrases: [
            // OpenRouter: "Prompt tokens limit exceeded: 32100 > 20221. To increase, visit …/settings/credits"
            "token limit exceeded"
        ],
        onlyStatuses: [402])

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
            "does|do not _ support _ tool|thinking|function|vision|image|audio|video|multimodal|system|assistant|stream|parameter",
            // Groq, Fireworks, Together: "`tool calling` is not supported with this model"
            "not _ supported|available|enabled|allowed with|by|for|on this model",
            // vLLM: "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"
            "tool choice requires", "tools not supported", "tools are not supported", "tool use is not supported",
            "function calling is not supported",
            // OpenAI: "Invalid content type. image_url is only supported by certain models."
            "only supported by certain models",
            // vLLM: "… is not a multimodal model", "At most 0 image(s) may be provided in one prompt."
            "is not a multimodal model", "at most 0 image", "at most 0 audio", "at most 0 video",
            // llama.cpp: "image input is not supported - hint: if this is unexpected, you may need to provide the
            // mmproj"
            "image|audio input|inputs is|are not supported", "images are not supported",
            // DeepSeek: "unknown variant `image_url`, expected `text`"
            "unknown variant `image_url`", "unknown variant `input_audio`", "unknown variant `file`",
            // Gemma on Gemini's API: "Developer instruction is not enabled for models/gemma-3-27b-it"; "Function
            // calling is …"
            "is not enabled for models",
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
            "`max_tokens` must be less than or equal to", "supports at most … completion tokens",
            // OpenAI: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model",
            // without `param` [langchain-ai/langchain#31490]
            "invalid parameter: 'response_format' of type", "response_format is not supported", "'response_format' is not supported",
            // DeepSeek: "This response_format type is unavailable now"; LM Studio: "'response_format.type' must be
            // 'json_schema' or 'text'"; Groq: "This model does not support response format `json_schema`."
            "response_format type is unavailable", "'response_format.type' must be", "does not support response format",
            "json mode is not supported", "enabled only for api version|versions", "structured output is not supported",
            // OpenAI: "Your organization must be verified to stream this model."
            "verified to stream",
            // llama.cpp: "tools param requires --jinja flag"
            "param requires _ flag",
            // Gemini: "Invalid JSON payload received. Unknown name \"seed\": Cannot find field."
            "unknown name … cannot find field",
            // Moonshot: "invalid temperature: only 1 is allowed for this model" [bike4mind#1089]
            "only _ is|are allowed|supported", "only the default … is supported",
            // Alibaba: "This model only support stream mode"; "parameter.enable_thinking must be set to false for
            // non-streaming calls"
            "only support stream|streaming", "must be set to true|false",
            // SiliconFlow: "The model is not a VLM (Vision Language Model)."
            "is not a _ vlm|vision|multimodal",
            // Anthropic: "`temperature` and `top_p` cannot both be specified for this model."
            "cannot _ be specified|used|set|combined … this model", "cannot both be specified|used|set",
        ],
        includesQuotes: true)

    /// The model does not exist, or not for this account.
    private static let model = ErrorFamily(
        failure: .notFound,
        codes: [
            // OpenAI, Groq, xAI, DashScope; Groq and OpenAI for retired models
            "model_not_found", "model_decommissioned", "model_deprecated", "unknown_model", "model_not_exist", "invalid_model",
            // Azure; Volcengine; Copilot and Hugging Face; Groq: terms of a model that nobody accepted
            "deploymentnotfound", "deployment_not_found", "modelnotopen", "invalidendpointormodel.notfound", "model_not_supported",
            "model_not_available", "model_terms_required", "model_permission_blocked_project", "model_permission_blocked_org",
            // LiteLLM's proxy [opencode#358]; GitHub Models; Alibaba [qwen-code#3424]
            "key_model_access_denied", "no_access", "model.accessdenied", "modeldeprecated", "accessdenied.unpurchased",
        ],
        phrases: [
            // OpenAI: "The model `x` does not exist or you do not have access to it."; "Project `x` does not have
            // access to model `x`"; Bedrock: "You don't have access to the model with the specified model ID."
            "model _ does not exist", "model or endpoint _ does not exist", "not have access to _ model",
            "not available to your account",
            // DeepSeek, DashScope: "Model Not Exist"; Ollama: "model \"x\" not found, try pulling it first";
            // llama-swap, vLLM
            "model not exist", "model _ not found", "model _ is|was not found", "model _ could not be found", "no such model",
            "unknown model", "unrecognized model",
            // OpenRouter: "x is not a valid model ID", "No endpoints found for x.", "No allowed providers are available
            // for the selected model."
            "is not a valid model", "no endpoints found", "no allowed providers are available",
            // Groq: "The model `x` has been decommissioned and is no longer supported."; OpenAI: "… has been
            // deprecated"
            "has been decommissioned", "model … is no longer",
            "model … has been deprecated|retired|removed|discontinued", "model … was|is deprecated|retired|removed|discontinued",
            "model|endpoint … has been shut down",
            // Bedrock: "This model version has reached the end of its life."; Cohere: "model 'x' was removed on …"
            "reached the|its end of life", "reached the end of its life", "was removed on",
            // OpenAI: "This is not a chat model and thus not supported in the v1/chat/completions endpoint."; "This
            // model is only supported in v1/responses"; Azure: "The operation does not work with the specified model"
            "not a chat model", "only supported in v1", "does not work with the specified model",
            // LM Studio; z.ai; new-api: no channel for the model
            "no models loaded", "模型不存在", "无可用渠道",
            // Volcengine: "Your account has reached the set inference limit for the x model"
            "reached the set inference limit",
            // Gemini: "models/x is not found for API version v1beta"; "This model … is no longer available to new
            // users"
            "is not found for api version", "no longer available to new users",
            // Azure: "The API deployment for this resource does not exist."
            "deployment for this resource does not exist",
            // Together: "Unable to access non-serverless model x"; Mistral: "Invalid model: x"; Hugging Face: "Model x
            // is not supported by provider y", "The requested model 'x' is not supported by any provider you have
            // enabled."
            "unable to access _ model", "invalid model _ $", "invalid model name",
            "not supported by provider", "not supported by any provider", "requested|specified model _ is not supported",
            "^ model _ is not supported $", "^ the model _ is not supported $",
            // Bedrock: "Invocation of model ID x with on-demand throughput isn't supported."
            "on-demand throughput is not", "provided model identifier is invalid",
            // Groq: "The model `x` requires terms acceptance."
            "requires terms acceptance", "model is _ not available", "model is unavailable",
            // OpenRouter: "This model is not available in your region."
            "model is not available in your",
        ],
        genericCodes: ["not_found", "not_found_error", "notfounderror"])

    /// One request over the limit of a minute: it never passes, however long one waits, so it is sent as a 413 too.
    private static let oversized = ErrorFamily(
        failure: .contextOverflow,
        phrases: [
            // OpenAI and Groq: "Request too large for gpt-4o in organization … on tokens per min (TPM): Limit 30000,
            // Requested 45000."
            "request too large"
        ])

    /// Too many requests, or a model that is still loading: it passes by itself. With a 413 the request alone is over
    /// the limit, so waiting does not help.
    private static let rate = ErrorFamily(
        failure: .rateLimited,
        codes: ["throttling.ratequota", "throttling.burstrate", "throttlingexception", "modelnotreadyexception"],
        phrases: [
            "rate limit|limiting", "ratelimit", "too many requests", "request limit exceeded|reached",
            "requests|tokens per minute|hour|day",
            "tpm", "rpm", "rpd", "tpd",
            // Gemini sends the same text as for a used-up quota, with a link to the page about limits
            "gemini-api/docs/rate-limits", "quota exceeded for metric", "quota exceeded for quota metric",
            // Bedrock: "Too many tokens, please wait before trying again."
            "please wait before trying again", "throttled",
            // z.ai, Alibaba: "concurrency"
            "too many concurrent", "concurrency limit", "high concurrency", "并发数过高", "访问量过大",
            // llama.cpp, 503: "Loading model"; Hugging Face: "Model x is currently loading"; Ollama; LM Studio
            "loading model", "is currently loading", "model is loading", "model is still loading", "model is warming up",
            // Ollama: "server busy, please try again. maximum pending requests exceeded"; SiliconFlow: "Model service
            // overloaded."; Groq, 498; Cloudflare: "Capacity temporarily exceeded"
            "server busy", "pending requests exceeded", "service overloaded", "service is overloaded", "capacity _ exceeded",
        ],
        genericCodes: [
            // OpenAI's code and type; Anthropic's; Google's status; Azure's; Bedrock's
            "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "tokens", "requests", "too_many_requests",
            "toomanyrequests", "resource_exhausted", "throttling", "429", "capacity_exceeded",
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
            // Cerebras; Bedrock; Novita
            "wrong_api_key", "expiredtokenexception", "not_enough_balance",
        ],
        phrases: [
            // Keys. OpenAI: "Incorrect API key provided"; Gemini: "API key not valid", "API key expired"; Anthropic:
            // "invalid x-api-key"; DeepSeek: "Authentication Fails, Your api key: … is invalid"; OpenRouter: "No auth
            // credentials found"
            "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked _ api|subscription key|token", "invalid x-api-key",
            "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked apikey", "api key has been",
            "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked access|auth|bearer|security|authentication key|token",
            "invalid|unknown|expired|revoked|bad|missing|no _ credential|credentials", "^ invalid token $", "invalid username or password",
            "api key not valid|found", "api key _ expired",
            "api|access|subscription key|token … is|has|was … invalid|expired|missing|disabled|blocked|revoked|leaked|suspended|deactivated",
            "access|security|bearer|auth token … invalid|expired|revoked", "invalid authentication", "authentication error|fails|failed",
            "user not found", "no permission to access data", "key limit exceeded", "secret key in the",
            // Credit and quota. Anthropic: "Your credit balance is too low"; DeepSeek: "Insufficient Balance";
            // SiliconFlow: "your account balance is insufficient"; OpenRouter: "Insufficient credits"; xAI: "used all
            // available credits or reached its monthly spending limit"; Hugging Face: "exceeded your monthly included
            // credits"; Gemini: "prepayment credits are depleted"; z.ai, 1113: "Insufficient balance or no resource
            // package"
            "credit balance is too low", "insufficient _ balance|credit|fund|quota", "balance is insufficient", "balance is not enough",
            "not enough _ balance|credit|fund|quota", "out of credits", "no credits", "no remaining credits", "credits expired",
            "have any credits", "account balance is", "overdue balance", "never purchased credits", "valid credit card",
            "credits are depleted", "credits have been depleted", "credits exhausted", "credits have been exhausted",
            "used all available credits", "included credits", "exceeded your _ quota", "quota has been exhausted",
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
            "organization has been", "organization is disabled", "account has been", "access was terminated",
            "account is not active",
            "account … is suspended|disabled|blocked|deactivated|overdue",
            "has been suspended", "has been banned", "user is banned", "project has been denied access", "access terminated",
            "account is in good standing", "overdue payment", "ip address is not allowed", "ip not authorized",
            "欠费", "余额不足", "账户已", "无效的令牌", "令牌已过期", "额度不足", "额度已用尽", "身份验证失败",
        ],
        genericCodes: [
            // Anthropic's types; Google's statuses; NVIDIA's and others' words for 401 and 403
            "authentication_error", "permission_error", "permission_denied", "permissiondenied", "unauthenticated", "unauthorized",
            "forbidden", "access_denied", "accessdenied", "accessdeniedexception", "quota_exceeded",
        ])

    /// The account may not use this model, and may use others. The words of a refused account come first.
    private static let modelAccess = ErrorFamily(
        failure: .notFound,
        phrases: [
            // OpenAI: "Your organization must be verified to use the model `o3`."
            "verified to use _ model",
            // Alibaba: "Access to model denied."; Hugging Face: "Access to model x is restricted and you are not in the
            // authorized list."; LiteLLM's proxy: "key not allowed to access model x"; GitHub Models: "No access to
            // model: o3"; Moonshot: "Not found the model x or Permission denied"; Bedrock: "Model access is denied due
            // to IAM …"; SiliconFlow: "Model disabled."
            "access to … model … denied|restricted|forbidden", "no access to _ model", "not found the model",
            "not _ allowed|authorized|permitted to access|use|sample|call|invoke … model", "model access _ denied", "model disabled $",
            // OpenRouter: "OpenAI is requiring a key to access this model"; "Public API Endpoints for model x are
            // disabled"
            "key to access _ model", "endpoints for model _ are disabled", "model _ is not allowed|permitted|enabled|activated for",
            "not activated the model",
            // z.ai, 1220; new-api
            "无权访问", "无权使用模型",
        ])

    /// A refusal that names a model, in any words.
    private static let modelRefused = ErrorFamily(
        failure: .notFound,
        phrases: ["access … model", "not … model", "model … not|denied|restricted|disabled|blocked|forbidden|requires"],
        onlyStatuses: [401, 403])

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
            "too long for … model",
            // Copilot: "prompt token count of 130389 exceeds the limit of 128000"
            "token count … exceeds",
            // SiliconFlow: "length of prompt_tokens (40000) must be less than max_seq_len (32768)."
            "max_seq_len", "max_model_len",
            // GitHub Models: "Request body too large for gpt-4o model. Max size: 8000 tokens."
            "too large for … model", "max size … tokens",
            // Cohere: "too many tokens: total number of tokens in the prompt cannot exceed 4081"
            "too many tokens", "tokens in the prompt cannot exceed", "token limit exceeded", "exceeds the token limit",
            "exceeded token limit", "exceeds the limit of … tokens",
            // Moonshot, MiniMax, z.ai, Alibaba [pi-mono, overflow.ts]; Baidu; Volcengine
            "exceeded model token limit", "tokens in request more than max tokens allowed", "prompt exceeds max length",
            "range of input length should be", "prompt tokens too long", "exceed max message tokens", "输入过长", "超出最大长度",
            "超长", "最大上下文长度", "最大长度限制",
            // The same in general: "Prompt exceeds max context" (MLX); "Number of input tokens exceeds maximum length"
            // (Bedrock); "Context length of 8192 exceeded"; "number of input and maximum output tokens (60000) exceeded
            // this model context window limit" (Cloudflare)
            "input|prompt|token|context … exceed|exceeding … limit|max|maximum|context|length|window|size|model",
            "input|prompt|context|token … length|limit|window|size … exceed",
            "input|prompt token exceed", "number of token exceed", "context|prompt|input|message too large",
            "exceed|exceeding … context|prompt|input window|length|size|limit",
            "exceed|exceeding … max|maximum|allowed context|token",
            "input|prompt|token|context … longer|larger|more than … limit|max|maximum|context|length|window|model",
            // Vertex: "the input token count is 40000 but model only supports up to 32768"; Yandex: "Number of input
            // tokens must be no more than 32768", "Text length is 40000, which is outside the range (0, 32000]"; AI21:
            // "Prompt has 9000 tokens, but the maximum is 8191"; Baidu: "the max input characters is 24000"
            "token … only supports up to", "input|prompt token … no more than", "text length is _ which is outside the range",
            "token but the max|maximum|limit is", "max|maximum input characters",
            // LiteLLM's class; a 413 of GigaChat and of proxies
            "contextwindowexceedederror", "payload too large",
        ],
        includesQuotes: true,
        ignoredStatuses: [429])

    /// A content filter has stopped the request or the response.
    private static let filter = ErrorFamily(
        failure: .contentFilter,
        codes: [
            // Azure OpenAI's content filtering guide: `code`, and `innererror.code`
            "content_filter", "responsibleaipolicyviolation",
            // OpenAI; OpenRouter's APIErrorType, with `refusal`
            "content_policy_violation", "refusal", "censorship_blocked", "moderation_blocked", "image_generation_user_error",
            // Alibaba's Model Studio, new-api [lobe-chat, error patterns]; Volcengine
            "data_inspection_failed", "datainspectionfailed", "sensitive_words_detected", "sensitivecontentdetected",
            "inputtextsensitivecontentdetected", "outputtextsensitivecontentdetected",
        ],
        phrases: [
            // Azure: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
            "content management policy", "content filter|filters|filtering", "content policy",
            // DeepSeek's only message for it, with the code `invalid_request_error`
            "content exists risk",
            // xAI, a 400 or 403: "Content violates usage guidelines." [new-api, violation_fee.go]
            "violates|violate|violating … usage|content|safety|use policy|guideline|policies|guidelines",
            "violates|violate|violating … practices", "responsible ai practices",
            // OpenAI: "your prompt was flagged as potentially violating our usage policy", "as a result of our safety
            // system" [litellm, exception_mapping_utils.py]
            "result of our safety system", "rejected by the safety system", "input was flagged",
            "content was flagged", "flagged by moderation",
            // Anthropic: "Output blocked by content filtering policy"; Gemini: "The prompt was blocked"; Moonshot: "The
            // request was rejected because it was considered high risk"
            "prompt was blocked", "considered high risk", "prohibited content", "内容违规",
            "blocked by _ safety|moderation|guardrail|content|filter|filters", "content … is|was|been blocked",
            // Alibaba: "Input data may contain inappropriate content."; z.ai, 1301: "may contain unsafe or sensitive
            // content"
            "inappropriate content", "sensitive content|word|information", "unsafe or sensitive", "不安全或敏感内容", "敏感词",
            // MiniMax, 1026: "input new_sensitive"
            "input|output new_sensitive",
            // Bedrock: "The guardrail intervened"
            "guardrail intervened",
        ])

    /// The words for anything that is not supported. Other families have words of their own for a region, a model, …
    private static let generallyUnsupported = ErrorFamily(
        failure: .unsupported,
        phrases: [
            // Bedrock: "This model doesn't support system messages."; "The model is unsupported for streaming.";
            // DeepSeek: "deepseek-reasoner does not support this tool_choice"; Groq: "property 'x' is unsupported";
            // llama.cpp: "Unsupported param: tools"; Cerebras: "logit_bias is not supported"; xAI: "Argument not
            // supported on this model: stop"; text-generation-inference: "Grammar is not supported"
            "not _ support", "not _ supported", "unsupported",
        ],
        onlyStatuses: [400, 422, 500, 501])
}
