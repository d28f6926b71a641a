/// How a server with this format differs from OpenAI's.
public struct OpenAIDialect: Sendable, Equatable {
    /// Whether the router requests the usage of each stream. Some servers refuse such requests.
    public var streamUsage: Bool
    /// How the server is made to continue a partial response.
    public var continuation: Continuation
    /// Whether the limit of a response is `max_tokens`, which OpenAI has replaced by `max_completion_tokens`. It counts
    /// for translated requests, as all that follows.
    public var hasOldTokenLimit = false
    /// How the reasoning of earlier turns is sent to the server.
    public var reasoning = Reasoning.no
    /// How the server is asked to reason, or not to.
    public var effort = Effort.name
    /// Whether the server refuses the messages of a thinking model without reasoning. It counts for requests that pass
    /// through, too. Source: DeepSeek's guide "Thinking Mode".
    public var needsReasoning = false
    /// Whether the server accepts `cache_control`.
    public var hasCacheControl = false
    /// Whether the server passes requests on to others, names them in its responses, and takes their order as
    /// `provider.order`. Source: OpenRouter's guide "Provider Routing".
    public var hasHosts = false
    /// Whether a file's `file_data` may be its URL. OpenAI has no form for it. Sources: OpenRouter's guide "PDF
    /// Inputs"; OpenAI's API reference, "Chat Completions".
    public var hasFileURLs = false
    /// Whether all models of the server know `max_completion_tokens`, so that a model that asks for it instead of
    /// `max_tokens` shows what all later requests should have.
    public var hasOneTokenLimit = false
    /// Whether the server is OpenAI's, which has at most four stop sequences, and the members of
    /// ``ChatServiceSettings``, which other servers may refuse. Source: OpenAI's API reference, "Chat Completions".
    public var isOpenAI = false

    /// Creates a dialect.
    public init(streamUsage: Bool = true, continuation: Continuation = .no) {
        self.streamUsage = streamUsage
        self.continuation = continuation
    }

    /// How the reasoning of earlier turns is sent.
    public enum Reasoning: String, Sendable, CaseIterable {
        /// Not at all. Source: Groq refuses requests with it ("property 'reasoning_content' is unsupported").
        case no
        /// As `reasoning_content`. Sources: DeepSeek's guide "Thinking Mode"; the model cards of Kimi K2 Thinking,
        /// MiniMax M2 and GLM 4.6 ask for it between the tool calls of a turn; SGLang and llama.cpp pass it to the
        /// model's template.
        case content = "reasoning_content"
        /// As `reasoning`, and unmodified as `reasoning_details` where the server has sent those. Sources: OpenRouter's
        /// guide "Reasoning Tokens"; vLLM's guide "Reasoning Outputs", since 0.12.
        case plain = "reasoning"
    }

    /// How a request says how much the model reasons.
    public enum Effort: Sendable {
        /// `"reasoning_effort": "high"`. Source: OpenAI's API reference.
        case name
        /// `"reasoning": {"effort": "high"}`, or `max_tokens` or `enabled` instead. Source: OpenRouter's guide
        /// "Reasoning Tokens".
        case object
        /// `"thinking": {"type": "enabled"}` beside the effort. Source: DeepSeek's guide "Thinking Mode".
        case thinking
    }

    /// How a server is made to continue the text of the last message, which has the role `assistant`, instead of
    /// responding to it.
    public enum Continuation: String, Sendable, CaseIterable {
        /// The server can't continue a text.
        case no
        /// The message alone is enough. Source: OpenRouter's API reference, "Assistant Prefill".
        case prefill
        /// The message has `"prefix": true`. Sources: DeepSeek's guide "Chat Prefix Completion", at the base URL
        /// `https://api.deepseek.com/beta`; Mistral's API reference.
        case prefix
        /// The body has `"continue_final_message": true, "add_generation_prompt": false`. Source: vLLM's
        /// "OpenAI-Compatible Server", extra parameters. llama.cpp's server accepts both too
        /// (ggml-org/llama.cpp#23012).
        case continueFinalMessage = "continue_final_message"
    }
}
