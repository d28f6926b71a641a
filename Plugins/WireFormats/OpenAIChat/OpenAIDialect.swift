/// How a server with this format differs from OpenAI's.
public struct OpenAIDialect: Sendable, Equatable {
    /// Whether the router requests the usage of each stream. Some servers refuse such requests.
    public var streamUsage: Bool
    /// How the server is made to continue a partial response.
    public var continuation: Continuation
    /// Whether the limit of a response is `max_tokens`, which OpenAI has replaced by `max_completion_tokens`. It counts
    /// for translated requests, as all that follows.
    public var hasOldTokenLimit = false
    /// Whether the server accepts the reasoning of earlier turns, as `reasoning_content` and `reasoning_details`.
    public var hasReasoning = false
    /// Whether the server accepts `cache_control`.
    public var hasCacheControl = false

    /// Creates a dialect.
    public init(streamUsage: Bool = true, continuation: Continuation = .no) {
        self.streamUsage = streamUsage
        self.continuation = continuation
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
