import ProviderKit

/// What a finish reason of any provider says about a response, by the words in it: only a reason that means an end is a
/// success. A format with names of its own asks here about the others.
enum FinishReasonMeaning {
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
        // `content_filter: PROHIBITED_CONTENT`: what follows the colon is more specific.
        let parts = reason.split(separator: ":").reversed()
        self = parts.lazy.map(Self.meaning).first { $0 != .unknown } ?? .unknown
    }

    private static func meaning(of reason: Substring) -> FinishReasonMeaning {
        let words = reason.split { !$0.isLetter }
        let name = words.joined(separator: "_")
        if ends.contains(name) { return .end }
        if filters.contains(name) { return .filter }
        if words.contains(where: { word in failures.contains { word.hasPrefix($0) } }) { return .failure }
        if words.contains(where: { word in filterWords.contains { word.hasPrefix($0) } }) { return .filter }
        return failureNames.contains(name) ? .failure : .unknown
    }

    /// The finish reason that a text means; nil for a failure, for one that is unknown, and for none.
    static func finishReason(_ text: String) -> FinishReason? {
        switch FinishReasonMeaning(text) {
        case nil, .failure, .unknown: nil
        case .filter: .contentFilter
        case .end:
            switch text.lowercased() {
            case "length", "max_tokens", "model_length", "model_context_window_exceeded": .length
            case "tool_calls", "function_call", "tool_use": .toolCalls
            default: .stop
            }
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
        "refusal", "sensitive", "safety", "prohibited_content", "blocklist", "content_filter", "spii", "recitation", "image_safety",
        "image_prohibited_content", "guardrail_intervened", "content_filtered",
    ]

    /// The beginnings of words of a filter: `content-filter`, `blocked` and `moderation` of proxies.
    private static let filterWords = ["filter", "moderat", "block", "prohibit", "safety", "sensitive", "guardrail", "refus"]

    /// The beginnings of words of a failure.
    private static let failures = [
        // `error` (OpenRouter's "Errors and Debugging", mid-stream errors), `network_error` (z.ai, [pi#2313])
        "error",
        // SGLang and vLLM [pi#1750]; DeepSeek's API reference: `insufficient_system_resource`
        "abort", "insufficient",
        // Gemini's `FinishReason`: `MALFORMED_FUNCTION_CALL`, `UNEXPECTED_TOOL_CALL`, `MISSING_THOUGHT_SIGNATURE`
        "malformed", "unexpected", "missing",
        // Proxies
        "cancel", "timeout", "timed", "fail", "overload", "interrupt", "exception", "disconnect", "unavailable", "terminat", "kill",
        "crash", "bad", "invalid", "incomplete",
    ]

    /// Failures without a word for one: Gemini's `OTHER` and `TOO_MANY_TOOL_CALLS`, and proxies.
    private static let failureNames: Set = ["other", "image_other", "too_many_tool_calls", "rate_limit", "rate_limited"]
}
