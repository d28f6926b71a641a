/// What a finish reason says about a response: a closed list, because only a reason that means an end is a success.
enum OpenAIFinishReason {
    /// The response is complete, or was ended by a limit of the request.
    case end
    /// A content filter has stopped the response, or the model has refused to respond.
    case filter
    /// The upstream has failed, so the response is not complete.
    case failure
    /// Counts as an end, and is counted in the metrics.
    case unknown

    /// Creates a finish reason; nil if the text means that there is none yet.
    ///
    /// - Parameter reason: the reason in any case.
    init?(_ reason: String) {
        let reason = reason.lowercased()
        if Self.absences.contains(reason) || reason.allSatisfy(\.isWhitespace) { return nil }
        self =
            if Self.ends.contains(reason) {
                .end
            } else if Self.filters.contains(reason) || reason.hasPrefix("content_filter") {
                .filter
            } else if Self.failures.contains(reason) || reason.contains("error") {
                .failure
            } else {
                .unknown
            }
    }

    /// Servers that write their language's null as a text, and Gemini's default value.
    private static let absences: Set = ["null", "none", "nil", "undefined", "finish_reason_unspecified"]

    private static let ends: Set = [
        // OpenAI's API reference, "Chat Completions"
        "stop", "length", "tool_calls", "function_call",
        // Anthropic's stop reasons, which proxies pass on
        "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "model_context_window_exceeded",
        // text-generation-inference and Together; Mistral; Cohere; Gemini's `STOP` and `MAX_TOKENS` in lower case
        "eos", "eos_token", "model_length", "complete", "completed", "end", "done", "finish", "finished",
    ]

    /// `content_filter` (OpenAI, Azure, OpenRouter), `content_filter: PROHIBITED_CONTENT` (Gemini's OpenAI endpoint, as
    /// recorded by its clients), `sensitive` (z.ai), `refusal` (Anthropic's stop reason) and Gemini's own names.
    private static let filters: Set = [
        "refusal", "sensitive", "safety", "prohibited_content", "blocklist", "spii", "recitation", "image_safety",
        "image_prohibited_content", "guardrail_intervened", "content_filtered",
    ]

    /// Failures beside everything that contains the word `error`: `error` itself (OpenRouter's "Errors and Debugging",
    /// mid-stream errors), `network_error` (z.ai, [pi#2313]), `server_error` and others.
    private static let failures: Set = [
        // SGLang and vLLM [pi#1750]; DeepSeek's API reference
        "abort", "aborted", "insufficient_system_resource",
        // Gemini's `FinishReason`
        "malformed_function_call", "unexpected_tool_call", "malformed_response", "too_many_tool_calls", "missing_thought_signature",
        // Proxies
        "cancelled", "canceled", "timeout", "timed_out", "failed", "failure", "overloaded", "interrupted", "exception", "disconnected",
        "rate_limit", "rate_limited",
    ]
}
