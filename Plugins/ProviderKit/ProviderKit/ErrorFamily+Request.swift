/// The words that say that something of the request is at fault, at this model or at any.
extension ErrorFamily {
    /// The request itself is malformed, in words that would otherwise look like another family's.
    static let malformed = ErrorFamily(
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

    /// A value of the wrong type, of a field that the client names as it likes: its words are no refusal. Servers that
    /// take only texts as content say so in similar words, which come first.
    static let mistyped = ErrorFamily(
        failure: .clientError,
        phrases: [
            // JSON Schema's validators, pydantic and zod: "'payment_method' is a required property", "Input should be a
            // valid boolean", "Expected string, received number"
            "must be a|an|of _ number|string|boolean|bool|integer|float|object|array|list|dict|dictionary|map|type",
            "should be a _ number|string|boolean|bool|integer|float|object|array|list|dict|dictionary",
            "expected _ _ number|string|boolean|bool|integer|float|object|array|list|null … received|got|found",
            "expected _ number|boolean|bool|integer|float|object|array|list $", "is a required property|field|parameter|key",
            "must be number|string|boolean|integer|object|array $", "must be unique", "duplicate _ _ value|name|property|key|field",
            "value _ is duplicated",
        ],
        onlyStatuses: [400, 422])

    /// A request that any model would refuse, in words that say no more. They count where the status says nothing.
    static let generallyMalformed = ErrorFamily(
        failure: .clientError,
        phrases: [
            // MiniMax, in a 200, 2013: "invalid params, chat content is empty"; 1042: "invisible character ratio limit
            // exceeded"; Baidu, 336003: "messages length must be odd"
            "invalid param|parameter|argument|request", "invisible character",
            "message|content|prompt|input _ is|are _ empty|missing|invalid",
            "message length must be",
        ],
        onlyStatuses: [400])

    /// A file that the request links to can't be fetched. What its server responded with says nothing about the
    /// upstream.
    static let fetch = ErrorFamily(
        failure: .clientError,
        codes: ["invalid_image_url"],
        phrases: [
            // OpenAI: "Error while downloading https://…", "Timeout while downloading …"; vLLM: "404, message='Not
            // Found', url=…"; Gemini: "Cannot fetch content from the provided URL."
            "error|failed|unable|could|can|timeout|timed|when|while|received … fetch|fetching|download|downloading … url|link|content|<medium>",
            "error|failed|unable|could|can|timeout|timed|when|while|received … retrieve|retrieving … url|link|content|<medium>",
            "url|link|image|file|document|video|audio|pdf|media … fetch|download|downloading|fetching|retrieve failed|error|timeout",
            "url|link|image|file|document|video|audio|pdf|media … not _ fetched|downloaded|retrieved",
            // Anthropic: "Authentication error while communicating with MCP server"
            "error|failed|unable … mcp server", "mcp server … returned|responded",
            "access to _ url _ blocked|denied|forbidden",
        ],
        includesQuotes: true,
        onlyStatuses: [400, 404, 415, 422, 424])

    /// A file that the request names by its id, which says nothing about the model.
    static let file = ErrorFamily(
        failure: .clientError,
        phrases: [
            // Anthropic, 404: "File not found: file_011"; OpenAI, 404: "No such File object: file-abc"; Gemini, 403:
            // "You do not have permission to access the File x or it may not exist."
            "^ file|files|container|skill _ not found", "^ file|files|container|skill _ was|were not found",
            "^ file|files|container|skill _ does|do not exist", "no such file|container|skill object", "no file|container|skill found with",
            "permission to access the file", "could not find file|container|skill",
            // OpenAI, 404: "Item with id 'rs_…' not found. Items are not persisted when `store` is set to false."
            // [vercel/ai#7543]; the same of a conversation, a container, a vector store, a prompt
            "item|conversation|container|response|prompt|store with id _ not found", "previous response _ not found",
            // Gemini, 403: "CachedContent not found (or permission denied)"; Vertex: "Not found: cached content
            // metadata"
            "cachedcontent not found", "not found cached content",
            // Vertex, 403, about a `gs://` address: "… does not have storage.objects.get access to the Google Cloud
            // Storage object."
            "storage object get access", "google cloud storage object",
        ],
        onlyStatuses: [400, 403, 404])

    /// The request needs more than the remaining credit, and a smaller one does not.
    static let credit = ErrorFamily(
        failure: .unsupported,
        phrases: [
            // OpenRouter: "Prompt tokens limit exceeded: 32100 > 20221. To increase, visit …/settings/credits"
            "token limit exceeded",
            // "Prompt is too expensive for your remaining balance: requires 0.5 credits, have 0.2. Reduce max_tokens."
            "too expensive for … balance|credit", "reduce|lower|decrease _ max_tokens",
        ],
        onlyStatuses: [402])

    /// The model can't serve this request, and serves others: nothing cools down.
    static let unsupported = ErrorFamily(
        failure: .unsupported,
        codes: [
            // OpenAI's error codes, with the parameter in `param`; Groq, as `code`
            "unsupported_format", "unknown_parameter",
            // Groq: the model failed to write the JSON or the tool call that was requested [issue threads of its
            // clients]
            "json_validate_failed", "tool_use_failed",
            // OpenRouter's APIErrorType
            "unsupported_modality", "unsupported_feature",
            // text-generation-inference, as `error_type`
            "template_error",
        ],
        phrases: [
            // OpenRouter, 402: "This request requires more credits, or fewer max_tokens. You requested up to 16000
            // tokens, but can only afford 7217." [maxx#818]
            "fewer max_tokens", "can only afford",
            // Anthropic, 400 and 429: "The long context beta is not yet available for this subscription.", "Extra usage
            // is required for long context requests."
            "long context beta", "required for long context requests",
            // OpenRouter, 404: "No endpoints found that support tool use." (image input, the requested parameters, …)
            // [routstr-core#554]
            "no endpoints found that support", "no endpoints found that can handle",
            // Ollama: "registry.ollama.ai/library/gemma:2b does not support tools"; "… does not support thinking"
            "does|do not _ support _ <feature>", "does|do not _ support _ parameter",
            // The same in general, with any status: "Streaming not supported for model x"; Mistral, 422: "Image inputs
            // are not enabled for model mistral-tiny"; "Image input is disabled for this model"
            "<feature> … not _ supported|enabled", "<feature> _ is|are disabled", "<feature> _ _ is|are disabled",
            "unsupported _ <feature>", "unsupported content block|part|type", "has no <feature>", "model … not have _ <feature>",
            "<feature> … not available for|with|on|in",
            "<feature> … unavailable for|with|on|in", "model does not allow _ _ <feature>", "<feature> … incompatible with",
            "not use|combine|mix … with <feature>", "only enabled when|if", "text only model",
            "<feature> … only supported|available",
            // "The model is not capable of processing images"; "This model is not able to use tools"; "This model does
            // not accept images"; Ollama: "this model is missing data required for image input"
            "model … not capable of", "model … not able to use|process|handle|accept|call|read|see",
            "model … does|do|can not accept|process|handle|take|read|see|use|call _ <feature>", "model is missing data required",
            "not be processed|handled|used by|with|for this|the model", "model only handle|accept|process|take text",
            "only support|handle|accept _ text",
            // OpenAI: "This model requires that either input content or output modality contain audio."
            "model requires … <medium>", "model requires stream|streaming",
            // Fireworks: "Requests with max_tokens > 4096 must have stream=true"
            "must have|set|use stream|streaming",
            // "Only one of temperature and top_p may be set for this model"
            "must be … for|with|on this|the model", "only one of … this|the model",
            // OpenAI: "Zero data retention orgs cannot use background mode"
            "zero data retention … not",
            // Groq, Fireworks, Together: "`tool calling` is not supported with this model"
            "not _ supported|available|enabled|allowed with|by|for|on this model",
            // vLLM: "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"
            "tool choice requires",
            // OpenAI: "Invalid content type. image_url is only supported by certain models."
            "only supported by certain models",
            // vLLM: "… is not a multimodal model", "At most 0 image(s) may be provided in one prompt."
            "is not a multimodal model", "at most _ <medium>",
            // Groq: "Too many images provided. This model supports up to 5 images"
            "too many <medium>", "maximum of _ <medium>", "max|maximum number of <medium>", "support up to _ <medium>",
            "supports at most _ <medium>",
            // DeepSeek: "unknown variant `image_url`, expected `text`"; Groq: "for 'role:user' the following must be
            // satisfied[('messages.0.content' : value must be a string)]"; z.ai, 1210
            "unknown variant `image_url`", "unknown variant `input_audio`", "unknown variant `file`", "content value must be a string",
            "unknown variant `developer`",
            "content.type 参数非法", "取值范围 ['text']",
            // Servers that take only texts: "messages[0].content must be a string"; pydantic: "messages.0.content:
            // Input should be a valid string". OpenAI takes parts too, so what it refuses is worded differently.
            "content must be a string $", "content should be a _ string $", "expected content to be a string",
            "content input should be a valid string $",
            // text-generation-inference: "Template error: …"; vLLM: "Failed to apply chat template". The model's
            // template can't take these roles or tools, and another model's may.
            "^ template error", "apply chat template",
            // Gemma on Gemini's API: "Developer instruction is not enabled for models/gemma-3-27b-it"; "Function
            // calling is …"
            "is not enabled for models",
            // Anthropic: "adaptive thinking is not supported on this model", "… Extra inputs are not permitted"
            // pydantic 1: "reasoning_effort: extra fields not permitted"
            // Bedrock: "Malformed input request: extraneous key [top_k] is not permitted"
            "thinking.type.enabled", "extra|extraneous input|field|parameter|propertie|argument|key … not permitted|allowed",
            // OpenAI: "Unsupported parameter: 'max_tokens' is not supported with this model.",
            // "Unrecognized request argument supplied: …"
            "unsupported parameter", "unsupported value",
            "unrecognized|unrecognised|unknown|unexpected parameter|argument|field|property|keyword|option",
            "unrecognized|unknown|unexpected request|keyword|input|body parameter|argument|field",
            "is not a valid parameter|argument|field|option",
            "not a recognized|known|supported|allowed parameter|argument|field|property",
            "parameter|argument|field|property … not recognized|recognised|known|allowed|permitted",
            "parameter|argument|field|property _ is unknown|unrecognized|unexpected",
            // JSON Schema's validators: "Additional properties are not allowed ('seed' was unexpected)", "must NOT have
            // additional properties"
            "additional property|properties … not allowed|permitted|supported", "not have additional property|properties",
            // OpenAI: "max_tokens is too large: 100000. This model supports at most 16384 completion tokens";
            // Anthropic: "max_tokens: 128001 > 64000, which is the maximum allowed number of output tokens"; DeepSeek:
            // "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"; Groq: "`max_tokens` must be less
            // than or equal to `8192`"
            // Alibaba: "Range of max_tokens should be [1, 8192]"
            "max_tokens is too large", "maximum allowed number of output tokens", "range of max_tokens", "range of max_completion_tokens",
            "^ max_completion_tokens must be less than", "`max_tokens` must be less than or equal to",
            "supports at most … completion tokens",
            // A limit of the output, which is the subject of the sentence. Bedrock: "The maximum tokens you requested
            // exceeds the model limit of 4096."
            "^ _ max|maximum token _ _ exceed|exceeding the|max|maximum|limit|allowed|model",
            "^ _ max|maximum|requested output|completion|new token _ _ exceed|exceeding the|max|maximum|limit|allowed|model",
            "^ _ maxtoken|maxoutputtoken _ _ exceed|exceeding the|max|maximum|limit|allowed|model",
            "^ _ max|maximum _ token _ is|are larger|greater|higher|more than",
            // OpenAI: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model",
            // without `param` [langchain-ai/langchain#31490]
            "invalid parameter: 'response_format' of type",
            // DeepSeek: "This response_format type is unavailable now"; LM Studio: "'response_format.type' must be
            // 'json_schema' or 'text'"; Groq: "This model does not support response format `json_schema`."
            "response_format type is unavailable", "'response_format.type' must be", "does not support response format",
            "enabled only for api version|versions",
            // OpenAI: "Your organization must be verified to stream this model."
            "verified to stream",
            // Groq: "json mode cannot be combined with tool/function calling", "'n' : number must be at most 1"
            "<feature> … not be combined", "n number must be at most", "n must be at most",
            // one-api and new-api: "该模型不支持图片输入", "当前模型不支持工具调用"
            "不支持图", "不支持视觉", "不支持多模态", "不支持音频", "不支持视频", "不支持文件", "不支持工具", "不支持函数", "不支持流式",
            "不支持思考", "不支持参数", "不支持该参数", "不支持的参数", "不支持sse", "参数 … 不支持",
            // llama.cpp: "tools param requires --jinja flag"
            "param requires _ flag",
            // Gemini: "Invalid JSON payload received. Unknown name \"seed\": Cannot find field." It is JSON: a field
            // that one server doesn't know is one that another may know, as with all unknown parameters above.
            "unknown name … cannot find field",
            // Moonshot: "invalid temperature: only 1 is allowed for this model" [bike4mind#1089]
            "only _ is|are allowed", "only … is|are supported", "only the default … is supported",
            // Anthropic: "`temperature` may only be set to 1 when thinking is enabled."; "`top_p` is deprecated for
            // this model."
            "can|may|must only be set|used|specified|enabled", "deprecated for|with|by|on this|the model|endpoint",
            // "`top_k` must be unset when thinking is enabled or in adaptive mode."; "`top_p` must be greater than or
            // equal to 0.95 or unset when thinking …"; "temperature: range: 0..1"
            "be|or unset when|if|with|for", "^ temperature range", "^ top_p range", "^ top_k range",
            // OpenRouter: "Reasoning is mandatory for this endpoint and cannot be disabled."; Gemini: "Budget 0 is
            // invalid. This model only works in thinking mode."; Mistral: "This model only supports single tool-calls
            // at once!"
            "<feature> is mandatory|required for", "not be disabled|turned", "model only work in|with", "model only support single|one",
            "model only support _ <feature>",
            // Alibaba: "This model only support stream mode"; "parameter.enable_thinking must be set to false for
            // non-streaming calls"
            "only support stream|streaming", "must be set to true|false",
            // SiliconFlow: "The model is not a VLM (Vision Language Model)."
            "is not a _ vlm|vision|multimodal",
            // Anthropic: "`temperature` and `top_p` cannot both be specified for this model."
            "cannot _ be specified|used|set|combined … this model", "cannot both be specified|used|set",
        ],
        // OpenAI sends them for an organization that must be verified too, where the message says more.
        genericCodes: ["unsupported_parameter", "unsupported_value"],
        includesQuotes: true)

    /// The prompt is too long. A 429 with such words is about the tokens of a minute.
    static let length = ErrorFamily(
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
            "tokens_limit_reached", "model_max_prompt_tokens_exceeded", "model_context_window_exceeded", "context_window_exceeded",
            // Baidu's v2
            "tokens_too_long",
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
            "too many tokens", "too many input|prompt|context token", "tokens in the prompt cannot exceed", "token limit exceeded",
            "exceeds the token limit", "exceeded token limit", "exceeds the limit of … tokens",
            // Moonshot, MiniMax, z.ai, Alibaba [pi-mono, overflow.ts]; Baidu; Volcengine
            "exceeded model token limit", "tokens in request more than max tokens allowed", "prompt exceeds max length",
            "range of input length should be", "prompt tokens too long", "exceed max message tokens", "输入过长",
            "超出最大长度", "超长", "最大上下文长度", "最大长度限制",
            // The same in general: "Prompt exceeds max context" (MLX); "Number of input tokens exceeds maximum length"
            // (Bedrock); "Context length of 8192 exceeded"; "number of input and maximum output tokens (60000) exceeded
            // this model context window limit" (Cloudflare)
            "input|prompt|token|context … exceed|exceeding … limit|max|maximum|context|length|window|size|model",
            "input|prompt|context|token … length|limit|window|size … exceed", "input|prompt token exceed", "number of token exceed",
            "context|prompt|input|message too large", "exceed|exceeding … context|prompt|input window|length|size|limit",
            "exceed|exceeding … max|maximum|allowed context|token",
            "input|prompt|token|context … longer|larger|more than … limit|max|maximum|context|length|window|model",
            // Vertex: "the input token count is 40000 but model only supports up to 32768"; Yandex: "Number of input
            // tokens must be no more than 32768", "Text length is 40000, which is outside the range (0, 32000]"; AI21:
            // "Prompt has 9000 tokens, but the maximum is 8191"; Baidu: "the max input characters is 24000"
            "token … only supports up to", "input|prompt token … support up to", "input|prompt token … no more than",
            "text length is _ which is outside the range",
            "token but|the max|maximum|limit is", "token max|maximum is", "token but _ context|limit|window is",
            "token more than _ _ this model",
            "token but your|the prompt|input has", "exceed|exceeding the|this model s context", "exceed|exceeding the|this context",
            "context window full", "over|above _ token limit", "^ too long input|prompt", "token but the max|maximum|limit is",
            "max|maximum input characters",
            "token which exceed",
            // vLLM: "You passed 9001 input tokens […]. However, the model's context length is only 8192 tokens"
            "context window|size|length|limit is _ _ token", "not fit _ _ context",
            "prompt|input|token length|count … context|max|maximum|model length|limit|size|window",
            // Together, 403: "Input token count + max_tokens parameter must be less than the context length of the
            // model being queried"; Baidu: "the length of input tokens must be less than 7168"
            "input|prompt|context token|length … must|should be less|within|below|smaller|under|shorter",
            "input|prompt|context token|length … must|should be at most",
            "input|prompt|conversation|context text|content|message|history is|are too long",
            "text|sequence length _ exceed", "max_position_embeddings",
            // MiniMax, 1039
            "^ token limit $",
            // Baidu, 336007: "the max length of current question is 4800"
            "max|maximum length of _ question|prompt|query|conversation|dialogue|context is",
            // LiteLLM's class; a 413 of GigaChat and of proxies; Gemini: "Request payload size exceeds the limit"
            "contextwindowexceedederror", "payload too large", "payload size exceed", "request|body|content entity too large",
            // Bedrock, Titan: "Max input tokens: 8192, request input token count: 11000"; "expected maxLength: 2048,
            // actual: 4000, please reformat your input and try again."
            "max|maximum input token", "expected maxlength",
            // LM Studio: "Cannot truncate prompt with n_keep (5000) >= n_ctx (4096)", "Reached context length of 4096
            // tokens …"; TensorRT-LLM: "… should not exceed max_num_tokens (8192)"
            "n_ctx", "reached context length", "max_tokens … model limit", "length of messages must be less",
            "text|request too long", "context overflow", "exceed max_num_tokens",
            // "Total sequence length exceeds cache size in model"; Snowflake: "max tokens of 8192 exceeded"; llama.cpp:
            // "input is too large to process. increase the physical batch size"
            "sequence length exceed", "max|maximum token … exceed", "total number of token", "content length exceed",
            "prompt|input token _ context length", "prompt|input is longer than", "physical batch size",
            "input|prompt|token|context|conversation|message|body|payload length|is|are|was|were too long|large",
            "input|prompt|token length too long", "token too long", "input|prompt|context|conversation|message|body|payload too long",
            // SambaNova: "the maximum supported sequence length is just 16384"; Cohere: "number of total tokens (prompt
            // and prediction) cannot exceed 4081"; Aphrodite: "a prompt that's shorter than 4096 tokens"
            "max|maximum supported _ sequence|context|prompt|input length", "total token … not exceed", "prompt|input … shorter than",
            // Yi: "the input tokens over model context length limit"; LMDeploy: "input length 9000 is out of session
            // length 8192"
            "input|prompt token|length over|above … limit|length", "input|prompt length … out of _ session|context|range",
            // GigaChat, Yandex: "Превышена максимальная
            // длина контекста модели"
            "длина контекста", "длину контекста", "длина запроса", "длинный контекст", "апрос слишком длинный", "ромпт слишком длинный",
            "максимальное количество токенов",
            // iFlytek, 10907: "token数量超过上限"
            "token数量超", "上下文超", "上下文长度", "超过最大长度", "超出最大",
            // Hunyuan, Baidu
            "token数超", "长度超", "内容过长", "文本过长", "提示过长", "提示词过长", "上下文过长", "消息过长", "请减少输入",
        ],
        includesQuotes: true,
        ignoredStatuses: [429])

    /// A content filter has stopped the request or the response.
    static let filter = ErrorFamily(
        failure: .contentFilter,
        codes: [
            // Azure OpenAI's content filtering guide: `code`, and `innererror.code`
            "content_filter", "responsibleaipolicyviolation",
            // OpenAI; OpenRouter's APIErrorType, with `refusal`
            "content_policy_violation", "refusal", "censorship_blocked", "moderation_blocked", "image_generation_user_error",
            // Alibaba's Model Studio, new-api [lobe-chat, error patterns]; Volcengine
            "data_inspection_failed", "datainspectionfailed", "sensitive_words_detected", "sensitivecontentdetected",
            "inputtextsensitivecontentdetected", "outputtextsensitivecontentdetected",
            // OpenAI, about attacks on computers; Baidu
            "cyber_policy", "unsafe_content", "unsafe_request",
            // Alibaba: "Input data is suspected of being involved in IP infringement.", "… is blocked by faq rule."
            "ipinfringementsuspect", "faqruleblocked",
            // Portkey, 446
            "hooks_failed",
        ],
        phrases: [
            // Azure: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
            "content management policy", "content filter|filters|filtering", "content policy",
            // DeepSeek's only message for it, with the code `invalid_request_error`
            "content exists risk",
            // xAI, a 400 or 403: "Content violates usage guidelines." [new-api, violation_fee.go]
            "violates|violate|violating … usage|content|safety|use policy|guideline|policies|guidelines",
            "violates|violate|violating … practices", "responsible ai practice|practices|policy|policies|guideline|guidelines",
            // Hunyuan, 4001: "Your input contains content that violates regulations"; LiteLLM: "Violated guardrail
            // policy"
            "violates|violate|violated|violating … regulation|law|term|policy|policies|guideline",
            // OpenAI: "your prompt was flagged as potentially violating our usage policy", "as a result of our safety
            // system" [litellm, exception_mapping_utils.py]
            "result of our safety system", "rejected by the safety system", "input was flagged", "content was flagged",
            "flagged by moderation", "flagged for|as", "flagged by … safety|policy|classifier|moderation|guardrail",
            "rejected|refused by _ moderation|safety",
            // Anthropic: "Output blocked by content filtering policy"; Gemini: "The prompt was blocked"; Moonshot: "The
            // request was rejected because it was considered high risk"
            "prompt|input|output|response|message is|was|been blocked|flagged",
            "prompt|input|output|response|message has|have been blocked|flagged",
            "considered high|sensitive|unsafe|harmful|inappropriate",
            "prohibited content", "内容违规",
            // Cloudflare's AI Gateway, 424: "Prompt blocked due to security configurations"
            "prompt|input|output|content|response|message blocked|flagged",
            // A malformed message is rejected too.
            "prompt|input|output|content|response|message rejected|denied|refused … policy|moderation|safety|filter|risk|harmful|sensitive",
            "input|output data is|was|were _ blocked|rejected|flagged",
            // Cohere, 498: "blocked input: the prompt contains a deny-listed token"
            "^ blocked input|output|prompt|content $", "deny listed", "denylisted",
            // LiteLLM: "Blocked entity detected: CREDIT_CARD by Guardrail: presidio.", "Rejected message. This is a
            // prompt injection attack.", and its class for the refusals of other providers
            "by guardrail", "jailbreak|injection attack|attempt|detected|detection", "contentpolicyviolationerror",
            "moderation failed", "ip|copyright infringement",
            "contain|contains|containing disallowed|forbidden|objectionable|toxic content|material",
            "not _ allowed|permitted by … safety|content|moderation policy|policies|system|filter|guideline",
            "safety|moderation system|filter|classifier|guardrail rejected|refused|blocked|flagged",
            "blocked|rejected|refused|declined|denied by … safety|moderation|guardrail", "blocked by _ content|filter|filters",
            "content … is|was|been blocked $", "content is|was|been blocked", "model refused to … policy|safety",
            // Alibaba: "Input data may contain inappropriate content."; z.ai, 1301: "may contain unsafe or sensitive
            // content"
            "inappropriate content", "sensitive content|word|information", "unsafe or sensitive", "unsafe|harmful|nsfw|illegal content",
            "safety|content|policy violation", "content|safety|usage|moderation policy|guideline _ violated",
            // "Guardrail blocked: content moderation policy violated"; "Your request was blocked by our usage policy"
            "guardrail|moderation _ blocked|rejected|refused|flagged|triggered", "guardrail intervention", "pii _ detected|found",
            "request blocked by policy",
            "blocked|rejected|refused|declined|denied by _ _ usage|use|safety|moderation|content policy|policies|guideline|rule",
            // Hunyuan, Xfyun, 10013: "用户问题涉及敏感信息，审核不通过，拒绝处理此次请求。"
            "敏感词", "敏感内容", "敏感信息", "违规信息", "违规内容", "内容不合规", "审核不通过", "审核未通过", "фильтром контента",
            "запрещённый контент", "запрещенный контент",
            // MiniMax, 1026: "input new_sensitive"; 1027: "output sensitive"
            "input|output new_sensitive|sensitive",
            // Bedrock: "The guardrail intervened"; Portkey: "The guardrail checks defined in the config failed."
            "guardrail intervened", "guardrail check|checks … failed",
        ])

    /// The words for anything that is not supported. Other families have words of their own for a region, a model, …
    static let generallyUnsupported = ErrorFamily(
        failure: .unsupported,
        phrases: [
            // Bedrock: "This model doesn't support system messages."; "The model is unsupported for streaming.";
            // DeepSeek: "deepseek-reasoner does not support this tool_choice"; Groq: "property 'x' is unsupported";
            // llama.cpp: "Unsupported param: tools"; Cerebras: "logit_bias is not supported"; xAI: "Argument not
            // supported on this model: stop"; text-generation-inference: "Grammar is not supported"
            // GigaChat: "Модель не поддерживает вызов функций"
            "not _ support", "not _ supported", "unsupported", "не поддерживает ",
        ],
        onlyStatuses: [400, 422, 500, 501])
}
