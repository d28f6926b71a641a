/// The table of the families, with their sources: the references and error guides of the providers named there, or, in
/// brackets, an issue thread or another project's list. The lines in other languages are the same rules in their words.
extension ErrorFamily {
    /// In the order in which they are searched: what is specific first.
    static let all = [
        malformed, fetch, file, namedModel, broken, credit, unsupported, mistyped, model, absentModel, oversized, spent, rate, account,
        modelAccess, length, filter, modelRefused, generallyRefused, generallyUnsupported, generallyMalformed,
    ]

    /// The names, without `s` at the end of a word.
    static let words: [String: String] = [
        "medium": "image|audio|video|file|document|pdf|picture",
        // What a model may not support of a request
        "feature": "<medium>|<task>|vision|multimodal|modality|system|developer|assistant|stream|streaming|temperature|top|response|json|"
            + "schema|structured|reasoning|thinking|logprob|logit|seed|stop|frequency|presence|parallel|budget|caching",
        "task": "tool|function|prefill|grammar|guided|search|speech",
        "type": "number|string|boolean|bool|integer|float|object|array|list|dict|dictionary",
        "field": "parameter|argument|field|property|keyword|option", "fetch": "fetch*|download*|retriev*",
        "gone": "decommission*|deprecated|retired|removed|discontinued|deleted|sunset*|archived|shut",
        "allowed": "allowed|permitted|authorized|authorised|entitled", "served": "supported|available|offered|served|provided",
        "bad": "incorrect|invalid|wrong|missing|unknown|expired|bad|revoked",
        "barred": "<locked>|revoked|disabled|suspended|deactivated|deleted|inactive|leaked|terminated|banned|archived|cancelled|canceled",
        "locked": "blocked|locked|frozen|closed|paused|unverified|restricted",
        "holder": "account|organization|organisation|workspace|tenant|subscription|consumer|wallet",
        "funds": "balance|credit|fund|quota|allowance|wallet",
        "usedUp": "exhausted|negative|depleted|insufficient|overdrawn|spent|consumed",
        "place": "country|region|location|territory|area", "prompt": "prompt|input|context|token",
        "bound": "limit|max|maximum|context|length|window|size|model", "guard": "safety|moderation|guardrail",
        "stopped": "blocked|filtered|stopped|rejected|refused|declined|denied|flagged",
        "guideline": "policy|guideline|practice|regulation|law|term",
    ]

    /// The request itself is malformed, in words that would otherwise look like another family's. OpenAI, about the
    /// client's own schema, and about `json_object` without the word.
    private static let malformed = ErrorFamily(
        failure: .clientError, includesQuotes: true,
        codes: ["missing_required_parameter"],
        phrases: ["invalid schema for response_format", "must contain the word 'json'"])

    /// A file that the request links to can't be fetched. What its server says is no fact about the upstream. OpenAI,
    /// vLLM, Gemini: "Cannot fetch content from the provided URL."; Anthropic, about an MCP server.
    private static let fetch = ErrorFamily(
        failure: .clientError, onlyStatuses: [400, 404, 415, 422, 424], includesQuotes: true,
        codes: ["invalid_image_url"],
        phrases: [
            "error|failed|unable|could|can|timeout|timed|when|while|received … <fetch> … url|link|content|<medium>",
            "url|link|media|<medium> … <fetch> failed|error|timeout", "url|link|media|<medium> … not _ <fetch>",
            "access to _ url _ blocked|denied|forbidden", "error|failed|unable … mcp server", "mcp server … returned|responded",
        ])

    /// A file that the request names by its id, which says nothing about the model. Anthropic, 404; OpenAI, 404: "Item
    /// with id 'rs_…' not found." [vercel/ai#7543]; Gemini and Vertex, 403.
    private static let file = ErrorFamily(
        failure: .clientError, onlyStatuses: [400, 403, 404],
        phrases: [
            "^ file|files|container|skill _ is|does|do not found|exist", "^ file|files|container|skill _ not found",
            "no such file|container|skill object", "no file|container|skill found with", "permission to access the file",
            "could not find file|container|skill", "item|conversation|container|response|prompt|store with id _ not found",
            "previous response _ not found", "cachedcontent not found", "not found cached content", "storage object get access",
            "google cloud storage object",
        ])

    /// A model that isn't supported, or doesn't exist, where its name may look like another family's word. OpenAI:
    /// "must be verified to use the model `gpt-image-1`"; LM Studio; Hugging Face.
    private static let namedModel = ErrorFamily(
        failure: .notFound,
        phrases: [
            "verified to use _ model", "^ error model _ _ not found|exist", "no such model", "^ model _ is not supported $",
            "^ the|this|requested|specified|selected model _ is not supported $", "not a supported|known|recognized model",
            "^ unsupported model _ $", "model _ is not supported for task",
        ])

    /// The server can't load the model, which doesn't pass by itself. Ollama [ollama#10930, ollama#11710]; LM Studio;
    /// NVIDIA NIM [9router#2527].
    private static let broken = ErrorFamily(
        failure: .upstreamError,
        phrases: [
            "llama runner process has terminated", "error|failed|unable _ _ loading|load _ model", "model has crashed",
            "degraded function cannot be invoked",
        ])

    /// The request needs more than the remaining credit, and a smaller one does not. OpenRouter: "Prompt tokens limit
    /// exceeded: 32100 > 20221. To increase, visit …/settings/credits"
    private static let credit = ErrorFamily(
        failure: .unsupported, onlyStatuses: [402],
        phrases: ["token limit exceeded", "too expensive for … <funds>", "reduce|lower|decrease _ max_tokens"])

    /// The model can't serve this request, and serves others: nothing cools down.
    private static let unsupported = ErrorFamily(
        failure: .unsupported, includesQuotes: true,
        codes: [
            // OpenAI; Groq, for JSON and calls that the model failed to write; OpenRouter; text-generation-inference
            "unsupported_format", "json_validate_failed", "tool_use_failed", "unsupported_modality", "unsupported_feature",
        ],
        phrases: [
            // OpenRouter, 402 [maxx#818], 404 [routstr-core#554]; Anthropic, about long contexts; Ollama; Mistral, 422
            "fewer max_tokens", "can only afford", "long context beta", "required for long context requests",
            "no endpoints found that support|can", "does|do not _ support _ parameter|<feature>",
            "<feature> … not _ supported|support|enabled|implemented", "<feature> _ _ is _ disabled", "unsupported _ <feature>",
            "unsupported content block|part|type", "has no <feature>", "model … not have _ <feature>",
            "<feature> … unavailable for|with|on|in", "<feature> … not available for|with|on|in", "model does not allow _ _ <feature>",
            "<feature> … incompatible with", "not use|combine|mix … with <feature>", "<feature> … not be combined", "only enabled when|if",
            "text only model", "<feature> … only supported|available",
            // OpenAI: "requires that […] modality contain audio"; Fireworks: "must have stream=true"; Bedrock; Groq
            "model … not capable of", "model … not able to use|process|handle|accept|call|read|see",
            "model … does|do|can not accept|process|handle|take|read|see|use|call|understand _ <feature>", "model is missing data required",
            "not be processed|handled|used by|with|for this|the model", "model only handle|accept|process|take text",
            "only support|handle|accept _ text", "model requires … <medium>", "model requires stream|streaming",
            "must have|set|use stream|streaming", "must be … for|with|on this|the model", "only one of … this|the model",
            "zero data retention … not", "not _ supported|available|enabled|allowed|accepted with|by|for|on this model",
            // vLLM: "At most 0 image(s) may be provided in one prompt."; Groq; DeepSeek: "unknown variant `image_url`"
            "tool choice requires", "only supported by certain models", "at most _ <medium>", "too many <medium>", "maximum of _ <medium>",
            "max|maximum number of <medium>", "support up to _ <medium>", "unknown variant image_url", "unknown variant input_audio",
            "unknown variant file|developer", "content.type 参数非法", "取值范围 ['text']", "content value must be a string",
            "content must be a string $", "content should be a _ string $", "expected content to be a string",
            "content input should be a valid string $",
            // A template that can't take these roles, or a field that another server may know. vLLM; Gemma; Anthropic
            "^ template error", "apply chat template", "is not enabled for models", "thinking.type.enabled",
            "extra|extraneous input|key|<field> … not permitted|allowed", "unsupported parameter|value",
            "unrecognized|unrecognised|unknown|unexpected <field>", "unrecognized|unknown|unexpected request|keyword|input|body <field>",
            "is not a valid <field>", "not a recognized|known|supported|allowed <field>",
            "<field> … not recognized|recognised|known|allowed|permitted", "<field> _ is unknown|unrecognized|unexpected",
            "additional property … not allowed|permitted|supported", "not have additional property", "unknown name … cannot find field",
            // A limit of the output, which is the subject. OpenAI, Groq, Alibaba, Anthropic, Bedrock
            "max_tokens _ too large|high|big", "^ max_tokens exceed*", "^ max_tokens _ not _ exceed*", "max_tokens ~ 超过|超出",
            "max_tokens … pas|no|nao|non _ depass*|exced*|super*|ultrapass*", "budget_tokens|min_tokens exceed* max_tokens",
            "at most … completion tokens", "maximum allowed number of output tokens", "range of _ max_tokens", "range of max_completion",
            "^ max_completion_tokens must be less than", "`max_tokens` must be less than or equal to",
            "^ _ max|maximum token _ _ exceed* the|max|maximum|limit|allowed|model",
            "^ _ max|maximum|requested output|completion|new token _ _ exceed* the|max|maximum|limit|allowed|model",
            "^ _ maxtoken|maxoutputtoken _ _ exceed* the|max|maximum|limit|allowed|model",
            "^ _ max|maximum _ token _ is larger|greater|higher|more than",
            // OpenAI [langchain-ai/langchain#31490]; LM Studio; Moonshot [bike4mind#1089]; Anthropic; Gemini; Mistral
            "invalid parameter: 'response_format' of type", "response_format type is unavailable", "'response_format.type' must be",
            "enabled only for api version", "verified to stream", "n _ must be at most", "param requires _ flag", "only _ is allowed",
            "only … is supported", "can|may|must only be set|used|specified|enabled", "deprecated for|with|by|on this|the model|endpoint",
            "be|or unset when|if|with|for", "^ temperature|top _ range", "cannot _ be specified|used|set|combined … this model",
            "cannot both be specified|used|set", "<feature> is mandatory|required for", "not be disabled|turned", "model only work in|with",
            "model only support single|one", "model only support _ <feature>", "only support stream|streaming", "must be set to true|false",
            "is not a _ vlm|vision|multimodal",
            // one-api and new-api
            "不支持图|不支持视觉|不支持多模态|不支持音频|不支持视频|不支持文件|不支持工具|不支持函数|不支持流式|不支持思考|不支持sse", "不支持参数|不支持该参数|不支持的参数", "参数 … 不支持",
        ],
        // OpenAI sends them for an organization that must be verified too, where the message says more.
        genericCodes: ["unsupported_parameter", "unsupported_value"])

    /// A value of the wrong type, of a field that the client names as it likes: its words are no refusal. JSON Schema's
    /// validators, pydantic and zod: "'payment_method' is a required property"
    private static let mistyped = ErrorFamily(
        failure: .clientError, onlyStatuses: [400, 422],
        phrases: [
            "must be a|an|of _ map|type|<type>", "should be a _ <type>", "expected _ _ null|<type> … received|got|found",
            "expected _ number|boolean|bool|integer|float|object|array|list $", "is a required key|<field>", "must be <type> $",
            "must be unique", "duplicate _ _ value|name|key|<field>", "value _ is duplicated",
        ])

    /// The model does not exist, or not for this account.
    private static let model = ErrorFamily(
        failure: .notFound,
        codes: [
            // OpenAI, Groq, DashScope, Azure, Volcengine, Copilot, LiteLLM [opencode#358], Alibaba [qwen-code#3424]
            "model_not_found", "model_decommissioned", "model_deprecated", "unknown_model", "model_not_exist", "invalid_model",
            "deploymentnotfound", "deployment_not_found", "modelnotopen", "invalidendpointormodel.notfound", "model_not_supported",
            "model_not_available", "model_terms_required", "model_permission_blocked_project", "model_permission_blocked_org",
            "unsupported_api_for_model", "key_model_access_denied", "model_not_allowed", "no_access", "model.accessdenied",
            "modeldeprecated", "accessdenied.unpurchased", "unavailable_model", "modelnotavailable",
        ],
        phrases: [
            // OpenAI: "The model `x` does not exist or you do not have access to it."; OpenRouter, 404, also about a
            // setting
            "model|deployment _ _ _ not _ exist|found|located|registered|configured|hosted|installed", "model or endpoint _ does not exist",
            "not have access to _ model", "not available to your account", "no such model|deployment",
            "unknown|unrecognized|unavailable|nonexistent model", "model … doesn t exist", "not a valid model",
            "no endpoints found|available", "no allowed providers are available",
            // Groq: "has been decommissioned"; Anthropic; Bedrock: "marked by provider as Legacy"; Azure; LM Studio;
            // one-api
            "model … is _ <gone>", "deployment|endpoint … is _ deleted|shut", "model … no longer", "is _ decommission*|retired|sunset",
            "is removed on", "reached|past _ _ end of _ life", "model _ marked _ _ as legacy|deprecated|retired", "not a chat model",
            "only supported in v1", "does not work with the specified model", "no models _ _ loaded", "model unloaded",
            "模型 ~ 不存在|已下线|找不到|未找到|未开通", "不支持的模型|不支持该模型|无可用渠道", "no available channel|channels|distributor … model",
            "no channel|channels available … model",
            // LiteLLM; llama-swap; Bifrost; Hugging Face and Databricks, where a model has an endpoint of its own
            "no healthy deployment", "there is no … with this string", "not find _ model|modelid", "not found for _ model",
            "no _ provider|backend|host _ for _ model", "no model|deployment named|called|matching|matches|with", "not recognize _ model",
            "model _ is not in … list", "endpoint is _ paused|stopped|closed", "endpoint that is _ paused|stopped|closed",
            "model _ is too large to be loaded",
            // Volcengine, whose free tokens are each model's; Gemini; Together; Mistral: "Invalid model: x"; Hugging
            // Face
            "reached the set inference limit", "free|trial _ quota for the model", "is not found for api version",
            "no longer available to new users", "deployment for this resource does not exist", "unable to access _ model",
            "access to model _ requires", "model _ is in _ preview|beta and", "invalid model _ $", "invalid model name",
            "not supported by provider", "not supported by any provider", "requested|specified model _ is not supported",
            "model _ is _ private|gated", "gated model|repo|repository",
            // Copilot; Vertex: "is not servable in region x"; Azure; Bedrock: "on-demand throughput"; MiniMax, 2061;
            // z.ai, 1311
            "model _ is not _ accessible|deployed|served|servable", "model _ is not _ included|enabled|<served> … your|current",
            "model _ is not _ <served> in", "model _ _ unavailable in|for|to|on|under your", "disallowed _ _ model",
            "model _ not enabled|activated|allowed for|on|with this|your|the", "not _ entitled … model",
            "accept _ license|licence|terms|agreement|conditions … model", "requires terms acceptance",
            "model id|identifier|name|code … not valid|recognized|known", "^ _ model _ is invalid|unknown $",
            "model id|identifier|name _ is invalid|unknown", "model access _ denied", "on-demand throughput is not",
            "not support on-demand throughput", "plan|tier|subscription|license|package _ not support|include|cover|contain _ model",
            "暂未开放", "model … requires a newer version", "modell … nicht _ gefunden|vorhanden|freigeschaltet|bekannt",
            "modell … existiert nicht", "unbekanntes modell", "modele … introuvable|inconnu", "modele … pas trouve|accessible|autorise",
            "modele … existe pas", "modelo … no|nao _ existe|encontrado|encontrada|encontro", "no|nao _ encontr* … modelo",
            "modello … non _ esiste|trovato", "modello|modelo … inesistente|desconocido", "モデル ~ 見つかりません|存在しません|存在しない|廃止", "모델* … 찾을 수 없*",
            "모델* … 존재하지 않*", "модел* … не найден*|существует|поддерживается",
        ],
        genericCodes: ["not_found", "not_found_error", "notfounderror"])

    /// The model isn't there. With the statuses of a load the same words are about one that is busy or restarts.
    /// Alibaba, 503: "Model is unavailable, please try again later."
    private static let absentModel = ErrorFamily(
        failure: .notFound, ignoredStatuses: [429, 503, 529],
        phrases: [
            "model is _ not available", "model is unavailable", "modell … nicht verfugbar", "modele … indisponible",
            "modele … pas disponible", "modelo … no|nao _ disponible|disponivel", "modello … non _ disponibile", "モデル ~ 利用できません",
            "모델* … 사용할 수 없*", "модел* … недоступн*",
        ])

    /// One request over the limit of a minute: it never passes, however long one waits, so it is sent as a 413 too.
    /// OpenAI and Groq: "Request too large for gpt-4o in organization … on tokens per min (TPM): Limit 30000, …"
    private static let oversized = ErrorFamily(
        failure: .contextOverflow, phrases: ["request too large"])

    /// What the account had is used up, in messages that also speak of a limit which passes by itself.
    private static let spent = ErrorFamily(
        // Cohere: "limited to 1000 API calls / month"; Azure's API Management: "replenished in 6.23:59:59"
        failure: .providerRejected, phrases: ["limited to _ api calls month", "out of call volume|bandwidth quota"])

    /// A limit that passes by itself, or a model that is still loading. With a 413 the request alone is over the limit.
    private static let rate = ErrorFamily(
        failure: .rateLimited, ignoredStatuses: [413],
        codes: [
            // Alibaba; Bedrock; OpenRouter; Anthropic; Moonshot; OpenAI; Google's status; Azure
            "throttling.ratequota", "throttling.burstrate", "throttling.allocationquota", "throttlingexception", "modelnotreadyexception",
            "provider_overloaded", "overloaded_error", "engine_overloaded", "engine_overloaded_error",
        ],
        phrases: [
            // OpenAI; Groq; Gemini also for a used-up quota; Bedrock; z.ai, 1302; Alibaba; MiniMax, 1041 and 2045
            "rate limit|limiting|quota", "ratelimit", "too many requests", "request limit exceeded|reached",
            "request|token|quota|limit per second|minute|hour|day", "tpm", "rpm", "rpd", "tpd", "quota exceeded for metric",
            "quota exceeded for quota metric", "please wait before trying again", "throttled", "throttling",
            "too many concurrent|parallel|simultaneous", "request|call too quickly|fast|often|frequently", "concurrency limit",
            "high concurrency", "conn|connection|throughput limit|exceeded", "rate growth|increase|exceeded",
            "并发数过高|并发数超|访问量过大|速率限制|请求频率|频繁|繁忙|限流|流控|请求过多|请求太多",
            // llama.cpp, 503; Hugging Face; Ollama; Groq, 498; Cloudflare; SGLang, 503; Bedrock; SiliconFlow, 50603
            "loading model", "is _ loading", "still|being _ loaded|loading", "server busy", "pending requests exceeded",
            "capacity _ exceeded", "queue is full", "overloaded", "model _ is not ready", "at|over capacity", "high demand|load|traffic",
            "warming up", "is _ _ busy", "slow down", "no|insufficient _ capacity", "no slot|slots|instance|instances available",
            "scaled to zero", "cold start", "limit reached try|retry|wait", "is scaling up", "zu viele anfragen|anforderungen",
            "anfragelimit|ratenlimit|ratenbegrenzung|uberlastet|ausgelastet", "trop de requetes|demandes",
            "limite de debit|requetes|solicitudes|peticiones|tasa|velocidad|requisicoes|solicitacoes|taxa",
            "demasiadas solicitudes|peticiones", "muitas requisicoes|solicitacoes|pedidos", "troppe richieste",
            "limite di|delle richieste|velocita|frequenza", "surcharge|sobrecargado|sobrecarregado|sovraccarico", "リクエスト ~ 多すぎ|制限",
            "レート制限|混雑|過負荷", "요청* 너무 많*", "요청* 한도*", "속도|요청 제한*", "과부하*|혼잡*", "слишком много|часто запрос*", "лимит* запрос*",
            "перегружен*|перегрузк*",
        ],
        genericCodes: [
            "rate_limit_exceeded", "rate_limit_error", "rate_limit_reached_error", "tokens", "requests", "too_many_requests",
            "toomanyrequests", "resource_exhausted", "throttling", "429", "capacity_exceeded",
        ])

    /// The provider refuses the router's key or account: every model of the provider is affected.
    private static let account = ErrorFamily(
        failure: .providerRejected,
        codes: [
            // OpenAI's error codes guide; Groq; Anthropic; OpenRouter; Together; Google's status; words for 401 and 403
            "invalid_api_key", "incorrect_api_key", "insufficient_quota", "billing_not_active", "billing_hard_limit_reached",
            "account_deactivated", "invalid_organization", "ip_not_authorized", "unsupported_country_region_territory", "access_terminated",
            "organization_restricted", "organization_deleted", "blocked_api_access", "spend_limit_reached", "billing_error",
            "payment_required", "insufficient_credits", "credit_limit",
            // Google's `reason`; Moonshot; Alibaba; Volcengine; new-api; LiteLLM; Xfyun; RFC 6749, section 5.2
            "api_key_invalid", "api_key_expired", "api_key_service_blocked", "api_key_http_referrer_blocked", "api_key_ip_address_blocked",
            "service_disabled", "billing_disabled", "consumer_suspended", "consumer_invalid", "exceeded_current_quota_error",
            "invalid_authentication_error", "insufficient_balance", "arrearage", "invalidapikey", "accountoverdueerror",
            "insufficient_user_quota", "pre_consume_token_quota_failed", "budget_exceeded", "allocationquota.freetieronly",
            "authenticationerror", "invalid_token", "token_invalid", "no_db_connection", "invalid_grant", "invalid_client",
            "unauthorized_client", "wrong_api_key", "expiredtokenexception", "unrecognizedclientexception", "not_enough_balance",
        ],
        phrases: [
            // Keys. OpenAI; Gemini; Anthropic; DeepSeek; OpenRouter; watsonx: "IAM token expired"; Google
            "<bad> _ api|subscription key|token", "<bad> access|auth|bearer|security|authentication key|token", "invalid x-api-key",
            "<bad> apikey", "no _ api key provided|found|given|supplied|sent|set", "^ _ api key invalid", "api|access key ~ <barred>",
            "api|access|this|your|the key|token _ expired", "api|access key … not|longer _ valid|active|recognized|known|found",
            "key is _ <barred>", "^ key <barred>", "key <barred> $",
            "api|access|subscription key|token … is … invalid|expired|missing|<barred>",
            "access|security|bearer|auth token … invalid|expired|revoked", "invalid|unknown|expired|revoked|bad|missing|no _ credential",
            "^ invalid token $", "invalid username or password", "token _ _ expired|revoked", "jwt _ _ expired|invalid|malformed",
            "invalid|expired|revoked jwt", "invalid authentication", "invalid|expired|revoked iam|refresh|session|id token",
            "iam|refresh|session|oauth token … invalid",
            // Tencent: `AuthFailure.SecretIdNotFound`; Bedrock; Baidu, 14 and 15; OpenAI, 401; Yandex; Azure's networks
            "auth|authentication|authorization error|fail|failed|failure", "not authenticated", "sufficient|insufficient permission",
            "authorization header", "not authorized to perform", "permission to perform", "appidnoautherror", "iam certification failed",
            "app not exist _ create failed", "account _ not <allowed> to _ _ api|operation|service|action", "no permission to access data",
            "member of _ organization", "not match … service account", "access denied due to", "public access is disabled",
            "firewall rules", "user not found", "key limit exceeded", "secret key in the",
            // Accounts. Groq: "Organization has been restricted."; Anthropic; Google: "Consumer … suspended."
            "<holder> _ is _ <barred>|flagged", "<holder> … is suspended|disabled|blocked|deactivated|overdue", "<holder> <barred>",
            "<barred> <holder>", "<holder> … not _ verified", "<holder> _ not _ active|activated|enabled",
            "<holder> _ _ verification|activation|approval", "verify your account|email|identity|phone|organization",
            "organization must be verified to use _ api", "is suspended", "user|ip|you _ is _ banned", "access _ terminated",
            "account is in good standing", "project is denied access", "your ip _ _ not _ <allowed>", "ip address is not allowed",
            "ip _ _ not _ authorized|whitelisted|allowlisted",
            // Credit. Anthropic: "Your credit balance is too low"; DeepSeek; xAI; one-api; z.ai, 1113; Hugging Face
            "<funds> ~ <usedUp>", "<funds> … run|ran out", "<funds>|budget … used|eaten up",
            "<funds> is _ _ negative|zero|0|empty|low|expired|gone|used", "<funds> _ expired", "<funds> _ too low",
            "<funds> _ not enough|sufficient", "not enough _ <funds>", "out of <funds>", "no _ credit|fund|balance", "have any credits",
            "not have any|enough|sufficient _ _ <funds>", "used|exhausted|depleted|spent|consumed up|your|all|its|their _ _ _ <funds>",
            "free|your|all _ <funds> _ _ _ used", "reached|exceeded|hit your|the|its _ _ allowance", "exceeded your _ _ budget|<funds>",
            "credit|spend|spending|billing|prepaid limit|quota|cap _ reached|exceeded|exhausted|hit",
            "monthly|weekly|daily|team|user|account|project|organization|key budget _ _ exceeded|reached|exhausted|spent",
            "budget is exceeded", "used up your _ _ allocation", "free quota", "free tier _ _ _ is exhausted", "requires more credits",
            "add|purchase|buy _ credit|fund", "never purchased credits", "top up", "recharge", "account balance is",
            "The prepaid bill is overdue.", "Inactive subscription", "bill|payment|invoice|account _ _ overdue|unpaid|arrears",
            "overdue payment|bill|invoice|balance", "commodity … not _ purchased", "payment required", "payment method required",
            "add|attach|update|valid|no _ _ payment method", "payment method _ declined|failed|expired|on",
            "payment is required to|for|before", "card _ declined", "valid credit card", "billing hard limit", "billing account",
            "check _ plan and billing", "check your billing", "billing is disabled",
            "billing _ _ not _ enabled|active|activated|configured", "enable billing", "no|valid|active|expired subscription",
            "subscription _ _ expired|required|ended", "account _ expired", "trial|plan|license _ _ expired|ended|over|lapsed",
            "plan … no|not _ _ api access", "plan … not include|allow _ api", "api access … not|denied|disabled|suspended",
            "upgrade _ plan|subscription|account to use|access|call _ api|service", "spend|spending limit|cap", "your _ _ api usage limits",
            "monthly _ limit", "draw from your extra usage", "regain access", "usage limit reached|exceeded", "out of extra usage",
            "exceeded budget", "usage limit _ for this|your _ plan|key",
            // A `base_url` with the wrong scheme or host. nginx; Go's net/http; Apache; RFC 9110, section 15.5.20
            "plain http request was sent to https port", "no required ssl certificate was sent", "http request to an https server",
            "speaking plain http to an ssl", "misdirected request",
            // Region. OpenAI: "Country, region, or territory not supported"; Gemini; Bedrock: "unsupported countries"
            "region or territory not supported", "location|country is not supported", "your <place> _ is not _ permitted|allowed|<served>",
            "your <place> _ is _ unsupported|prohibited|<barred>", "not serve|operate|offer … in|from your <place>",
            "not|no _ allowed|permitted|<served> in|from|for your <place>", "unavailable|prohibited|<barred> in|from|for your <place>",
            "unsupported country|region",
            // Other languages. Hunyuan; Zhipu, 1110 and 1111: "您的账户当前处于非活跃状态。"
            "欠费|余额不足|余量已用尽|购买资源包|额度不足|额度已用尽|套餐已到期|套餐已过期|身份验证失败|非活跃状态|非活动状态|地区不支持", "账户|账号 ~ 已被|已停|已冻结|已禁",
            "账户不存在|账号不存在|令牌无效|令牌已|无效的令牌|令牌状态不可用|密钥无效|密钥已|无效的密钥|服务未开通", "api key|api 密钥|api密钥|apikey ~ 无效|已过期|已失效|已被",
            "guthaben|kontingent|kreditlimit|budget ~ aufgebraucht|erschopft|verbraucht|unzureichend", "guthaben ~ leer|reicht",
            "nicht|kein genugend|ausreichend|genug guthaben", "api|zugangs schlussel|key|token ~ ungultig*",
            "zugangstoken|zugangsschlussel ~ ungultig*|gesperrt|abgelaufen", "schlussel ~ gesperrt|abgelaufen|widerrufen|deaktiviert",
            "konto|abonnement ~ gesperrt|deaktiviert|inaktiv", "ihr*|dein* land|region ~ nicht _ unterstutzt|verfugbar",
            "solde|credit* ~ insuffisant*|epuise*", "cle|jeton ~ revoque*|expire*|desactive*", "cle|jeton … api|acces … invalide*",
            "compte|abonnement ~ suspendu*|desactive*|bloque*|expire*", "saldo|fondos|fundos|credit* ~ insuf*|agotad*|esgotad*|esaurit*",
            "clave|chave|chiave ~ revocad*|revogad*|revocat*|expir*|scadut*|caducad*|desactivad*|desativad*",
            "clave|chave|chiave … api|acces*|aces* … invalid*", "clave|chave|chiave|cle … api|acces*|aces* … no|nao|non|pas _ valid*",
            "cuenta|conta|account ~ suspendid*|suspens*|sospes*|bloquead*|bloccat*|desactivad*|desativad*|disattivat*",
            "残高|クレジット ~ 不足|使い切|ありません", "apiキー ~ 無効|期限|失効|正しく", "アカウント ~ 停止|凍結", "アカウントが無効|アカウントは無効", "잔액*|크레딧* ~ 부족*|소진*",
            "api 키* ~ 유효하지|만료*|잘못*|비활성*", "계정* ~ 정지*|비활성*|차단*",
            "баланс*|средств*|кредит*|квот* ~ исчерпан*|недостаточно|закончил*|израсходован*", "api ~ недейств*|неверн*",
            "ключ* ~ отозван*|заблокирован*|просрочен*", "аккаунт*|учетн* ~ заблокирован*|отключен*|приостановлен*",
        ],
        genericCodes: [
            "authentication_error", "permission_error", "permission_denied", "permissiondenied", "unauthenticated", "unauthorized",
            "forbidden", "access_denied", "accessdenied", "accessdeniedexception", "quota_exceeded", "authentication",
        ])

    /// The account may not use this model, and may use others. The words of a refused account come first. Alibaba;
    /// Hugging Face; GitHub Models; Moonshot; SiliconFlow; OpenRouter; z.ai, 1220; new-api.
    private static let modelAccess = ErrorFamily(
        failure: .notFound,
        phrases: [
            "access to … model … denied|restricted|forbidden", "no _ access|permission|right _ _ model",
            "permission to use|access|call|invoke|run … model", "not found the model", "model _ is _ disabled",
            "not _ <allowed> to access|use|sample|call|invoke … model", "model disabled $", "key to access _ model",
            "model _ is not allowed|permitted|enabled|activated for", "not activated the model", "无权访问|无权使用模型",
        ])

    /// The prompt is too long. A 429 with such words is about the tokens of a minute.
    private static let length = ErrorFamily(
        failure: .contextOverflow, ignoredStatuses: [429], includesQuotes: true,
        codes: [
            // OpenAI, Groq [OpenHands#1902], llama.cpp, Anthropic, GitHub [cline#995], Copilot [opencode#2464], Baidu
            "context_length_exceeded", "exceed_context_size_error", "request_too_large", "payload_too_large", "string_too_long",
            "tokens_limit_reached", "model_max_prompt_tokens_exceeded", "model_context_window_exceeded", "context_window_exceeded",
        ],
        phrases: [
            // The prompt is over the limit. Gemini; Together; Copilot; Moonshot; llama.cpp; Bedrock; Yi; LMDeploy
            "<prompt> … exceed* … <bound>", "<prompt> … length|limit|window|size … exceed*", "input|prompt token exceed*",
            "number of token exceed*", "exceed* … context|prompt|input window|length|size|limit",
            "exceed* … max|maximum|allowed context|token", "exceed* the maximum number of token", "exceed* the|this model s context",
            "exceed* _ available|this|the context", "<prompt> … longer|larger|greater|more than … <bound>",
            "longer|larger|greater than the maximum|context|model", "prompt|input is longer than", "outside the context window",
            "<prompt> _ _ over|above|beyond _ _ _ limit|max|maximum|context|window", "over|above _ token limit", "more token than",
            "fit _ _ _ context", "context|window|length _ reached|overflow|full",
            "context limit|window|length|size reached|overflow|exhausted|full", "text|sequence length _ exceed*", "content length exceed*",
            "length of <prompt>|message … exceed*", "token exceed* the max|maximum|limit", "max|maximum token … exceed*",
            "exceed* the limit of … tokens", "token which exceed*", "token count … exceed*", "exceed* max message token",
            "exceed* max_num_tokens", "token more than _ _ this model",
            // The limit or the number comes first. OpenAI; xAI; Vertex: "only supports up to 32768"; AI21; Baidu
            "max|maximum _ _ context|prompt|input|sequence length|size", "max|maximum input characters|token", "max_seq_len",
            "max_model_len", "max_position_embeddings", "token … only supports up to", "input|prompt token … support up to|no",
            "input|prompt token … no more than", "text length is _ which is outside the range", "total number of token",
            "token max|maximum|limit is", "token but|the max|maximum|limit is", "token but the max|maximum|limit is",
            "token but _ _ context|limit|window|prompt|input is|has", "context window|size|length|limit is _ _ token",
            "context length of only", "reached context length",
            "prompt|input|token length|count … context|max|maximum|model length|limit|size|window", "prompt|input token _ context length",
            "prompt|input|context token|length _ limit|max|maximum",
            // The rule. Together, 403: "must be less than the context length"; text-generation-inference; Cohere
            "<prompt> token|length … must|should be less|within|below|smaller|under|shorter|at", "`inputs` must have less than",
            "token in the prompt cannot exceed", "total token … not exceed", "length of messages must be less",
            "prompt|input … shorter than", "range of input length should be",
            // Too long. Anthropic: "prompt is too long"; Bedrock; nginx; Groq [continue#10218]; MiniMax, 1039
            "input|prompt|token|context|conversation|message|body|payload length|is too long|large", "request|text _ too long",
            "input|prompt token must|should|may|can not exceed*",
            "input|prompt|conversation|context text|content|message|history|length _ too long",
            "input|prompt|token|context|conversation|message|body|payload too long|large", "too long|large for … model",
            "^ too long input|prompt", "too many _ token", "request|body|content entity too large", "payload size exceed*",
            "max size … tokens", "physical batch size", "reduce the length of the|your", "history _ too long", "reduce your message|prompt",
            "shorten your prompt|input|message", "decrease input length", "n_ctx", "max_tokens … model limit",
            "<prompt> token|length over|above … limit|length", "input|prompt length … out of _ session|context|range", "^ token limit $",
            "max|maximum length of _ question|prompt|query|conversation|dialogue|context is", "expected maxlength",
            "contextwindowexceedederror", "exceed* _ _ context|token limit",
            // Other languages. Hunyuan; Baidu; iFlytek, 10907: "token数量超过上限"; GigaChat; Yandex
            "输入过长|超长|最大上下文长度|最大长度限制|超出最大|超过最大长度|上下文超|上下文长度|长度超|token数超|token数量超|请减少输入", "内容过长|文本过长|提示过长|提示词过长|上下文过长|消息过长",
            "上下文|输入|提示 ~ 超过|超出|过长", "tokens|token数 ~ 超过|超出|过长", "длин* контекста|запроса",
            "слишком длин* ~ контекст*|запрос*|промпт*|сообщени*|ввод", "контекст* ~ превышен*|превышает|превысил*",
            "максимальн* количество токен*", "eingabe|prompt|kontext|nachricht|anfrage ~ zu lang", "kontext* ~ uberschreite*|uberschritten",
            "prompt|entree|contexte|requete|message ~ trop long*", "depass* ~ contexte|tokens",
            "prompt|entrada|contexto|mensaje|mensagem ~ demasiado|muito|demasiad* larg*|long*|extens*",
            "exced*|super*|ultrapass* ~ contexto|contesto|token", "prompt|input|contesto|messaggio ~ troppo lung*",
            "プロンプト|入力|コンテキスト|トークン ~ 長すぎ|超え|超過", "프롬프트*|입력*|컨텍스트*|토큰* … 너무 길*|깁*", "프롬프트*|입력*|컨텍스트*|토큰* ~ 초과*",
        ])

    /// A content filter has stopped the request or the response.
    private static let filter = ErrorFamily(
        failure: .contentFilter,
        codes: [
            // Azure; OpenAI; OpenRouter; Alibaba; new-api [lobe-chat, error patterns]; Volcengine; Baidu; Portkey, 446
            "content_filter", "responsibleaipolicyviolation", "content_policy_violation", "refusal", "censorship_blocked",
            "moderation_blocked", "image_generation_user_error", "cyber_policy", "data_inspection_failed", "datainspectionfailed",
            "sensitive_words_detected", "sensitivecontentdetected", "inputtextsensitivecontentdetected",
            "outputtextsensitivecontentdetected", "unsafe_request", "ipinfringementsuspect", "faqruleblocked", "hooks_failed",
        ],
        phrases: [
            // What has stopped it. Azure; OpenAI [litellm, exception_mapping_utils.py]; Bedrock; Portkey
            "content management policy", "content filter|filtering|policy", "responsible ai practice|policy|guideline",
            "result of our safety system", "by guardrail", "guardrail interven*", "guardrail check … failed", "moderation failed",
            "<guard> _ <stopped>", "<guard> ~ trigger*", "not pass _ <guard>", "moderation|safety check|review|filter _ failed",
            "<stopped> by|for|under|due … <guard>", "<stopped> by _ content|filter", "request blocked by policy",
            "<stopped> by|under _ _ usage|use|safety|moderation|content policy|guideline|rule", "flagged by … policy|classifier|abuse",
            "not _ allowed|permitted|acceptable by|under|according … safety|content|moderation policy|system|filter|guideline",
            "model refused to … policy|safety", "flagged for|as", "limited|restricted access … content … safety",
            // What is stopped. Anthropic: "Output blocked by content filtering policy"; Gemini; Cloudflare; Cohere
            "prompt|input|output|response|message _ is|blocked|flagged _ blocked|flagged",
            "prompt|input|output|content|response|message blocked|flagged", "content is flagged", "content … is blocked $",
            "input|output data is _ blocked|rejected|flagged", "^ blocked input|output|prompt|content $",
            "prompt|input|output|content|response|message rejected|denied|refused … policy|safety|moderation|filter|risk|harmful|sensitive",
            // A rule. xAI: "Content violates usage guidelines." [new-api, violation_fee.go]; Hunyuan, 4001; LiteLLM
            "violate|violated|violating|breach … <guideline>", "goes against … <guideline>", "safety|content|policy violation",
            "content|safety|usage|moderation policy|guideline _ violated",
            // What is in it. DeepSeek: "Content Exists Risk"; Moonshot; MiniMax, 1026; Alibaba; z.ai, 1301
            "content exists risk", "considered high|sensitive|unsafe|harmful|inappropriate", "deny listed", "denylisted",
            "contain* disallowed|forbidden|objectionable|toxic content|material",
            "inappropriate|prohibited|harmful|nsfw|unsafe|illegal|sexual|violent|hateful content", "sensitive content|word|information",
            "unsafe or sensitive", "input|output new sensitive", "input|output sensitive", "pii _ detected|found",
            "jailbreak|injection attack|attempt|detect*", "contentpolicyviolationerror", "ip|copyright infringement",
            // Other languages. Hunyuan; Xfyun, 10013: "用户问题涉及敏感信息，审核不通过"
            "敏感词|敏感内容|敏感信息|违规信息|违规内容|内容违规|内容不合规|审核不通过|审核未通过", "inhaltsfilter*|inhaltsrichtlinie*",
            "inhalt|prompt|eingabe ~ blockiert|gefiltert", "verstoss* … richtlinie*|nutzungsbeding*",
            "filtre|filtrage|moderation de contenu|contenus", "contenu|prompt ~ bloque|inapproprie|interdit",
            "enfrein*|viole … politique|conditions|regles", "filtro de|dei|di contenido|conteudo|contenuti",
            "contenid*|conteudo|contenut*|prompt ~ bloquead*|bloccat*|inapropiad*|inadequad*|inappropriat*",
            "infring*|viola … politic*|normas|diretriz*|directric*|norme|linee", "コンテンツフィルタ", "コンテンツ|プロンプト|入力 ~ ブロック|不適切", "ポリシー|規約 ~ 違反",
            "콘텐츠*|프롬프트* ~ 차단*|부적절*", "콘텐츠 필터*", "정책* 위반*", "фильтр* контента|содержимого", "запрещенн* контент*",
            "контент*|промпт*|модерац* ~ заблокирован*|недопустим*", "нарушает … правил*|политик*",
        ])

    /// A refusal that names a model, in any words but those of a prompt that is too long, or filtered. Vertex: "Please
    /// enable the model x in Model Garden"; Anthropic: "workspace does not have access to x"
    private static let modelRefused = ErrorFamily(
        failure: .notFound, onlyStatuses: [401, 403],
        phrases: [
            "access … model", "not … model", "model … not|denied|restricted|disabled|blocked|forbidden|requires", "enable _ model",
            "workspace|plan|tier|subscription … not have|include access to",
        ])

    /// A refusal that says no more than its status. The name of a model says more, and so does a 404. Bedrock:
    /// "Operation not allowed"
    private static let generallyRefused = ErrorFamily(
        failure: .providerRejected, ignoredStatuses: [404, 410],
        phrases: ["^ unauthorized $", "^ permission denied $", "^ operation not allowed $", "^ access denied $"])

    /// The words for anything that is not supported. Other families have words of their own for a region, a model, …
    private static let generallyUnsupported = ErrorFamily(
        failure: .unsupported, onlyStatuses: [400, 422, 500, 501],
        phrases: [
            // Bedrock; Groq; llama.cpp; Cerebras: "logit_bias is not supported"; GigaChat
            "not _ support", "unsupported", "не поддержива*", "unterstutzt … keine|nicht", "nicht unterstutzt", "pas _ pri* en charge",
            "prend pas en charge", "no|nao|non admite|soporta|supporta*|suporta*", "no|nao _ compatible|compativel",
            "サポートしていません|サポートされていません|対応していません", "지원하지|지원되지 않*",
        ])

    /// A request that any model would refuse, in words that say no more. They count where the status says nothing.
    /// MiniMax, in a 200, 2013: "invalid params, chat content is empty"; 1042; Baidu, 336003.
    private static let generallyMalformed = ErrorFamily(
        failure: .clientError, onlyStatuses: [400],
        phrases: [
            "invalid param|parameter|argument|request", "invisible character", "message|content|prompt|input _ is empty|missing|invalid",
            "message length must be",
        ])
}
