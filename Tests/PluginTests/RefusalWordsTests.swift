import Codecs
import OpenAICompatible
import ProviderKit
import Testing

/// Messages as providers word them, and what each says is at fault. Their codes say nothing.
@Suite("what the words of a refusal say is at fault")
struct RefusalWordsTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "what the model does not support is for the next model",
        arguments: [
            (400, #"This model doesn't support tool use in streaming mode."#),
            (400, #"The model is unsupported for streaming."#),
            (500, #"Unsupported param: tools"#),
            (500, #"tools param requires --jinja flag"#),
            (400, #"invalid temperature: only 1 is allowed for this model"#),
            (400, #"This model doesn't support system messages. Try again without system messages."#),
            (400, #"This model doesn’t support documents."#),
            (400, #"property 'reasoning_effort' is unsupported"#),
            (422, #"logit_bias is not supported"#),
            (400, #"Argument not supported on this model: stop"#),
            (422, #"Grammar is not supported"#),
            (400, #"Invalid request: image input not supported"#),
            (400, #"Invalid JSON payload received. Unknown name "seed": Cannot find field."#),
            (400, #"deepseek-reasoner does not support this tool_choice"#),
            (400, #"The model is not a VLM (Vision Language Model). Please use text-only prompts."#),
            (400, #"This model only support stream mode, please enable the stream parameter to access the model."#),
            (400, #"parameter.enable_thinking must be set to false for non-streaming calls"#),
            (400, #"`temperature` and `top_p` cannot both be specified for this model. Please use only one."#),
            (400, #"tools not supported"#),
            (400, #"n > 1 is not supported"#),
            (400, #"presence_penalty isn’t currently supported"#),
            (400, #"Penalty is not enabled for models/gemini-2.5-flash"#),
            (400, #"Unsupported value: 'temperature' does not support 0.2 with this model."#),
            (400, #"Your organization must be verified to stream this model."#),
            (400, #"Malformed input request: extraneous key [top_k] is not permitted, please reformat your input and try again."#),
            (422, #"Template error: invalid operation: Conversation roles must alternate user/assistant (in <string>:1)"#),
            (402, #"Prompt is too expensive for your remaining balance: requires 0.5 credits, have 0.2. Reduce max_tokens."#),
            // The content may also be parts, which another model takes.
            (400, #"messages[0].content must be a string"#), (400, #"'messages[0].content' must be a string"#),
            (422, #"messages.0.content: Input should be a valid string"#),
            // A field that another server knows.
            (400, #"Invalid JSON payload received. Unknown name "foo": Cannot find field."#),
            (
                402,
                #"Prompt tokens limit exceeded: 32100 > 20221. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account"#
            ),
        ])
    func unsupported(status: Int, message: String) {
        #expect(failure(status, message) == .unsupported)
    }

    @Test(
        "every wording of a prompt that is too long",
        arguments: [
            (400, #"Prompt exceeds max context"#),
            (400, #"Input Tokens Exceeded: Number of input tokens exceeds maximum length. Please update the input to try again."#),
            (400, #"Unable to submit request because the input token count is 40000 but model only supports up to 32768."#),
            (
                400,
                #"AiError: The estimated number of input and maximum output tokens (60000) exceeded this model context window limit (7968)."#
            ),
            (
                413,
                #"AiError: The estimated number of input and maximum output tokens (60000) exceeded this model context window limit (7968)."#
            ),
            (400, #"litellm.ContextWindowExceededError: too big"#),
            (400, #"Number of input tokens must be no more than 32768, got 40123"#),
            (400, #"Text length is 40000, which is outside the range (0, 32000]"#),
            (422, #"Prompt has 9000 tokens, but the maximum is 8191"#),
            (413, #"Payload too large"#),
            (400, #"the max input characters is 24000"#),
            (400, #"Prompt 超长"#),
            (400, #"输入长度超过模型最大上下文长度限制"#),
            (400, #"This exceeds the model's context window of 8192"#),
            (500, #"Context length of 8192 exceeded"#),
            (400, #"Total tokens (9000) exceed model limit"#),
            (400, #"9000 > max_model_len"#), (400, #"the max length of current question is 4800"#),
            (400, #"The messages exceed the maximum context"#),
            (429, #"Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 45000."#),
            (413, #"Request too large for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Requested 45000."#),
        ])
    func length(status: Int, message: String) {
        #expect(failure(status, message) == .contextOverflow)
    }

    @Test(
        "a refusal of the key or the account",
        arguments: [
            (400, #"invalid api token"#),
            (400, #"Invalid token"#),
            (400, #"Wrong API Key"#),
            (400, #"Access denied due to missing subscription key."#),
            (400, #"Invalid username or password."#),
            (400, #"The security token included in the request is expired"#),
            (400, #"Unknown api key 'AQV***'"#),
            (400, #"Forbidden: The API key is currently blocked: acl disabled"#),
            (400, #"Authentication error"#),
            (400, #"not enough balance"#),
            (400, #"your account has an overdue balance"#),
            (400, #"AI Gateway requires a valid credit card on file"#),
            (429, #"Quota exceeded and account balance is $0.0, please pay with fiat"#),
            (400, #"INVALID API KEY"#),
            (400, #"You’ve exceeded your monthly quota. Please add credits."#),
            (401, #"Model gpt-4o: Incorrect API key provided"#),
            (403, #"Your account balance is insufficient for the model x"#),
            (500, #"Error code: 401 - {'error': {'message': 'Incorrect API key provided: sk-x.'}}"#),
            (400, #"We don't know you: it's an invalid API key, isn't it"#),
            // Bedrock; watsonx; Google; xAI; Azure; OpenAI
            (400, #"Operation not allowed"#), (400, #"Your account is not authorized to invoke this API operation."#),
            (400, #"IAM token expired"#), (400, #"Token has been expired or revoked."#), (400, #"JWT expired"#),
            (400, #"Your team does not have any remaining prepaid credits"#), (400, #"Your free trial has ended"#),
            (400, #"Your subscription is disabled and therefore marked as read only."#),
            (400, #"You must be a member of an organization to use the API"#),
            (429, #"You have exhausted your free credits"#),
        ])
    func account(status: Int, message: String) {
        #expect(failure(status, message) == .providerRejected)
    }

    @Test(
        "a model that does not exist, or is not for this account",
        arguments: [
            (403, #"Access to model denied. Please make sure you are eligible for using the model."#),
            (401, #"key not allowed to access model. This key can only access models=['gpt-5']. Tried to access claude"#),
            (
                403,
                #"Access to model meta-llama/Llama-3 is restricted and you are not in the authorized list. Visit https://huggingface.co/meta-llama to ask for access."#
            ),
            (403, #"Not found the model moonshot-foo or Permission denied"#),
            (403, #"No access to model: o3"#),
            (403, #"Model disabled."#),
            (403, #"您无权访问 glm-5。"#),
            (403, #"该令牌无权使用模型：gpt-4o"#),
            (403, #"You are not allowed to sample from this model"#),
            (403, #"Model access is denied due to IAM user or service role is not authorized"#),
            (401, #"OpenAI is requiring a key to access this model"#),
            (403, #"Public API Endpoints for model x are disabled"#),
            (401, #"Model gpt-4o is not allowed for this API key"#),
            (403, #"Your organization must be verified to use the model `o3`. Please go to the settings."#),
            (400, #"Your organization must be verified to use the model `o3`."#),
            (400, #"Your organization must be verified to use the model `gpt-image-1`. If you just verified, it can take 15 minutes."#),
            (
                403,
                #"Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:Subscribe) to enable access to this model."#
            ),
            (403, #"This model is gated. Request access at https://huggingface.co/meta-llama"#),
            (400, #"Model 'foo' is not currently available in your region"#),
            (400, #"The model ID you provided is not valid"#), (422, #"model 'foo' is invalid"#),
            (400, #"Failed to load model "foo". Error: Model not found"#),
            (500, #"no available channels for model foo under group default"#), (503, #"当前分组 default 下对于模型 foo 无可用渠道"#),
            // The setting leaves out all hosts of this model, and others of the provider still have some.
            (
                404,
                #"No endpoints found matching your data policy (Free model publication). Configure: https://openrouter.ai/settings/privacy"#
            ),
            (404, #"No endpoints available matching your guardrail restrictions and data policy."#),
            (403, #"Your plan does not include the model x"#),
            (400, #"This is not a chat model and thus not supported in the v1/chat/completions endpoint."#),
            (400, #"This model is only supported in v1/responses and not in v1/chat/completions."#),
            (400, #"This model version has reached the end of its life."#),
            (400, #"model 'command' was removed on September 15, 2025."#),
            (400, #"The chatCompletion operation does not work with the specified model, text-embedding-ada-002."#),
            (400, #"No models loaded. Please load a model."#),
            (400, #"模型不存在，请检查模型代码。"#),
            (410, #"This model was deprecated"#),
            (400, #"The model `x` does not exist"#),
            (404, #"model "meta/llama-3.1:8b" not found, try pulling it first"#),
        ])
    func model(status: Int, message: String) {
        #expect(failure(status, message) == .notFound)
    }

    @Test(
        "what the address does not offer is no mistake of the client",
        arguments: [
            (405, #"Method Not Allowed"#),
            (405, #"<html><head><title>405 Not Allowed</title></head><body><h1>405 Not Allowed</h1></body></html>"#),
            (405, #"{"detail":"Method Not Allowed"}"#), (405, #"{"error":{"message":"HTTP method POST is not allowed","code":405}}"#),
        ])
    func notAllowed(status: Int, body: String) {
        let bytes = Array(body.utf8)
        #expect(provider.failure(head: UpstreamHead(status: status), body: bytes.span.bytes).failure == .unsupported)
        #expect(provider.failure(head: UpstreamHead(status: 400), body: bytes.span.bytes).failure == .clientError)
    }

    @Test(
        "a content filter",
        arguments: [
            (400, #"This prompt contains sensitive words that violate Google's Responsible AI practices."#),
            (451, #"The content you provided or machine outputted is blocked."#),
            (400, #"input new_sensitive"#),
            (400, #"内容违规，请修改后重试"#),
            (400, #"Your request violates our content policies"#),
            (400, #"blocked by guardrail"#),
            (400, #"sensitive words detected"#),
            (403, #"Request blocked by moderation guardrails: violence"#),
            (403, #"Guardrail blocked: content moderation policy violated"#),
            (400, #"Your request was blocked by our usage policy"#),
        ])
    func filter(status: Int, message: String) {
        #expect(failure(status, message) == .contentFilter)
    }

    @Test(
        "a limit or a load that passes by itself",
        arguments: [
            (503, #"server busy, please try again.  maximum pending requests exceeded"#),
            (503, #"Model service overloaded. Please try again later."#),
            (498, #"Flex tier capacity exceeded"#),
            (400, #"该模型当前访问量过大，请您稍后再试"#),
            (503, #"Loading model"#),
            (400, #"Open api qps request limit reached"#), (403, #"System is too busy now. Please try again later."#),
        ])
    func rate(status: Int, message: String) {
        #expect(failure(status, message) == .rateLimited)
    }

    @Test(
        "a model that can't be loaded does not pass by itself",
        arguments: [
            (500, #"llama runner process has terminated: error loading model: cannot find tokenizer merges"#),
            (503, #"Failed loading model weights"#),
            (500, #"unable to load model: /data/blobs/sha256-7dd"#),
        ])
    func broken(status: Int, message: String) {
        #expect(failure(status, message) == .upstreamError)
    }

    @Test(
        "the request itself is at fault",
        arguments: [
            (400, #"tool_call_id 'call_1' of 'model' message not found"#),
            (400, #"The file you gave the model, file-abc, does not exist."#),
            (400, #"Error while downloading https://shop.example/recharge.png"#),
            (400, #"Invalid schema for function 'recharge': In context=('properties', 'rate_limit'), array schema missing items."#),
            (400, #"Invalid 'metadata': key 'content_filter' is not a string"#),
            (400, #"stop upstream"#),
            (400, #"messages[0].name must be a string"#), (400, #"model must be a string"#),
            (400, #"messages[0].content must be a string or an array"#),
            (400, #"messages.0.content.str: Input should be a valid string; messages.0.content.list: Input should be a valid list"#),
            (400, #"`max_tokens` must be greater than `thinking.budget_tokens`."#),
            (400, #"Unexpected token } in JSON: invalid token"#),
            (400, #"messages.0.content.1.image.source.base64: image exceeds 5 MB maximum"#),
            (
                400,
                #"Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 129 instead."#
            ),
        ])
    func request(status: Int, message: String) {
        #expect(failure(status, message) == .clientError)
    }

    @Test(
        "what one client's request names or links to says nothing about the account and the model",
        arguments: [
            (400, #"Failed to download image: 402 Payment Required"#),
            (400, #"Failed to fetch image: 403, Access token expired."#),
            (400, #"Failed to retrieve image: API key expired"#),
            (403, #"CachedContent not found (or permission denied)"#),
            (
                403,
                #"service-1@gcp-sa-aiplatform.iam.gserviceaccount.com does not have storage.objects.get access to the Google Cloud Storage object."#
            ),
            (400, #"Authentication error while communicating with MCP server 'x'. Please check your authorization token."#),
            (404, #"Item with id 'rs_1' not found. Items are not persisted when `store` is set to false."#),
            (404, #"Conversation with id 'conv_1' not found."#), (404, #"Vector store with id 'vs_1' not found."#),
            (404, #"Not found: cached content metadata for 1."#),
            (400, #"messages: text content blocks must be non-empty"#),
            (400, #"messages: text content blocks must contain non-whitespace text"#),
        ])
    func ofOneClient(status: Int, message: String) {
        #expect(failure(status, message) == .clientError)
    }

    @Test(
        "wordings whose status says something else",
        arguments: [
            (429, #"您的账户已达到速率限制，请您控制请求频率"#, FailureClass.rateLimited), (503, #"The request queue is full."#, .rateLimited),
            (429, #"您的GLM Coding Plan套餐已到期"#, .providerRejected),
            (
                429,
                #"You are using a Trial key, which is limited to 1000 API calls / month. Upgrade to a Production key with higher rate limits"#,
                .providerRejected
            ),
            (429, #"Out of call volume quota. Quota will be replenished in 6.23:59:59."#, .providerRejected),
            (
                400, #"Access to Anthropic models is not allowed from unsupported countries, regions, or territories."#,
                .providerRejected
            ),
            (400, #"The plain HTTP request was sent to HTTPS port"#, .providerRejected),
            (400, #"No required SSL certificate was sent"#, .providerRejected),
            (400, #"Client sent an HTTP request to an HTTPS server."#, .providerRejected),
            (400, #"Reason: You're speaking plain HTTP to an SSL-enabled server port."#, .providerRejected),
            (421, #"Misdirected Request"#, .providerRejected),
            (429, #"Extra usage is required for long context requests."#, .unsupported),
            (400, #"The long context beta is not yet available for this subscription."#, .unsupported),
            (400, #"Function id 'a-b': DEGRADED function cannot be invoked"#, .upstreamError),
            (400, #"The model has crashed without additional information. (Exit code: 1)"#, .upstreamError),
            (400, #"该模型已下线"#, .notFound), (400, #"Model foo is disabled"#, .notFound),
            (400, #"prompt_tokens (5000) + max_tokens (4000) > model limit (8192)"#, .contextOverflow),
            (400, #"the length of messages must be less than 8000"#, .contextOverflow),
            (400, #"Text too long: 9001 tokens, limit 8000"#, .contextOverflow),
            (400, #"Request too long: 9000 tokens > 8192"#, .contextOverflow),
            (400, #"Your request was flagged by our safety classifier."#, .contentFilter),
        ])
    func byWords(status: Int, message: String, expected: FailureClass) {
        #expect(failure(status, message) == expected)
    }

    /// What a client may write into a role, a name or a key.
    private static let values = [
        "insufficient balance", "invalid api key", "unknown model", "rate limit", "content_filter", "recharge", "model not found",
        "a` insufficient balance `b", "a' invalid api key 'b",
    ]

    @Test(
        "what a message quotes from the request says nothing about the account, the model and the load", arguments: values,
        [
            ("unknown variant `", ""), ("unknown variant `", "`, expected one of `system`, `user` at line 1 column 60"),
            ("Role \"", "\" is not known"),
            ("Input should be 'user' or 'assistant', not '", "'"), ("Invalid value at 'messages[0].role' (TYPE_ENUM), \"", "\""),
            ("1 validation error [type=literal_error, input_value='", "', input_type=str]"),
            ("Invalid 'metadata': key '", "' is not a string"),
            ("Invalid value: '", "'. Supported values are: 'system' and 'user'."),
        ])
    func echoes(value: String, quote: (String, String)) {
        #expect(failure(400, quote.0 + value + quote.1) == .clientError)
        #expect(failure(422, quote.0 + value + quote.1) == .clientError)
    }

    private func failure(_ status: Int, _ message: String) -> FailureClass {
        var body = JSONWriter()
        body.object {
            $0.key("error"); $0.object { $0.member("message", message) }
        }
        return provider.failure(head: UpstreamHead(status: status), body: body.bytes.span.bytes).failure
    }
}
