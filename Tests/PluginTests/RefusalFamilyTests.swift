import Codecs
import OpenAICompatible
import ProviderKit
import Testing

/// Families of words, each with the statuses that upstreams send them with, and what must not be taken for them.
@Suite("a family of words says what is at fault")
struct RefusalFamilyTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "the account, with any status",
        arguments: [
            // Alibaba's Model Studio, 400, as documented; Anthropic, 400, subscription tokens
            "The prepaid bill is overdue.", "The postpaid bill is overdue.", "Commodity has not purchased yet.",
            "Third-party apps now draw from your extra usage, not your plan limits. Add more at claude.ai/settings/usage and keep going.",
            // Zhipu, 429, 1110 and 1111; Baidu, 200, 14 and 15
            "您的账户当前处于非活跃状态。请检查账户信息", "您的账户不存在", "IAM Certification failed", "app not exists or create failed",
            // one-api and new-api
            "user quota is not enough", "insufficient_user_quota",
            // Bills, budgets and balances
            "Payment overdue", "Your invoice is unpaid", "The account is in arrears", "Credit limit reached", "Monthly budget exceeded",
            "Team budget has been exceeded", "You've reached your monthly credit allowance", "Token quota exhausted", "Quota depleted",
            "Wallet balance too low", "Your balance is negative", "Billing quota exceeded: please increase your limits",
            "Billing not enabled for this project", "Billing has not been activated", "Account balance insufficient",
            "Balance insufficient", "Your balance is 0", "Credits depleted",
            // Portkey, 412
            "Portkey Error: API Key budget exhausted",
            // Accounts
            "Account is locked", "account not active", "account is inactive", "Account not activated",
            "Your organization must be verified to use this API",
            // Keys
            "API key disabled", "API key revoked", "This API key has been deleted", "The API key provided is not valid",
            "No API key provided", "No valid API key found", "API Key 无效", "密钥已过期", "令牌无效",
            "Key has been revoked", "Unauthorized: key revoked",
            // Addresses and regions
            "IP address not whitelisted", "Your IP address is not allowed", "Access from your region is not allowed",
            "Service unavailable in your country", "Your country is not supported", "您的地区不支持",
            // Accounts in Chinese and Russian
            "账号已被封禁", "套餐已过期", "Недостаточно средств на балансе", "Неверный API ключ", "Аккаунт заблокирован",
        ])
    func account(message: String) {
        for status in [200, 400, 403, 429, 500] { #expect(failure(status, message) == .providerRejected, "\(status)") }
    }

    @Test(
        "codes of a refused account",
        arguments: [
            #"{"code":"PrepaidBillOverdue","message":"x"}"#, #"{"code":"PostpaidBillOverdue","message":"x"}"#,
            #"{"code":"CommodityNotPurchased","message":"x"}"#,
            // LiteLLM's proxy, 400, for a key that isn't its master key
            #"{"error":{"message":"No connected db.","type":"no_db_connection","param":null,"code":"400"}}"#,
        ])
    func accountCode(body: String) { #expect(failure(400, body: body) == .providerRejected) }

    @Test(
        "a limit that speaks of an account, a plan or credits passes by itself",
        arguments: [
            "Your account has reached its rate limit for this model. Upgrade your plan to raise it.",
            "You've hit the limit of free requests per minute. Add credits to raise it", "Resource has been exhausted (e.g. check quota).",
            "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
            "Too many connections from your account", "Your team's budget of requests per minute is exceeded",
            "Request limit for your tier reached. try again in 5 minutes",
            "No capacity available for this model", "Model x is in preview; its limits are lower", "账号已达到速率限制",
            "You have reached your weekly usage limit, upgrade for higher limits",
        ])
    func limit(message: String) { #expect(failure(429, message) == .rateLimited) }

    @Test(
        "a load or a limit that passes by itself, with a status that says something else",
        arguments: [
            // MiniMax, 200, 1041 and 2045; Fireworks, 503; API Gateway, 503
            (200, "conn limit"), (200, "rate growth limit"), (503, "Deployment is scaling up from zero replicas. Please retry."),
            (503, "Rate exceeded."), (400, "Throughput limit exceeded"), (400, "cold start, please retry"),
            (400, "Limit reached, try again in 30 seconds"), (400, "请求过于频繁"), (400, "服务器繁忙，请稍后再试"), (400, "并发数超限"),
            (400, "触发限流"), (400, "Слишком много запросов"), (400, "Сервис перегружен"),
        ])
    func load(status: Int, message: String) { #expect(failure(status, message) == .rateLimited) }

    @Test(
        "a prompt that is too long, whatever the status is",
        arguments: [
            // Together, 403; Baidu's v2, 400
            "Input token count + max_tokens parameter must be less than the context length of the model being queried",
            "the length of input tokens must be less than 7168", "tokens_too_long",
            "Prompt of 9000 tokens does not fit the context of 8192", "Prompt has 9,000 tokens, but the context size is 8,192 tokens",
            "Your prompt contains 9000 tokens; the maximum is 8192", "Prompt length (9000) > context length (8192)",
            "This model's context window is 8192 tokens; the request needs 9000",
            "You passed 9001 input tokens and requested 0 output tokens. However, the model's context length is only 8192 tokens",
            "Messages have 9000 tokens, which exceeds the max limit of 8192 tokens", "input_tokens must be at most 32768, got 40000",
            "sequence length 9000 exceeds the model's max_position_embeddings 8192", "Input text is too long (max 20000 characters)",
            "input content is too long, please shorten it", "text length exceeds limit",
            "Requested tokens (9000) exceed context window of 8192",
            "max tokens of 8192 exceeded", "提示词过长", "Слишком длинный контекст",
            "This request would exceed the model's context", "requested 9000 tokens but the context is 8192",
            "Too long: input has 9000 tokens, max is 8192", "context window full",
            "please shorten your prompt: it is over the token limit",
            "The prompt contains 40000 tokens, more than the 32768 this model can take",
            "The model foo has a context of 8192 tokens but your prompt has 9000 tokens",
            // Words that name the model, which alone would mean that it is refused
            "prompt too long: the model does not accept more than 8192 tokens", "The model's context length must not exceed 8192 tokens",
            "Запрос слишком длинный: превышено максимальное количество токенов",
        ])
    func length(message: String) {
        for status in [200, 400, 403, 413, 422, 500] { #expect(failure(status, message) == .contextOverflow, "\(status)") }
    }

    @Test(
        "a limit of the response is for the next model",
        arguments: [
            // Bedrock, 400
            "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
            "max_tokens (64000) exceeds the maximum of 8192 output tokens for this model",
            "max_completion_tokens exceeds the limit of 16384", "maxTokens exceeds the model limit",
            "Requested output tokens exceed the maximum", "max_tokens is larger than 8192",
        ])
    func outputLimit(message: String) {
        for status in [200, 400, 422, 500] { #expect(failure(status, message) == .unsupported, "\(status)") }
    }

    @Test(
        "a text of something else than the prompt that is too long is the client's",
        arguments: [
            ("input[3].call_id", true), ("input[0].name", true), ("messages[1].name", true), ("messages[0].tool_calls[0].id", true),
            ("tools[0].function.name", true), ("user", true), ("input", false), ("input[0].content[0].text", false),
            ("input[2].output", false), ("messages[1].content", false), ("messages", false),
        ])
    func longText(param: String, isClients: Bool) {
        // OpenAI, 400
        let body =
            #"{"error":{"message":"Invalid '\#(param)': string too long. Expected a string with maximum length 64, but got a string with length 70 instead.","#
            + #""type":"invalid_request_error","param":"\#(param)","code":"string_above_max_length"}}"#
        #expect(failure(400, body: body) == (isClients ? .clientError : .contextOverflow))
    }

    @Test(
        "a content filter, whatever the status is",
        arguments: [
            // Cohere, 498; Alibaba, 400, as documented; LiteLLM
            "blocked input: the prompt contains a deny-listed token, please refer to our usage policy",
            "Input data is suspected of being involved in IP infringement.", "Input or output data is blocked by faq rule.",
            "Blocked entity detected: CREDIT_CARD by Guardrail: presidio. This entity is not allowed to be used in this request.",
            "{'error': 'Rejected message. This is a prompt injection attack.'}",
            "litellm.ContentPolicyViolationError: litellm.BadRequestError: AzureException - x",
            "Request denied by content safety policy", "Jailbreak attempt detected; request blocked",
            "This prompt triggers our responsible AI policy", "Your message contains disallowed content",
            "Request blocked by Azure AI Content Safety", "content_moderation_failed", "Message rejected due to our safety policy",
            "The model refused to process this content due to policy (self-harm)", "Prompt blocked", "Your input was blocked",
            "The content you provided or machine outputted is blocked.", "您的问题涉及敏感内容，请修改后重试", "内容不合规", "输入内容包含违规信息",
            "Запрос заблокирован фильтром контента",
            "Your prompt has been flagged by our abuse detection system", "Guardrail intervention: request blocked",
            "PII detected, request blocked by policy", "The input contains content that isn't permitted by our safety guidelines",
            "The selected model's safety system rejected your prompt",
            // Words that name the model, which alone would mean that it is refused. The first is OpenRouter's, 403.
            "Your chosen model requires moderation and your input was flagged",
            "The model foo has a content filter which blocked your input",
            "Access to this model was blocked because the prompt violates the usage policy",
            "The model blocked this prompt: not allowed by the safety policy",
            "The model denied the request because of the content policy",
        ])
    func filter(message: String) {
        for status in [200, 400, 403, 422, 498, 500] { #expect(failure(status, message) == .contentFilter, "\(status)") }
    }

    @Test("a reason without a message is a code")
    func reason() {
        #expect(failure(400, body: #"{"error":{"reason":"content_policy_violation"}}"#) == .contentFilter)
        #expect(failure(403, body: #"{"error":{"reason":"insufficient_quota"}}"#) == .providerRejected)
    }

    @Test(
        "a malformed message and its blocks are the client's",
        arguments: [
            "messages.0.content.0: content block must have a type", "Invalid content block: missing 'text'",
            "Expected content block of type text, got null", "all content blocks must be objects", "content_block.type is required",
            "cache_control can only be applied to content blocks", "content block at index 0 is empty", "message block 2 is malformed",
            "prompt block must not be null", "messages: text content blocks must be non-empty", "Message rejected: missing 'role'",
            "Input rejected: messages must be an array", "prompt rejected: must be a string", "A content block was rejected: missing type",
            "content: access to the URL was blocked by robots.txt", "Invalid ID: msg_1", "name is too long", "tool description is too long",
            "Image is too large: max 20MB", "Could not process image",
            "Private IP addresses are not allowed in image URLs", "无效的API请求", "Неверный ключ в объекте",
            "Thinking tokens exceeded the budget",
            // A field that the client names as it likes.
            "spend limit must be a number", "rate limit must be a number", "payment_method is a required property",
            "properties.payment.required: expected array", "properties.account.suspended: expected boolean",
            "Enum values must be unique: content_filter, stop", "duplicate enum value model_not_found",
            "remote MCP server 'billing' returned: Payment Required",
        ])
    func malformed(message: String) {
        for status in [400, 422] { #expect(failure(status, message) == .clientError, "\(status)") }
    }

    @Test(
        "a malformed request in a response with status 200 is the client's",
        arguments: [
            // MiniMax, 2013 and 1042; Baidu, 336003
            #"{"choices":null,"base_resp":{"status_code":2013,"status_msg":"invalid params, chat content is empty (2013)"}}"#,
            #"{"choices":null,"base_resp":{"status_code":1042,"status_msg":"invisible character ratio limit exceeded"}}"#,
            #"{"error_code":336003,"error_msg":"messages length must be odd"}"#,
        ])
    func malformedInSuccess(body: String) {
        #expect(ErrorBody(Array(body.utf8).span.bytes)?.failureClass(status: nil) == .clientError)
    }

    @Test(
        "one model",
        arguments: [
            ([400, 403, 404, 500], "no provider available for model foo"), ([400, 403, 404, 422], "Unsupported model: foo"),
            ([400, 403, 404], "There is no model named foo"), ([400, 403, 404], "No deployment named foo"),
            ([400, 403, 404], "The model you requested has reached end of life"),
            ([400, 403, 404], "该模型未开通"), ([400, 403, 404], "未找到模型 foo"), ([400, 403, 404], "Модель недоступна для вашего аккаунта"),
            ([400, 403], "Model x is private and you are not allowed to use it"), ([400, 404], "Not a valid model"),
            // Hugging Face; OpenRouter
            ([400, 403], "Access to model x requires accepting the license at https://huggingface.co/x"),
            ([400], "Model x/y is not supported for task conversational and provider together. Supported task: text-generation."),
            ([400, 403], "Requested model x is in preview and your organization isn't allow-listed"),
            ([400, 403], "The model is not allowed by your routing policy"), ([400, 404, 503], "Deployment x is being deleted"),
            ([400, 403, 503], "Model x is currently disabled by the administrator"), ([400, 403], "Model not enabled for this key"),
            ([400], "model foo is not in the allowed list"), ([400], "does not recognize model foo"), ([400], "model_not_supported"),
            // LM Studio and TabbyAPI, 400; Volcengine, 429, whose free tokens are each model's
            ([400], "Model unloaded."), ([400], "No models are currently loaded."),
            ([429], "Your account 2100 has exhausted its free trial quota for the model doubao-x."),
        ])
    func model(statuses: [Int], message: String) {
        let type = message.hasPrefix("The model is not allowed") ? "model_not_allowed" : nil
        for status in statuses {
            #expect(failure(status, message, type: type) == .notFound, "\(status)")
        }
    }

    @Test("a model that is busy or restarts is not missing", arguments: [503, 529])
    func unavailable(status: Int) {
        // Alibaba, 503, as documented
        let body = #"{"code":"ModelUnavailable","message":"Model is unavailable, please try again later."}"#
        #expect(failure(status, body: body) == .upstreamError)
    }

    @Test(
        "what this model does not serve is for the next one",
        arguments: [
            // Fireworks; Zhipu, 1212; llama.cpp; Vertex; OpenAI; serde
            (400, "Requests with max_tokens > 4096 must have stream=true"), (400, "当前模型不支持SSE调用方式"),
            (400, "Cannot use custom grammar constraints with tools."),
            (500, "Assistant response prefill is incompatible with enable_thinking."),
            (400, "Thinking_config.include_thoughts is only enabled when thinking is enabled."),
            (400, "Zero data retention orgs cannot use background mode"),
            (400, "unknown variant `developer`, expected one of `system`, `user`, `assistant`, `tool`"),
            (400, "Unsupported content block type: document"), (400, "Cannot process images: text-only model"),
            (400, "Only one of temperature and top_p may be set for this model"), (400, "temperature must be 1 for this model"),
            (400, "Expected content to be a string, but got an array"), (400, "JSON schema response format unavailable for this model"),
            (400, "Model does not allow setting temperature"), (400, "Image size must be at most 4 MP for this model"),
            (400, "不支持的参数: top_k"), (400, "参数 response_format 不支持"),
            // vLLM's older versions
            (
                400,
                "[{'type': 'extra_forbidden', 'loc': ('body', 'foo'), 'msg': 'Extra inputs are not permitted', 'input': 1}]"
            ),
        ])
    func unsupported(status: Int, message: String) { #expect(failure(status, message) == .unsupported) }

    private func failure(_ status: Int, _ message: String, type: String? = nil) -> FailureClass {
        var body = JSONWriter()
        body.object {
            $0.key("error")
            $0.object {
                $0.member("message", message)
                if let type { $0.member("type", type) }
            }
        }
        return failure(status, body: String(decoding: body.bytes, as: UTF8.self))
    }

    private func failure(_ status: Int, body: String) -> FailureClass {
        let bytes = Array(body.utf8)
        // An error inside a successful response.
        if status == 200 { return ErrorBody(bytes.span.bytes)?.failureClass(status: nil) ?? .upstreamError }
        return provider.failure(head: UpstreamHead(status: status), body: bytes.span.bytes).failure
    }
}
