/// The words with which upstreams say that one kind of thing is at fault. This table, with the part of
/// it in ErrorFamily+Request.swift, is the only place that knows them.
///
/// An upstream's status says little: a used-up quota is sent as 400, 402, 403 and 429, and a prompt that is too long as
/// 400, 413, 422 and 500. So the words are searched first, and the status decides only if they say nothing. The order
/// of the search is: the codes of all families, the phrases of all families in the messages, then in the codes as words
/// (`free_quota_exhausted`), and the generic codes of all families.
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
    /// Whether a match of a phrase may begin or end in what a message quotes from the request. False where a client
    /// could make an upstream say them, and with that stop everyone's requests.
    var includesQuotes = false
    /// The only statuses with which these words mean this; nil for any.
    var onlyStatuses: Set<Int>?
    /// Statuses with which these words mean something else.
    var ignoredStatuses: Set<Int> = []

    /// In the order in which they are searched: what is specific first.
    static let all = [
        malformed, fetch, file, namedModel, broken, credit, unsupported, mistyped, model, absentModel, oversized, spent, rate, account,
        modelAccess, length, filter, modelRefused, generallyRefused, generallyUnsupported, generallyMalformed,
    ]

    /// Whether these words count with a status.
    func counts(with status: Int) -> Bool {
        !ignoredStatuses.contains(status) && onlyStatuses?.contains(status) ?? true
    }

    /// The server can't load the model, which doesn't pass by itself.
    private static let broken = ErrorFamily(
        failure: .upstreamError,
        phrases: [
            // Ollama: "llama runner process has terminated: error loading model"; "unable to load model: /data"
            // [ollama#10930, ollama#11710]
            "llama runner process has terminated", "error|failed|unable _ loading|load _ model", "error|failed|unable to load _ model",
            // LM Studio: "The model has crashed without additional information."; NVIDIA NIM: "Function id '…':
            // DEGRADED function cannot be invoked" [9router#2527]
            "model has crashed", "degraded function cannot be invoked",
        ])

    /// A model that isn't supported, or doesn't exist, in words that would otherwise look like another family's: its
    /// name may be a word for a feature.
    private static let namedModel = ErrorFamily(
        failure: .notFound,
        phrases: [
            // OpenAI: "Your organization must be verified to use the model `gpt-image-1`."
            "verified to use _ model",
            // LM Studio: "Failed to load model \"foo\". Error: Model not found"
            "^ error model _ not found", "^ error model _ does not exist", "no such model",
            "^ model _ is not supported $", "^ the|this|requested|specified|selected model _ is not supported $",
            "not a supported|known|recognized model", "^ unsupported model _ $",
            // Hugging Face: "Model x is not supported for task conversational and provider y."
            "model _ is not supported for task",
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
            // Copilot: a model of another endpoint
            "unsupported_api_for_model",
            // LiteLLM's proxy [opencode#358]; GitHub Models; Alibaba [qwen-code#3424]
            "key_model_access_denied", "model_not_allowed", "no_access", "model.accessdenied", "modeldeprecated",
            "accessdenied.unpurchased",
            // GitHub Models and Azure
            "unavailable_model", "modelnotavailable",
        ],
        phrases: [
            // OpenAI: "The model `x` does not exist or you do not have access to it."; "Project `x` does not have
            // access to model `x`"; Bedrock: "You don't have access to the model with the specified model ID."
            "model _ does not exist", "model or endpoint _ does not exist", "not have access to _ model", "not available to your account",
            // DeepSeek, DashScope: "Model Not Exist"; Ollama: "model \"x\" not found, try pulling it first";
            // llama-swap, vLLM
            "model not exist", "model _ not found", "model _ is|was not found", "model _ could not be found", "no such model",
            "unknown model", "unrecognized model", "unavailable model",
            // OpenRouter: "x is not a valid model ID", "No endpoints found for x.", "No allowed providers are available
            // for the selected model."
            "not a valid model $", "not a valid model id|name|identifier", "is not a valid model", "no endpoints found",
            "no allowed providers are available",
            // Groq: "The model `x` has been decommissioned and is no longer supported."; OpenAI: "… has been
            // deprecated"
            "has been decommissioned", "model … is no longer", "model … has been deprecated|retired|removed|discontinued",
            "model … was|is deprecated|retired|removed|discontinued", "model|endpoint … was|been shut down",
            // Bedrock: "This model version has reached the end of its life."; Cohere: "model 'x' was removed on …"
            "reached _ end of life", "past _ end of life", "reached the end of its life", "was removed on",
            "deployment|model|endpoint _ is|was _ deleted",
            // Anthropic: "claude-2.1 has been retired on July 21, 2025."; Bedrock: "This Model is marked by provider as
            // Legacy"
            "been|was retired|sunset", "model _ marked _ _ as legacy|deprecated|retired",
            // OpenAI: "This is not a chat model and thus not supported in the v1/chat/completions endpoint."; "This
            // model is only supported in v1/responses"; Azure: "The operation does not work with the specified model"
            "not a chat model", "only supported in v1", "does not work with the specified model",
            // LM Studio; z.ai; new-api: no channel for the model
            "no models _ _ loaded", "model unloaded", "模型不存在", "模型已下线", "无可用渠道", "不支持的模型", "不支持该模型", "找不到模型",
            "未找到模型", "模型未找到", "模型未开通", "未开通该模型", "одель не найдена", "одель не существует", "одель недоступна",
            // LiteLLM: "There are no healthy deployments for this model", "You passed in model=x. There is no
            // 'model_name' with this string"; llama-swap: "could not find real modelID for x"; Bifrost: "provider not
            // found for model x"
            "no healthy deployment|deployments", "there is no … with this string", "not find _ model|modelid", "not found for _ model",
            "no _ provider|backend|host _ for _ model", "no model|deployment named|called|matching|matches",
            "not recognize _ model",
            "model _ is not in … list",
            // Hugging Face and Databricks, where a model has an endpoint of its own: "Endpoint is paused, ask a
            // maintainer to restart it", "Endpoint is stopped."; Hugging Face: "The model x is too large to be loaded
            // automatically"
            "endpoint is _ paused|stopped|closed", "endpoint that is _ paused|stopped|closed", "model _ is too large to be loaded",
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
            "unable to access _ model", "model _ is private", "access to model _ requires", "model _ is in _ preview|beta and",
            "invalid model _ $", "invalid model name", "not supported by provider",
            "not supported by any provider", "requested|specified model _ is not supported",
            // Copilot: "model x is not accessible via the /chat/completions endpoint"; Vertex: "Model 'x' is not
            // currently available in your region"
            "model _ is not accessible|deployed|served", "model _ is not _ available|included|enabled|offered … your|current",
            // Vertex: "Publisher Model `x` is not servable in region us-central1.", "… attempting to use a disallowed
            // Gen AI model x"; Azure and Bedrock: "The model x is not available in the selected region"
            "model _ is not servable", "disallowed _ _ model", "model _ is not _ available|served|offered|supported in",
            "model _ unavailable in|for|to|on|under your", "model _ is unavailable in|for|to|on|under your",
            "accept _ license|licence|terms|agreement|conditions … model",
            "model _ not enabled|activated|allowed for|on|with this|your|the",
            // "The model ID you provided is not valid"; "model 'x' is invalid"
            "model id|identifier|name|code … not valid|recognized|known", "^ model _ is invalid|unknown $",
            "^ the|this|requested|specified|selected|provided model _ is invalid|unknown $",
            "model id|identifier|name _ is invalid|unknown",
            // Hugging Face: "This model is gated. Request access at …", "Cannot access gated repo for url …"
            "model _ is _ gated", "gated model|repo|repository",
            // Bedrock, 403: "Model access is denied due to IAM user or service role is not authorized to perform the
            // required AWS Marketplace actions"
            "model access _ denied",
            // new-api, 503: "No available channel for model x under group default (distributor)"; one-api
            "no available channel|channels|distributor … model", "no channel|channels available … model", "无可用渠道",
            // OpenRouter, 404: "No endpoints available matching your guardrail restrictions and data policy." So is "No
            // endpoints found matching your data policy", above: the account's setting leaves out all hosts of this
            // model, and others of the provider still have some.
            "no endpoints available",
            // Bedrock: "Invocation of model ID x with on-demand throughput isn't supported."
            "on-demand throughput is not", "not support on-demand throughput", "provided model identifier is invalid",
            // MiniMax, 2061: "your current token plan not support model, MiniMax-M2.7-highspeed"; z.ai, 1311:
            // "当前订阅套餐暂未开放GLM-5权限"; Ollama, 412: "The model you are attempting to pull requires
            // a newer version of Ollama."
            "plan _ not support|include model|models", "暂未开放", "model … requires a newer version",
            // Groq: "The model `x` requires terms acceptance."
            "requires terms acceptance",
            // Volcengine's free tokens are each model's: "Your account … has exhausted its free trial quota for the
            // model doubao-x."
            "free|trial _ quota for the model",
            // OpenRouter: "This model is not available in your region."
            "model is not available in your",
        ],
        genericCodes: ["not_found", "not_found_error", "notfounderror"])

    /// The model isn't there. With the statuses of a load the same words are about one that is busy or restarts.
    /// Alibaba, 503: "Model is unavailable, please try again later."
    private static let absentModel = ErrorFamily(
        failure: .notFound, phrases: ["model is _ not available", "model is unavailable"],
        ignoredStatuses: [429, 503, 529])

    /// One request over the limit of a minute: it never passes, however long one waits, so it is sent as a 413 too.
    private static let oversized = ErrorFamily(
        failure: .contextOverflow,
        phrases: [
            // OpenAI and Groq: "Request too large for gpt-4o in organization … on tokens per min (TPM): Limit 30000,
            // Requested 45000."
            "request too large"
        ])

    /// What the account had is used up, in messages that also speak of a limit which passes by itself.
    private static let spent = ErrorFamily(
        failure: .providerRejected,
        phrases: [
            // Cohere: "You are using a Trial key, which is limited to 1000 API calls / month. […] upgrade to a
            // Production key with higher rate limits"
            "limited to _ api calls month",
            // Azure's API Management: "Out of call volume quota. Quota will be replenished in 6.23:59:59."
            "out of call volume|bandwidth quota",
        ])

    /// Too many requests, or a model that is still loading: it passes by itself. With a 413 the request alone is over
    /// the limit, so waiting does not help.
    private static let rate = ErrorFamily(
        failure: .rateLimited,
        codes: [
            "throttling.ratequota", "throttling.burstrate", "throttling.allocationquota", "throttlingexception",
            "modelnotreadyexception",
            // OpenRouter's APIErrorType; Anthropic's type of a 529
            "provider_overloaded", "overloaded_error", "engine_overloaded", "engine_overloaded_error",
        ],
        phrases: [
            "rate limit|limiting", "ratelimit", "too many requests", "request limit exceeded|reached",
            "requests|tokens per minute|hour|day", "tpm", "rpm", "rpd", "tpd",
            // Gemini sends the same text as for a used-up quota, with a link to the page about limits
            "gemini-api/docs/rate-limits", "quota exceeded for metric", "quota exceeded for quota metric",
            // Bedrock: "Too many tokens, please wait before trying again."
            "please wait before trying again", "throttled",
            // z.ai, Alibaba: "concurrency"
            "too many concurrent", "concurrency limit", "high concurrency", "并发数过高", "访问量过大",
            // z.ai, 1302: "您的账户已达到速率限制，请您控制请求频率"
            // SGLang, 503: "The request queue is full."
            "速率限制", "请求频率", "queue is full", "频繁", "繁忙", "限流", "并发数超", "лишком много запросов", "ерегружен",
            // MiniMax, 1041 and 2045: "conn limit", "rate growth limit"; API Gateway: "Rate exceeded."
            "conn|connection|throughput limit", "rate growth|increase|exceeded",
            // llama.cpp, 503: "Loading model"; Hugging Face: "Model x is currently loading"; Ollama; LM Studio
            "loading model", "is currently loading", "model is loading", "model is still loading", "model is warming up",
            // Ollama: "server busy, please try again. maximum pending requests exceeded"; SiliconFlow: "Model service
            // overloaded."; Groq, 498; Cloudflare: "Capacity temporarily exceeded"
            "server busy", "pending requests exceeded", "capacity _ exceeded",
            // OpenAI: "That model is currently overloaded with other requests."; Bedrock: "Model is not ready for
            // inference. Wait and try your request again."; "The server is at capacity"
            // SiliconFlow, 403, 50603: "System is too busy now. Please try again later."
            "overloaded", "model _ is not ready", "at|over capacity", "high demand|load|traffic", "warming up", "is|are _ _ busy",
            "slow down", "no|insufficient _ capacity", "throttling",
            // llama.cpp, 503: "no slot available"; Chutes: "No instances available (yet) for chute_id='x'"; Hugging
            // Face's endpoints: "endpoint is scaled to zero, starting"
            "no slot|slots available", "no instance|instances available", "scaled to zero", "cold start", "limit reached try|retry|wait",
            // Fireworks, 503: "Deployment is scaling up from zero replicas"
            "is scaling up",
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
            // OAuth's errors. Source: RFC 6749, section 5.2
            "invalid_grant", "invalid_client", "unauthorized_client",
            // Cerebras; Bedrock; Novita
            "wrong_api_key", "expiredtokenexception", "unrecognizedclientexception", "not_enough_balance",
            // Xfyun, 11200 and 10313; LiteLLM's proxy for a key that isn't its master key
            "appidnoautherror", "no_db_connection",
        ],
        phrases: [
            // Keys. OpenAI: "Incorrect API key provided"; Gemini: "API key not valid", "API key expired"; Anthropic:
            // "invalid x-api-key"; DeepSeek: "Authentication Fails, Your api key: … is invalid"; OpenRouter: "No auth
            // credentials found"
            "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked _ api|subscription key|token", "invalid x-api-key",
            "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked apikey", "api key has been",
            "no _ api key provided|found|given|supplied|sent|set", "^ _ api key invalid",
            "api key disabled|revoked|blocked|suspended|deactivated|deleted|inactive|leaked|terminated",
            "api key provided|supplied|given|used|sent … not _ valid|active|recognized|known",
            "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked access|auth|bearer|security|authentication key|token",
            "invalid|unknown|expired|revoked|bad|missing|no _ credential|credentials", "^ invalid token $",
            "invalid username or password", "api key not valid|found", "api key _ expired",
            "api|access|subscription key|token … is|has|was … invalid|expired|missing|disabled|blocked|revoked|leaked|suspended|deactivated",
            "access|security|bearer|auth token … invalid|expired|revoked", "invalid authentication",
            // watsonx: "IAM token expired", `token_expired`, `invalid_iam_token`; Google: "Token has been expired or
            // revoked."; "JWT expired"
            "token _ _ expired|revoked", "jwt _ _ expired|invalid|malformed", "invalid|expired|revoked jwt",
            "invalid|expired|revoked iam|refresh|session|id token",
            "iam|refresh|session|oauth token … invalid",
            // Tencent: `AuthFailure.SecretIdNotFound`
            "auth|authentication|authorization error|fails|failed|failure",
            // "User is not authenticated"; Google: "This authentication method does not have sufficient
            // permissions"; Bedrock: "User: arn:… is not authorized to perform: bedrock:InvokeModel"
            "not authenticated", "sufficient|insufficient permission|permissions", "authorization header",
            "not authorized to perform", "permission to perform", "appidnoautherror",
            // Baidu, 14 and 15
            "iam certification failed", "app not exist _ create failed",
            // Bedrock: "Your account is not authorized to invoke this API operation."
            "account _ not authorized|allowed|permitted|entitled to _ _ api|operation|service|action",
            // OpenAI, 401: "You must be a member of an organization to use the API"
            "member of _ organization", "account … not _ verified", "account unverified", "unverified account",
            "verify your account|email|identity|phone",
            // Azure: "Access denied due to Virtual Network/Firewall rules.", "Public access is disabled. Please
            // configure private endpoint."
            "access denied due to", "public access is disabled", "firewall rules", "user not found",
            "no permission to access data", "key limit exceeded", "secret key in the",
            // Credit and quota. Anthropic: "Your credit balance is too low"; DeepSeek: "Insufficient Balance";
            // SiliconFlow: "your account balance is insufficient"; OpenRouter: "Insufficient credits"; xAI: "used all
            // available credits or reached its monthly spending limit"; Hugging Face: "exceeded your monthly included
            // credits"; Gemini: "prepayment credits are depleted"; z.ai, 1113: "Insufficient balance or no resource
            // package"
            "credit balance is too low", "insufficient _ balance|credit|fund|quota", "balance is insufficient", "balance is not enough",
            "not enough _ balance|credit|fund|quota", "out of credits", "no credits", "no remaining credits", "credits expired",
            "have any credits", "not have any|enough|sufficient _ _ credit|balance|quota|fund",
            "used|exhausted|depleted|spent|consumed up|your|all|its|their _ _ _ credit|balance|quota|allowance",
            "free|your|all _ credit|balance|quota|allowance _ _ used|exhausted|depleted|spent", "quota exhausted|depleted",
            "reached|exceeded|hit your|the|its _ _ allowance", "exceeded your _ _ budget",
            "credit|spend|spending|billing|prepaid limit|quota|cap _ reached|exceeded|exhausted|hit",
            "monthly|weekly|daily|team|user|account|project|organization|key budget _ _ exceeded|reached|exhausted|spent",
            // one-api: "user quota is not enough"
            "balance|quota|credit|fund is|are not enough|sufficient", "balance|credit _ too low", "balance is _ negative|zero|empty|low",
            // Alibaba: "The prepaid bill is overdue.", "Commodity has not purchased yet."
            "bill|payment|invoice|account _ _ overdue|unpaid|arrears", "commodity … not _ purchased",
            "account balance is", "overdue balance", "never purchased credits", "valid credit card",
            "credits are depleted", "credits have been depleted", "credits exhausted", "credits have been exhausted", "credits depleted",
            "balance|credit|fund insufficient", "balance is 0",
            "used all available credits", "included credits", "exceeded your _ quota", "quota has been exhausted", "quota is exhausted",
            "quota has been used up", "free quota", "free tier of the model has been exhausted", "requires more credits",
            "add more credits", "add credits", "purchase credits", "purchase more credits", "top up", "recharge", "payment required",
            "payment method", "billing hard limit", "billing is not active", "billing not active", "billing account",
            "check your plan and billing",
            // Hugging Face's and Chutes' subscriptions: "Inactive subscription or usage limit reached"; "Check your
            // billing: active subscription required"
            // Azure: "Your subscription is disabled and therefore marked as read only."; "Your free trial has ended"
            "inactive|active|expired|no|valid subscription",
            "subscription _ _ inactive|expired|required|ended|disabled|suspended|cancelled|canceled|paused|terminated",
            "check your billing", "billing _ not _ enabled|active|activated|configured", "enable billing",
            "billing is disabled", "trial|plan|license|account _ expired", "trial|plan|license _ _ ended|over|lapsed",
            "account suspended|disabled|deactivated|banned|locked",
            // Limits of spending. Anthropic: "You have reached your specified API usage limits.", "… your specified
            // workspace API usage limits", "You're out of extra usage."; Gemini: "exceeded its
            // monthly spending cap"; LiteLLM: "Budget has been exceeded"
            // A `base_url` with the wrong scheme or host. nginx: "The plain HTTP request was sent to HTTPS port", "No
            // required SSL certificate was sent"; Go's net/http: "Client sent an HTTP request to an HTTPS server.";
            // Apache: "You're speaking plain HTTP to an SSL-enabled server port."; RFC 9110, section 15.5.20:
            // "Misdirected Request"
            "plain http request was sent to https port", "no required ssl certificate was sent", "http request to an https server",
            "speaking plain http to an ssl", "misdirected request",
            "spending limit", "spend limit", "spending cap", "spend cap", "your _ _ api usage limits", "monthly usage limit",
            // "Third-party apps now draw from your extra usage, not your plan limits."
            "draw from your extra usage",
            "regain access", "usage limit reached|exceeded", "out of extra usage", "monthly limit", "budget has been exceeded",
            "exceeded budget",
            "usage limit for your plan",
            // Region. OpenAI: "Country, region, or territory not supported"; Gemini: "User location is not supported
            // for the API use."; Anthropic: "… is not available in your country"
            "region, or territory not supported", "location is not supported",
            "your country|region|location|territory|area _ is|are not _ allowed|supported|available|permitted|served",
            "not|no _ available|supported|allowed|permitted|offered|served in|from|for your country|region|location|territory|area",
            "unavailable|blocked|restricted|prohibited in|from|for your country|region|location|territory|area", "unsupported country",
            "unsupported region", "country is not supported",
            // Bedrock: "Access to Anthropic models is not allowed from unsupported countries, regions, or territories."
            "unsupported countries",
            // Accounts. Groq: "Organization has been restricted."; Anthropic: "This organization has been disabled.";
            // Google: "Consumer … has been suspended."; OpenAI: "Your account is not active"
            "organization has been", "organization is disabled", "account has been", "access was terminated", "account is not active",
            "account not active|activated|enabled", "account is locked|frozen|inactive|closed|banned|terminated|unverified",
            "^ key has been revoked|disabled|deleted|deactivated|blocked|suspended", "key revoked $",
            "organization must be verified to use _ api",
            "account … is suspended|disabled|blocked|deactivated|overdue", "has been suspended", "has been banned", "user is banned",
            "project has been denied access", "access terminated", "account is in good standing", "overdue payment",
            "your ip _ _ not _ allowed|authorized|permitted", "ip address is not allowed", "ip not authorized",
            "ip _ _ not _ whitelisted|allowlisted",
            // Yandex: "Specified folder ID 'x' does not match with service account folder ID 'y'"
            "not match … service account",
            // Hunyuan: "资源包余量已用尽,请购买资源包或开通后付费"
            // Zhipu, 1110 and 1111: "您的账户当前处于非活跃状态。", "您的账户不存在"
            "欠费", "余额不足", "余量已用尽", "购买资源包", "账户已被", "账户已停用", "账户已冻结", "账户已禁用", "套餐已到期", "无效的令牌", "令牌已过期",
            "额度不足", "额度已用尽", "身份验证失败", "非活跃状态", "账户不存在", "账号不存在", "账号已被", "账号已停", "账号已冻结", "账号已禁", "令牌无效", "密钥无效", "密钥已过期", "密钥已失效", "密钥已被",
            "无效的密钥", "api key 无效", "api key无效", "无效的api key", "套餐已过期", "地区不支持", "едостаточно средств", "еверный api",
            "ккаунт заблокирован",
        ],
        genericCodes: [
            // Anthropic's types; Google's statuses; NVIDIA's and others' words for 401 and 403
            "authentication_error", "permission_error", "permission_denied", "permissiondenied", "unauthenticated", "unauthorized",
            "forbidden", "access_denied", "accessdenied", "accessdeniedexception", "quota_exceeded",
            // OpenRouter's APIErrorType
            "authentication",
        ])

    /// The account may not use this model, and may use others. The words of a refused account come first.
    private static let modelAccess = ErrorFamily(
        failure: .notFound,
        phrases: [
            // Alibaba: "Access to model denied."; Hugging Face: "Access to model x is restricted and you are not in the
            // authorized list."; LiteLLM's proxy: "key not allowed to access model x"; GitHub Models: "No access to
            // model: o3"; Moonshot: "Not found the model x or Permission denied"; SiliconFlow: "Model disabled."
            "access to … model … denied|restricted|forbidden", "no access to _ model", "not found the model",
            "not _ allowed|authorized|permitted to access|use|sample|call|invoke … model", "model disabled $",
            "model _ is _ disabled",
            // OpenRouter: "OpenAI is requiring a key to access this model"; "Public API Endpoints for model x are
            // disabled"
            "key to access _ model", "endpoints for model _ are disabled", "model _ is not allowed|permitted|enabled|activated for",
            "not activated the model",
            // z.ai, 1220; new-api
            "无权访问", "无权使用模型",
        ])

    /// A refusal that names a model, in any words but those of a prompt that is too long, or filtered.
    private static let modelRefused = ErrorFamily(
        failure: .notFound,
        phrases: [
            "access … model", "not … model", "model … not|denied|restricted|disabled|blocked|forbidden|requires",
            // Vertex: "Please enable the model x in Model Garden before use"
            "enable _ model",
            // Anthropic: "Your workspace does not have access to claude-x"; a proxy: "Your plan does not include access
            // to x"
            "workspace|plan|tier|subscription … not have|include access to",
        ],
        onlyStatuses: [401, 403])

    /// A refusal that says no more than its status. The name of a model says more, and so does a 404.
    private static let generallyRefused = ErrorFamily(
        failure: .providerRejected,
        // Bedrock: "Operation not allowed"
        phrases: ["^ unauthorized $", "^ permission denied $", "^ operation not allowed $", "^ access denied $"],
        ignoredStatuses: [404, 410])

    /// The period of a limit. Alibaba, 429 `insufficient_quota`: "hour allocated quota exceeded."
    static let period: [Phrase] = ["minute|hour|hourly|day|daily _ _ quota|limit|allocation"]
}
