import Codecs
import OpenAICompatible
import ProviderKit
import Testing

/// Refusals of many providers, with several statuses and in a response with status 200. The class does not depend on
/// the status.
@Suite("what refusals say is at fault, whatever their status")
struct RefusalStatusTests {
    let provider = OpenAICompatibleProvider(.sample)

    @Test(
        "a request that this model does not serve, in any wording and with any status",
        arguments: [
            ([200, 400, 403, 404, 422, 500], #"temperature is not supported for model o3"#),
            ([200, 400, 403, 404, 422, 500], #"response_format json_schema is not supported by model x"#),
            ([200, 400, 403, 404, 422, 500], #"Vision input is not supported for model x"#),
            ([200, 400, 403, 404, 422, 500], #"Streaming not supported for model x"#),
            ([200, 400, 403, 404, 422, 500], #"tool_choice 'required' is not supported for model x"#),
            ([200, 400, 403, 404, 422, 500], #"Invalid request: Image input not supported for model moonshot-v1"#),
            ([200, 400, 403, 404, 422, 500], #"Audio output is not supported for model y"#),
            ([200, 400, 403, 404, 422, 500], #"Function calling isn't enabled for model z"#),
            ([200, 400, 403, 404, 422, 500], #"logprobs are not supported with model q"#),
            ([200, 400, 403, 404, 422, 500], #"Structured outputs are not supported by model abc"#),
            ([200, 400, 422], #"Additional properties are not allowed ('reasoning_effort' was unexpected)"#),
            ([200, 400, 422], #"json: unknown field "reasoning_effort""#),
            ([200, 400, 422], #"reasoning_effort: extra fields not permitted"#),
            ([200, 400, 422], #"Failed to deserialize the JSON body into the target type: unknown field `reasoning_effort`"#),
            ([200, 400, 422], #"Request must not have additional property 'reasoning_effort'"#),
            ([200, 400, 422], #"Unrecognized field: reasoning_effort"#),
            ([200, 400, 422], #"Unknown field: reasoning_effort"#),
            ([200, 400, 422], #"Unexpected field 'reasoning_effort'"#),
            ([200, 400, 422], #"create() got an unexpected keyword argument 'reasoning_effort'"#),
            ([200, 400, 422], #"reasoning_effort is not a valid parameter"#),
            ([200, 400, 422], #"Image inputs are not enabled for model mistral-tiny"#),
            ([200, 400, 422], #"The model is not capable of processing images"#),
            ([200, 400, 422], #"Image input is disabled for this model"#),
            ([200, 400, 422], #"this model is missing data required for image input"#),
            ([200, 400, 422], #"At most 1 image(s) may be provided in one request."#),
            ([200, 400, 422], #"Too many images provided. This model supports up to 5 images"#),
            (
                [200, 400, 422],
                #"'messages.0' : for 'role:user' the following must be satisfied[('messages.0.content' : value must be a string)]"#
            ),
            ([200, 400, 422], #"This model requires that either input content or output modality contain audio."#),
            ([200, 400, 422], #"messages.content.type 参数非法，取值范围 ['text']"#),
            ([200, 400, 422], #"`top_p` is deprecated for this model."#),
            ([200, 400, 422], #"`temperature` may only be set to 1 when thinking is enabled."#),
            ([200, 400, 422], #"`temperature` is deprecated for this model."#),
            ([200, 400, 422], #"The model returned the following errors: `temperature` is deprecated for this model."#),
            (
                [200, 400],
                #"`temperature` may only be set to 1 when thinking is enabled or in adaptive mode. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#important-considerations-when-using-extended-thinking"#
            ),
            (
                [200, 400],
                #"The model returned the following errors: `temperature` and `top_p` cannot both be specified for this model. Please use only one."#
            ),
            (
                [200, 400],
                #"`top_p` must be greater than or equal to 0.95 or unset when thinking is enabled or in adaptive mode. Please consult our documentation at https://docs.claude.com/"#
            ),
            (
                [200, 400],
                #"`top_k` must be unset when thinking is enabled or in adaptive mode. Please consult our documentation at https://docs.claude.com/"#
            ),
            ([200, 400], #"temperature: range: 0..1"#), ([200, 400], #"top_p: range: 0..1"#), ([200, 400], #"`temperature`: range: 0..1"#),
            ([200, 400], #"Unrecognized request argument supplied: top_k"#), ([200, 400], #"Unknown parameter: 'top_k'."#),
            ([200, 400, 422], #"This model is not able to use tools"#),
            ([200, 400, 422], #"This model only supports single tool-calls at once!"#),
            ([200, 400, 422], #"Reasoning is mandatory for this endpoint and cannot be disabled."#),
            ([200, 400, 422], #"Budget 0 is invalid. This model only works in thinking mode."#),
            ([200, 400, 422], #"Range of max_tokens should be [1, 8192]"#),
            ([200, 400, 422], #"unknown parameter: enable_thinking"#),
            ([200, 400, 422], #"Unexpected argument: logit_bias"#),
            ([200, 400, 422], #"Unrecognized argument 'seed'"#),
            ([200, 400, 422], #"Extra field 'seed' is not allowed"#),
            ([200, 400, 422], #"Model cannot process audio input"#),
            ([200, 400, 422], #"This model can only handle text"#),
            ([200, 400, 422], #"Video inputs are disabled for model y"#),
            ([200, 400, 422], #"At most 4 audio(s) may be provided in one prompt"#),
            ([200, 400, 422], #"too many images in request, maximum is 5"#),
            ([200, 400, 422], #"Thinking is required for this model and can't be turned off"#),
            ([200, 400, 422], #"`temperature` can only be set when thinking is disabled"#),
            ([200, 400, 422], #"`presence_penalty` is not available for this model"#),
            ([200, 400, 422], #"Parallel tool calls are not allowed for this model"#),
            ([200, 400, 422], #"This model does not accept images"#),
            ([200, 400, 422], #"model x has no vision capability"#),
            ([200, 400], #"This model doesn't support image inputs"#),
            ([200, 400], #"The selected model does not support function calling"#),
            ([200, 400], #"Tool use with streaming is unsupported"#),
            ([200, 400], #"`seed` is not supported for this model"#),
            ([200, 400], #"response_format: json_object is not available for model x"#),
            ([200, 400], #"Document input not supported by mistral-small"#),
            ([200, 400], #"frequency_penalty is not a recognized parameter"#),
            ([200, 400], #"Received unexpected keyword argument `top_k`"#),
            ([200, 400], #"Invalid parameter: reasoning_effort not recognised"#),
            ([200, 400], #"Parameter `logprobs` is unknown"#),
            ([200, 400], #"tools[0].function.strict: unknown field"#),
            ([200, 400], #"body.seed: Extra inputs are not permitted"#),
            ([200, 400], #"PDF files are not supported by this model"#),
            ([200, 400], #"max_tokens: must be less than or equal to 8192"#),
            ([200, 400], #"max_completion_tokens must be less than or equal to 4096"#),
            ([200, 400], #"This model cannot see images"#),
            ([200, 400], #"This endpoint does not support video"#),
            ([200, 400], #"the model does not have vision capabilities"#),
            ([200, 400], #"Images can't be processed by this model"#),
            ([200, 400], #"Only text input is supported for model z"#),
            ([200, 400], #"This model only accepts text"#),
            ([200, 400], #"Only one tool call is supported at a time"#),
            ([200, 400], #"stream must be true for this model"#),
            ([200, 400], #"Thinking cannot be turned off for this model"#),
            ([200, 400], #"thinking_budget must be between 128 and 32768 for this model"#),
            ([200, 400], #"Unknown request field "logit_bias""#),
            ([200, 400], #"property "logprobs" is not allowed"#),
            ([200, 400], #"this model requires stream=true"#),
            ([200, 400], #"response_format of type json_schema is only supported by gpt-4o and later"#),
            ([200, 400], #"System role not supported by this model"#),
            ([200, 400], #"A maximum of 5 images is supported"#),
            ([200, 400], #"Maximum number of images exceeded (max 5)"#),
        ])
    func unsupported(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.unsupported], "\(status)") }
    }

    @Test(
        "a model that does not exist, in any wording",
        arguments: [
            ([200], #"The model `gpt-9` does not exist"#),
            ([200], #"model x is not supported"#),
            ([200], #"Model not found: x"#),
            ([404], #"The model `gpt-image-1` does not exist"#),
            ([404], #"models/gemini-audio is not found for API version v1beta"#),
            ([400], #"The model `image-gen-1` is not supported"#),
            ([400], #"The requested model is not supported."#),
            ([400], #"Model is not supported"#),
            (
                [400],
                #"{"error":{"message":"model gpt-5-codex is not accessible via the /chat/completions endpoint","code":"unsupported_api_for_model"}}"#
            ),
            ([400], #"model gpt-5-codex is not accessible via the /chat/completions endpoint"#),
            ([404], #"Not Found"#),
            ([200, 400], #"Model 'foo' not found"#),
            ([200, 400], #"No such model: foo"#),
            ([200, 400], #"The model foo has been retired"#),
            ([200, 400], #"The model foo was shut down on 2025-01-01"#),
            ([200, 400], #"Model foo is deprecated and no longer available"#),
            ([200, 400], #"model foo is not available on your plan"#),
            ([200, 400], #"You do not have access to model foo"#),
            ([200, 400], #"unknown model foo"#),
            ([200, 400], #"Model foo is not deployed"#),
            ([200, 400], #"foo is not a supported model"#),
        ])
    func model(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.notFound], "\(status)") }
    }

    @Test(
        "a context that is too long, in any wording and with any status",
        arguments: [
            (
                [200],
                #"{"errors":[{"code":"invalid_input_argument","message":"Invalid input argument for Model 'ibm/granite': the number of input tokens 9000 cannot exceed the total tokens limit 8192 for this model"}]}"#
            ),
            ([200, 400], #"Tokens limit exceeded: context 32768"#),
            ([200], #"token limit exceeded"#),
            (
                [200],
                #"[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]"#
            ),
            ([200, 400, 422, 500], #"400 Bad Request: Too many input tokens. Max input tokens: 8192, request input token count: 11000"#),
            (
                [200, 400, 422, 500],
                #"Malformed input request: expected maxLength: 2048, actual: 4000, please reformat your input and try again."#
            ),
            ([200, 400, 422, 500], #"Cannot truncate prompt with n_keep (5000) >= n_ctx (4096)"#),
            ([200, 400, 422, 500], #"The sum of prompt length (9000.0), query length (0) should not exceed max_num_tokens (8192)"#),
            ([200, 400, 422, 500], #"Total sequence length exceeds cache size in model"#),
            ([200, 400, 422, 500], #"Input token length too long"#),
            ([200, 400, 422, 500], #"max tokens of 8192 exceeded"#),
            ([200, 400, 422, 500], #"Request payload size exceeds the limit: 20971520 bytes."#),
            ([200, 400, 422, 500], #"输入的内容过长，请减少输入"#),
            (
                [200, 400, 422, 500],
                #"Reached context length of 4096 tokens with model (arch: llama), but this model does not currently support mid-generation context overflow"#
            ),
            ([200, 400, 422, 500], #"input is too large to process. increase the physical batch size"#),
            ([200, 400, 422, 500], #"Your prompt is too large"#),
            ([200, 400, 422, 500], #"The conversation is too long for this model"#),
            ([200, 400, 422, 500], #"Prompt has too many tokens"#),
            ([200, 400, 422, 500], #"Requested tokens (9000) exceed context window of 8192"#),
            ([200, 400, 422, 500], #"the prompt exceeds n_ctx"#),
            ([200, 400, 422, 500], #"This request would exceed the model's maximum context"#),
            ([200, 400, 422, 500], #"对话内容过长"#),
            ([200], #"{"base_resp":{"status_code":1039,"status_msg":"token limit exceeded"}}"#),
            ([413], #"{"message":"Request Entity Too Large"}"#),
            ([413], #"{"error":"request entity too large"}"#),
            ([413], #"{"detail":"Request body too large"}"#),
            ([413], #"{"message":"Request Too Long"}"#),
            (
                [413],
                "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body>\r\n<center><h1>413 Request Entity Too Large</h1></center>\r\n<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>"
            ),
            ([413], #""#),
            ([413], #"Content Too Large"#),
            ([400], #"{"error":{"message":"Bad Request","details":"prompt is too long: 213462 tokens > 200000 maximum"}}"#),
            (
                [400],
                #"{"error":{"code":400,"message":"Request contains an invalid argument.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.DebugInfo","detail":"The input token count (12) exceeds the maximum number of tokens allowed (10)."}]}}"#
            ),
            ([200, 400], #"prompt tokens (12000) > context length (8192)"#),
            ([200, 400], #"Your request exceeds the model's context window"#),
            ([200, 400], #"The total number of tokens in your request is 9001, which exceeds the limit of 8192"#),
            ([200, 400], #"context_length_exceeded"#),
            ([200, 400], #"Token count exceeds limit"#),
            ([200, 400], #"Maximum tokens exceeded"#),
            ([200, 400], #"request body is too large"#),
            ([200, 400], #"Content length exceeds maximum"#),
            ([200, 400], #"messages too long"#),
            ([200, 400], #"输入token数超过限制"#),
            ([200, 400], #"Requested 9000 tokens but the max is 8192"#),
            ([200, 400], #"Requested token count exceeds the model's maximum context length of 8192 tokens"#),
            ([200, 400], #"prompt is longer than 4096 tokens"#),
        ])
    func length(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.contextOverflow], "\(status)") }
    }

    @Test(
        "a limit or a load that passes by itself, in any wording",
        arguments: [
            ([200, 400, 503], #"Model is not ready for inference. Wait and try your request again."#),
            ([400], #"{"error":{"message":"no","metadata":{"error_type":"provider_overloaded"}}}"#),
            ([200, 400, 500, 503], #"The model is overloaded. Please try again later."#),
            ([200, 400, 500, 503], #"The server is at capacity"#),
            ([200, 400, 500, 503], #"Engine is currently overloaded, please try again later"#),
            ([200, 400, 500, 503], #"That model is currently overloaded with other requests."#),
            ([200, 400, 500, 503], #"No capacity available for model x, please retry later"#),
            ([529], #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
            ([429], #"Too many requests"#),
            ([429], #"slow down"#),
            ([200, 400], #"Server overloaded, try again"#),
            ([200, 400], #"Too many concurrent requests"#),
            ([200, 400], #"We're experiencing high demand"#),
            ([200, 400], #"Model is loading, please retry"#),
            ([200, 400], #"The service is temporarily overloaded"#),
            ([200, 400], #"Model warming up"#),
            ([200, 400], #"Capacity exceeded"#),
            ([200, 400], #"You have hit the rate limit"#),
            ([200, 400], #"TPM limit reached"#),
            ([200, 400], #"The system is busy"#),
            ([200, 400], #"Please slow down"#),
        ])
    func rate(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.rateLimited], "\(status)") }
    }

    @Test(
        "a refusal of the account, in any wording",
        arguments: [
            ([200], #"[{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}]"#),
            ([400], #"You have reached your specified workspace API usage limits. You will regain access on 2026-01-01 at 00:00 UTC."#),
            ([400], #"资源包余量已用尽,请购买资源包或开通后付费"#),
            (
                [400],
                #"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModel"}"#
            ),
            ([400], #"{"error":{"message":"no","metadata":{"error_type":"authentication"}}}"#),
            (
                [400],
                #"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}"#
            ),
            ([407], #"Proxy Authentication Required"#),
            ([407], #""#),
            ([407], #"<html><body><h1>407</h1></body></html>"#),
            ([200, 400, 403], #"Inactive subscription or usage limit reached"#),
            ([200, 400, 403], #"Check your billing: active subscription required"#),
            ([200, 400, 403], #"Unauthorized"#),
            ([200, 400, 403], #"User is not authenticated"#),
            ([200, 400, 403], #"Authorization failed"#),
            ([200, 400, 403], #"This authentication method does not have sufficient permissions for this action"#),
            ([200, 400, 403], #"AppIdNoAuthError"#),
            ([200, 400, 403], #"Access denied due to Virtual Network/Firewall rules."#),
            ([200, 400, 403], #"Public access is disabled. Please configure private endpoint."#),
            ([200, 400, 403], #"Your subscription has expired"#),
            ([200, 400, 403], #"Not authenticated"#),
            ([200, 400, 403], #"Invalid authorization header"#),
            ([200, 400, 403], #"Permission denied"#),
            ([200, 400, 403], #"You do not have permission to perform this action"#),
            ([200, 400, 403], #"Subscription required"#),
            ([200, 400, 403], #"No active subscription"#),
            ([400], #"<html><head><title>Error</title></head><body><p>Your account balance is insufficient</p></body></html>"#),
            ([400], #"<html><body><pre>Invalid API key</pre></body></html>"#),
            ([400], #"<html><body><p>Your API&nbsp;key&#32;is invalid</p></body></html>"#),
            (
                [400],
                #"<!doctype html><html><head><style>p{}</style><script>var a='rate limit'</script></head><body><div>Payment&#x20;required</div></body></html>"#
            ),
            (
                [400],
                #"{"error":{"code":400,"message":"Request contains an invalid argument.","details":[{"@type":"type.googleapis.com/google.rpc.LocalizedMessage","locale":"en","message":"Your credit balance is too low"}]}}"#
            ),
            (
                [400],
                #"{"error":{"code":400,"message":"Request contains an invalid argument.","details":[{"@type":"x","localizedMessage":{"locale":"en","message":"Your credit balance is too low"}}]}}"#
            ),
            ([429], #"You exceeded your current quota"#),
            ([401], #"no"#),
            ([200, 400], #"Your account has insufficient funds"#),
            ([200, 400], #"Billing is disabled for this project"#),
            ([200, 400], #"API key is missing"#),
            ([200, 400], #"Invalid API-key provided"#),
            ([200, 400], #"You have run out of credits"#),
            ([200, 400], #"Your trial has expired"#),
            ([200, 400], #"Your organization has exceeded its spending limit"#),
            ([200, 400], #"No credits left"#),
            ([200, 400], #"Invalid bearer token"#),
            ([200, 400], #"This API key has been disabled"#),
            ([200, 400], #"Your plan has expired"#),
            ([200, 400], #"Account suspended"#),
            ([200, 400], #"The API key you provided has been revoked"#),
            ([200, 400], #"Service is not available in your region"#),
        ])
    func account(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.providerRejected], "\(status)") }
    }

    @Test(
        "a content filter, in any wording",
        arguments: [
            (
                [400],
                #"{"error":{"message":"This request has been flagged for potentially high-risk cyber activity.","code":"cyber_policy"}}"#
            ),
            ([400], #"{"error":{"message":"no","code":"cyber_policy"}}"#),
            ([400], #"{"error_code":336104,"code":"unsafe_content","error_msg":"no"}"#),
            ([400], #"{"error":{"code":"unsafe_content","message":"The content you provided may contain unsafe content"}}"#),
            ([200, 400, 403, 500], #"This request has been flagged for potentially high-risk cyber activity."#),
            ([200, 400, 403, 500], #"Your input contains content that violates regulations"#),
            ([200, 400, 403, 500], #"输入内容涉及敏感信息，请修改后重试"#),
            ([200, 400, 403, 500], #"The content you provided may contain unsafe content"#),
            ([200, 400, 403, 500], #"Error: {'error': 'Violated guardrail policy', 'guardrail': 'x'}"#),
            ([200, 400, 403, 500], #"Prompt blocked due to security configurations"#),
            ([200, 400, 403, 451, 500], #"The content is considered sensitive and blocked"#),
            ([200, 400, 403, 500], #"The prompt was rejected by our moderation system"#),
            ([200, 400, 403, 500], #"Your message was flagged as unsafe"#),
            ([200, 400, 403, 500], #"Response blocked by safety filter"#),
            ([200, 400, 403, 500], #"Output violates our terms of service"#),
            ([200, 400, 403, 500], #"内容审核不通过"#),
            ([200, 400, 403, 500], #"This content is not allowed by our safety policy"#),
            ([424], #"{"success":false,"error":[{"code":2016,"message":"Prompt blocked due to security configurations"}]}"#),
            ([400], #"{'error': 'Violated guardrail policy', 'guardrail': 'x'}"#),
            ([200], #"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#),
            ([200], #"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[]},"usageMetadata":{"promptTokenCount":5}}"#),
            ([200], #"{"code":10013,"message":"用户问题涉及敏感信息，审核不通过，拒绝处理此次请求。"}"#),
            ([200, 400], #"Your prompt was blocked by our safety filters"#),
            ([200, 400], #"Input flagged by content moderation"#),
            ([200, 400], #"This request violates our usage policies"#),
            ([200, 400], #"The generated content may violate our policy"#),
            ([200, 400], #"Content policy violation"#),
            ([200, 400], #"Safety violation detected"#),
            ([200, 400], #"NSFW content detected"#),
            ([200, 400], #"The input contains prohibited content"#),
            ([200, 400], #"输入包含敏感词"#),
            ([200, 400], #"Request rejected by content filter"#),
            ([200, 400], #"Prompt contains harmful content"#),
        ])
    func filter(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.contentFilter], "\(status)") }
    }

    @Test(
        "the request itself is at fault, whatever the message quotes",
        arguments: [
            (
                [200],
                #"{"error":{"message":"Error while downloading https://x.example/insufficient_quota.png.","type":"invalid_request_error","code":"invalid_image_url"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Invalid 'tools[0].function.name': 'insufficient_quota!' does not match pattern", "type": "invalid_request_error"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Failed to fetch image https://x.example/model_not_found.png", "type": "invalid_request_error"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Received 429 Too Many Requests when fetching image from URL https://x.example/a.png", "type": "invalid_request_error"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Failed to fetch image from https://x.example/a.png: 404 Not Found. The model could not read it", "type": "invalid_request_error"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Error while downloading https://x.example/context_length_exceeded.png.", "type": "invalid_request_error"}}"#
            ),
            ([200, 400, 422], #"{"error": {"message": "Invalid role: model_not_found", "type": "invalid_request_error"}}"#),
            ([200, 400, 422], #"{"error": {"message": "Invalid role: insufficient_quota", "type": "invalid_request_error"}}"#),
            ([200, 400, 422], #"{"error": {"message": "Invalid value for role: rate_limit_exceeded", "type": "invalid_request_error"}}"#),
            ([200, 400, 422], #"{"error": {"message": "Invalid role: 'context_length_exceeded'", "type": "invalid_request_error"}}"#),
            (
                [200, 400, 422],
                #"{"error": {"message": "Unable to download file from https://x.example/rate-limit/recharge.pdf: 403 Forbidden", "type": "invalid_request_error"}}"#
            ),
            ([200, 400, 422], #"{"error": {"message": "Invalid type: content_filter", "type": "invalid_request_error"}}"#),
            (
                [200, 400, 422],
                #"{"error": {"message": "Could not retrieve the image at https://x.example/unauthorized.png: 401 Unauthorized", "type": "invalid_request_error"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Invalid 'messages[1].name': 'content policy violation' does not match pattern '^[a-zA-Z0-9_-]+$'", "type": "invalid_request_error"}}"#
            ),
            (
                [200, 400, 422],
                #"{"error": {"message": "Invalid image URL: https://x.example/unsupported_parameter.png", "type": "invalid_request_error"}}"#
            ),
            ([200, 400, 422], #"{"error": {"message": "Expected a URL, got 'prompt is too long'", "type": "invalid_request_error"}}"#),
            (
                [200, 400, 422],
                #"{"error": {"message": "Timeout while downloading image from https://x.example/too-many-requests.png", "type": "invalid_request_error"}}"#
            ),
            ([400], #"messages: Field required"#),
            ([400], #"Invalid JSON"#),
            ([400], #"max_tokens must be at least 1"#),
            ([400], #"'messages' is a required property"#),
            ([400], #"Missing required parameter: 'messages'"#),
            ([400], #"Invalid type for 'messages[0].content': expected one of a string or array of objects, but got an integer instead."#),
            (
                [400],
                #"Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting"#
            ),
            ([400], #"tool_call_id 'x' not found in 'tool_calls' of previous message"#),
            ([400], #"Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 5 instead."#),
            ([400], #"Could not parse the JSON body of your request."#),
            ([400], #"messages must not be empty"#),
            ([400], #"Invalid base64 image data"#),
            ([400], #"Invalid image data: cannot identify image file"#),
            ([400], #"Bad Request"#),
            ([400], #""#),
            ([400, 422], #"messages[0].role is required"#),
            ([400, 422], #"Invalid value: 'bot'. Supported values are: 'system', 'assistant', 'user'"#),
            ([400, 422], #"temperature must be between 0 and 2"#),
            ([400, 422], #"messages: at least one message is required"#),
            ([400, 422], #"An assistant message with 'tool_calls' must be followed by tool messages"#),
            ([400, 422], #"Expecting ',' delimiter: line 1 column 5"#),
            ([400, 422], #"Invalid URL in image_url: https://x.example/unauthorized"#),
            ([400, 422], #"tools.0.function.name: 'payment required' should match pattern '^[a-zA-Z]+$'"#),
            ([400, 422], #"Invalid image_url: 'model not found'"#),
            ([400, 422], #"conversation roles must alternate user/assistant"#),
            ([400, 422], #"The image at https://x.example/over-capacity.png could not be fetched: 429 Too Many Requests"#),
            ([400, 422], #"Error fetching https://x.example/x.png: 401 Unauthorized"#),
            ([400, 422], #"missing field `messages`"#),
            ([400, 422], #"Invalid tool_choice: tool 'rate_limit' is not in tools"#),
            ([400, 422], #"n must be at least 1"#),
            ([400, 422], #"messages with role 'tool' must be a response to a preceding message with 'tool_calls'"#),
            ([400, 422], #"Duplicate tool name 'insufficient_quota'"#),
            ([400, 422], #"Unexpected role 'user' after role 'user'"#),
            ([400, 422], #"Invalid image format"#),
        ])
    func request(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.clientError], "\(status)") }
    }

    @Test(
        "a failure without a cause",
        arguments: [
            ([200, 500], #"Internal server error"#),
            ([200, 500], #"boom"#),
            ([500], #"llama runner process has terminated: error loading model: cannot find tokenizer merges"#),
        ])
    func upstream(statuses: [Int], body: String) {
        for status in statuses { #expect(classes(status, body) == [.upstreamError], "\(status)") }
    }

    @Test(
        "the wait in a body or in the words of a message, at 2026-11-28 18:00 UTC",
        arguments: [
            (429, #"Rate limit reached. Try again after 2026-11-28T23:00:00Z"#, 18000000),
            (429, #"Rate limit reached. Please retry after 2026-11-28 23:00:00 UTC"#, 18000000),
            (429, #"Rate limit. Try again at 2026-11-28T23:00:00+00:00"#, 18000000),
            (429, #"Too many requests, try again after 2026-11-29T01:00:00.000+02:00"#, 18000000),
            (429, #"Rate limit reached. Try again after 11/28/2026"#, nil),
            (429, #"Rate limit reached. Try again at 14:30"#, nil),
            (429, #"Rate limit reached. Please try again with fewer than 4096 tokens"#, nil),
            (429, #"Rate limit reached. Retry with 3 messages"#, nil),
            (429, #"Rate limit reached. Try again after 28 November 2026"#, nil),
            (429, #"Rate limit. Wait for 2 concurrent requests to finish"#, nil),
            (429, #"Rate limit reached, try again in 1,000 seconds"#, 1000000),
            (429, #"Rate limit reached, try again in 3 minutes and 20 seconds"#, 200000),
            (429, #"Rate limit: try again in 3 minutes, 20 seconds"#, 200000),
            (429, #"Rate limit: try again in 3 min 20 s"#, 200000),
            (429, #"Rate limit reached. try again in 00:05:00"#, 300000),
            (429, #"Rate limit reached. Please retry your request in 15 seconds"#, 15000),
            (429, #"Rate limit reached. try again in about 20 seconds"#, 20000),
            (429, #"Rate limit reached. Please wait approximately 20 seconds"#, 20000),
            (429, #"Rate limit reached. Retry after: 20s"#, 20000),
            (429, #"Rate limit reached; retry_after=20"#, 20000),
            (429, #"Your limit will reset in 45 seconds"#, 45000),
            (429, #"Rate limit resets in 45s"#, 45000),
            (429, #"The rate limit will be reset after 45 seconds"#, 45000),
            (429, #"Rate limit reached, quota available in 45 seconds"#, 45000),
            (429, #"请求过于频繁，请 10 秒后重试"#, 10000),
            (429, #"请求过于频繁，请10秒后重试"#, 10000),
            (429, #"请求过于频繁，请在10秒之后再试"#, 10000),
            (429, #"请求过于频繁，请 2 分钟后再试"#, 120000),
            (429, #"Rate limit exceeded. Retry-After: 7"#, 7000),
            (429, #"too many requests (Retry-After: 7 seconds)"#, 7000),
            (
                429, #"{"error":{"code":"1308","message":"Usage limit reached for 5 hour. Your limit will reset at 2026-11-28 22:11:20"}}"#,
                15080000
            ),
            (503, #"{"error":"Model x is currently loading","estimated_time":20.0}"#, 20000),
            (429, #"{"error":{"message":"Rate limit","retry_after_ms":2500}}"#, 2500),
            (429, #"{"error":{"message":"Rate limit","resets_in_seconds":90}}"#, 90000),
            (429, #"{"message":"Rate limit","retry_after_seconds":90}"#, 90000),
            (429, #"Rate limit reached. Please try again in 6m0s."#, 360000),
            (429, #"Please try again in 1.5s. Visit https://x"#, 1500),
        ] as [(Int, String, Int?)])
    func waits(status: Int, body: String, milliseconds: Int?) {
        let error = errors(status, body)[0]
        #expect(error.failure == .rateLimited)
        #expect(error.retryAfter == milliseconds.map { .milliseconds($0) })
    }

    private func classes(_ status: Int, _ body: String) -> Set<FailureClass> { Set(errors(status, body).map(\.failure)) }

    /// The error of a failed response, or the errors of a non-streamed and a streamed one with status 200.
    ///
    /// - Parameter body: a body, or the message of OpenAI's error.
    private func errors(_ status: Int, _ text: String) -> [ProviderError] {
        let isBody = text.isEmpty || "{[<".contains(text.prefix(1))
        let body = isBody ? Array(text.utf8) : error(text)
        let head = UpstreamHead(status: status, receivedAt: 1_795_888_800)
        guard status == 200 else { return [provider.failure(head: head, body: body.span.bytes)] }
        return [true, false].map { isStream in
            do throws(ProviderError) {
                let bytes = isStream ? Array("data: ".utf8) + body + Array("\n\n".utf8) : body
                var decoder = try provider.decoder(for: .sample(isStream: isStream), head: isStream ? .eventStream : .json)
                var sink = ResponseSink()
                let consumed = isStream ? try decoder.decode(bytes.span.bytes, into: &sink) : 0
                try decoder.finish(Array(bytes[consumed...]).span.bytes, into: &sink)
                return ProviderError(.cancelled, message: "the response was accepted")
            } catch { return error }
        }
    }

    /// OpenAI's error with a message alone.
    private func error(_ message: String) -> [UInt8] {
        var body = JSONWriter()
        body.object {
            $0.key("error"); $0.object { $0.member("message", message) }
        }
        return body.bytes
    }
}
