import Codecs

/// The codes and phrases by which providers say that a context is too long, that their content filter stopped a request, or that they can't do a
/// `response_format`. Codes are exact; phrases are in lower case, found anywhere in a message, and are those of servers whose code says nothing.
///
/// A source in brackets is an issue thread or another project's list, where the provider documents nothing.
enum OpenAIErrorWords {
    static let codes: [String: FailureClass] = [
        // OpenAI's error codes guide; Azure, Groq [OpenHands#1902], OpenRouter's APIErrorType
        "context_length_exceeded": .contextOverflow,
        // llama.cpp, tools/server, as `type`
        "exceed_context_size_error": .contextOverflow,
        // Anthropic's errors guide, 413
        "request_too_large": .contextOverflow,
        // OpenRouter's APIErrorType, 413; and a single message over a provider's limit
        "payload_too_large": .contextOverflow,
        "string_too_long": .contextOverflow,
        // z.ai [pi-mono, overflow.ts]
        "model_context_window_exceeded": .contextOverflow,

        // Azure OpenAI's content filtering guide: `code`, and `innererror.code`
        "content_filter": .contentFilter,
        "ResponsibleAIPolicyViolation": .contentFilter,
        // OpenAI; OpenRouter's APIErrorType, with `refusal`
        "content_policy_violation": .contentFilter,
        "refusal": .contentFilter,
        // Alibaba's Model Studio [lobe-chat, error patterns]
        "data_inspection_failed": .contentFilter,
        "DataInspectionFailed": .contentFilter,
        // new-api [lobe-chat, error patterns]
        "sensitive_words_detected": .contentFilter,

        // Groq: the model failed to write the JSON that was asked for [issue threads of its clients]
        "json_validate_failed": .unsupported,
    ]

    /// In the order in which they are looked for.
    static let phrases: [(words: String, failure: FailureClass)] = [
        // OpenAI, vLLM, DeepSeek: "This model's maximum context length is 4096 tokens."; OpenRouter: "This endpoint's …"; Mistral: "too large for model with
        // 131072 maximum context length"; Fireworks: "The prompt is too long: 262377, model maximum context length: 262143"
        ("maximum context length", .contextOverflow),
        // OpenAI: "Your input exceeds the context window of this model"
        ("exceeds the context window", .contextOverflow),
        // Gemini: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."
        ("exceeds the maximum number of tokens", .contextOverflow),
        // xAI: "This model's maximum prompt length is 131072 but the request contains 537812 tokens"
        ("maximum prompt length is", .contextOverflow),
        // Groq and Cerebras: "Please reduce the length of the messages or completion."
        ("reduce the length of the messages", .contextOverflow),
        // Groq's 413, beyond an account's tokens per minute: "please reduce your message size and try again" [continue#10218]
        ("reduce your message size", .contextOverflow),
        // Together: "The input (265330 tokens) is longer than the model's context length (262144 tokens)."
        ("longer than the model's context length", .contextOverflow),
        // text-generation-inference, router/src/validation.rs
        ("`inputs` tokens + `max_new_tokens` must be", .contextOverflow),
        ("`inputs` must have less than", .contextOverflow),
        // llama.cpp: "request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it"
        ("exceeds the available context size", .contextOverflow),
        // Ollama: "prompt too long; exceeded max context length by 4 tokens"
        ("exceeded max context length", .contextOverflow),
        // LM Studio, in two versions: "… is greater than the context length", "… loaded with context length of only 4096 tokens"
        ("greater than the context length", .contextOverflow),
        ("with context length of only", .contextOverflow),
        // Anthropic: "prompt is too long: 213462 tokens > 200000 maximum"
        ("prompt is too long", .contextOverflow),
        // Moonshot, MiniMax, z.ai, Alibaba [pi-mono, overflow.ts]
        ("exceeded model token limit", .contextOverflow),
        ("context window exceeds limit", .contextOverflow),
        ("tokens in request more than max tokens allowed", .contextOverflow),
        ("prompt exceeds max length", .contextOverflow),
        ("range of input length should be", .contextOverflow),

        // Azure: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
        ("content management policy", .contentFilter),
        // DeepSeek's only words for it, with the code `invalid_request_error`
        ("content exists risk", .contentFilter),
        // xAI, a 400 or 403: "Content violates usage guidelines." [new-api, violation_fee.go]
        ("content violates usage guidelines", .contentFilter),
        // OpenAI: "your prompt was flagged as potentially violating our usage policy", "… as a result of our safety system" [litellm, exception_mapping_utils.py]
        ("violating our usage policy", .contentFilter),
        ("as a result of our safety system", .contentFilter),
        // Alibaba: "Input data may contain inappropriate content." [lobe-chat, error patterns]
        ("may contain inappropriate content", .contentFilter),

        // OpenAI, of the client's own schema
        ("invalid schema for response_format", .clientError),
        // OpenAI: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model", without `param`. [langchain-ai/langchain#31490]
        ("invalid parameter: 'response_format' of type", .unsupported),
        ("response_format is not supported", .unsupported),
        ("'response_format' is not supported", .unsupported),
        ("unsupported parameter: 'response_format", .unsupported),
        // DeepSeek: "This response_format type is unavailable now"
        ("response_format type is unavailable", .unsupported),
        // LM Studio: "'response_format.type' must be 'json_schema' or 'text'"
        ("'response_format.type' must be", .unsupported),
        // Groq: "This model does not support response format `json_schema`."
        ("does not support response format", .unsupported),
    ]

    /// - Parameter param: the field that the error names.
    static func failureClass(ofCode code: String, param: String?) -> FailureClass? {
        switch code {
        // OpenAI says it of any text: of a message it is the context, of `user` the client's mistake. [litellm, exception_mapping_utils.py]
        case "string_above_max_length": param?.hasPrefix("messages") == true || param == "input" ? .contextOverflow : nil
        case "unsupported_parameter", "unsupported_value", "unsupported_format": isResponseFormat(param) ? .unsupported : nil
        default: codes[code]
        }
    }

    /// The field or one inside it: `response_format.type`.
    static func isResponseFormat(_ param: String?) -> Bool {
        param == "response_format" || param?.hasPrefix("response_format.") == true
    }

    static func failureClass(ofMessage message: String) -> FailureClass? {
        let bytes = Array(message.utf8.prefix(4096)).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return phrases.first { contains(bytes, $0.words) }?.failure
    }

    private static func contains(_ text: [UInt8], _ words: String) -> Bool {
        let words = Array(words.utf8)
        guard let first = words.first, text.count >= words.count else { return false }
        return (0...(text.count - words.count)).contains { text[$0] == first && text[$0..<($0 + words.count)].elementsEqual(words) }
    }
}
