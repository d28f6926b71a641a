import Codecs

/// The codes and phrases with which providers report that a context is too long, that a content filter has stopped a
/// request, or that they don't support a `response_format`.
///
/// A code must match exactly. A phrase is in lower case and matches anywhere in a message. Phrases are for servers that
/// send no meaningful code. A source in brackets is an issue thread, or a list of another project, for what a provider
/// doesn't document.
enum OpenAIErrorPatterns {
    static let codes: [String: FailureClass] = [
        // OpenAI's error codes guide; Azure, Groq [OpenHands#1902], OpenRouter's APIErrorType
        "context_length_exceeded": .contextOverflow,
        // llama.cpp, tools/server, as `type`
        "exceed_context_size_error": .contextOverflow,
        // Anthropic's errors guide, 413
        "request_too_large": .contextOverflow,
        // OpenRouter's APIErrorType, 413; the second one for a single message over a provider's limit
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

        // Groq: the model failed to write the JSON that was requested [issue threads of its clients]
        "json_validate_failed": .unsupported,
    ]

    /// The phrases, in the order in which they are searched for.
    static let phrases: [(text: String, failure: FailureClass)] = [
        // OpenAI, vLLM, DeepSeek: "This model's maximum context length is 4096 tokens."; OpenRouter: "This endpoint's
        // …"; Mistral: "too large for model with 131072 maximum context length"; Fireworks: "The prompt is too long:
        // 262377, model maximum context length: 262143"
        ("maximum context length", .contextOverflow),
        // OpenAI: "Your input exceeds the context window of this model"
        ("exceeds the context window", .contextOverflow),
        // Gemini: "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575)."
        ("exceeds the maximum number of tokens", .contextOverflow),
        // xAI: "This model's maximum prompt length is 131072 but the request contains 537812 tokens"
        ("maximum prompt length is", .contextOverflow),
        // Groq and Cerebras: "Please reduce the length of the messages or completion."
        ("reduce the length of the messages", .contextOverflow),
        // Groq's 413, beyond an account's tokens per minute: "please reduce your message size and try again"
        // [continue#10218]
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
        // LM Studio, in two versions: "… is greater than the context length", "… loaded with context length of only
        // 4096 tokens"
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
        // DeepSeek's only message for it, with the code `invalid_request_error`
        ("content exists risk", .contentFilter),
        // xAI, a 400 or 403: "Content violates usage guidelines." [new-api, violation_fee.go]
        ("content violates usage guidelines", .contentFilter),
        // OpenAI: "your prompt was flagged as potentially violating our usage policy", "… as a result of our safety
        // system" [litellm, exception_mapping_utils.py]
        ("violating our usage policy", .contentFilter),
        ("as a result of our safety system", .contentFilter),
        // Alibaba: "Input data may contain inappropriate content." [lobe-chat, error patterns]
        ("may contain inappropriate content", .contentFilter),

        // OpenAI, about the client's own schema
        ("invalid schema for response_format", .clientError),
        // OpenAI: "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model",
        // without `param` [langchain-ai/langchain#31490]
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

    /// The class of an error with a code; nil if the code is unknown.
    ///
    /// - Parameter param: the field that the error names; nil if it names none.
    static func failureClass(ofCode code: String, param: String?) -> FailureClass? {
        switch code {
        // OpenAI sends this for any text. For a message it is about the context, for `user` it is the client's mistake.
        // [litellm, exception_mapping_utils.py]
        case "string_above_max_length": param?.hasPrefix("messages") == true || param == "input" ? .contextOverflow : nil
        case "unsupported_parameter", "unsupported_value", "unsupported_format": isResponseFormat(param) ? .unsupported : nil
        default: codes[code]
        }
    }

    /// Whether a field is `response_format` or one inside it, such as `response_format.type`.
    static func isResponseFormat(_ param: String?) -> Bool {
        param == "response_format" || param?.hasPrefix("response_format.") == true
    }

    /// The class of an error with a message; nil if no phrase matches in its first 4 KiB.
    static func failureClass(ofMessage message: String) -> FailureClass? {
        let bytes = Array(message.utf8.prefix(4096)).map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        return phrases.first { contains(bytes, $0.text) }?.failure
    }

    private static func contains(_ text: [UInt8], _ phrase: String) -> Bool {
        let phrase = Array(phrase.utf8)
        guard let first = phrase.first, text.count >= phrase.count else { return false }
        return (0...(text.count - phrase.count)).contains { text[$0] == first && text[$0..<($0 + phrase.count)].elementsEqual(phrase) }
    }
}
