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
    /// Doesn't say why: an end of a response with content, and a failure of one without.
    case unclear
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
        if unclearNames.contains(name) { return .unclear }
        return failureNames.contains(name) ? .failure : .unknown
    }

    /// Whether the response is a failure.
    ///
    /// - Parameter hasContent: whether there has been content, or another finish reason.
    func isFailure(hasContent: Bool) -> Bool { self == .failure || self == .unclear && !hasContent }

    /// The finish reason that a text means; nil for a failure, for one that is unknown, and for none.
    static func finishReason(_ text: String) -> FinishReason? {
        switch FinishReasonMeaning(text) {
        case nil, .failure, .unknown: nil
        case .filter: .contentFilter
        case .unclear: .stop
        case .end:
            switch text.lowercased() {
            case "length", "max_tokens", "model_length", "model_context_window_exceeded": .length
            case "tool_calls", "function_call", "tool_use": .toolCalls
            default: .stop
            }
        }
    }

    /// Servers that write their language's null as a text; Gemini's default value, and its `CONTINUATION`; watsonx's
    /// `not_finished`.
    private static let absences: Set = [
        "null", "none", "nil", "undefined", "finish_reason_unspecified", "continuation", "not_finished", "in_progress",
    ]

    private static let ends: Set = [
        // OpenAI's API reference, "Chat Completions"
        "stop", "length", "tool_calls", "function_call",
        // Anthropic's stop reasons, which proxies pass on
        "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "model_context_window_exceeded",
        // text-generation-inference and Together; Mistral; Cohere; Gemini's `STOP` and `MAX_TOKENS` in lower case
        "eos", "eos_token", "model_length", "complete", "completed", "end", "done", "finish", "finished",
    ]

    /// `content_filter` (OpenAI, Azure, OpenRouter), `content_filter: PROHIBITED_CONTENT` (Gemini's OpenAI endpoint, as
    /// recorded by its clients), `sensitive` (z.ai), `refusal` (Anthropic's stop reason), Gemini's own names, and
    /// `ERROR_TOXIC` (Cohere's API reference, "Generate").
    private static let filters: Set = [
        "refusal", "sensitive", "safety", "prohibited_content", "blocklist", "content_filter", "spii", "recitation", "image_safety",
        "image_prohibited_content", "guardrail_intervened", "content_filtered", "error_toxic",
    ]

    /// The beginnings of words of a filter: `blacklist` (GigaChat's API reference, `finish_reason`), `content-filter`,
    /// `blocked`, `moderation`, `policy_violation`, `flagged` and `unsafe` of proxies.
    private static let filterWords = [
        "filter", "moderat", "block", "blacklist", "prohibit", "safety", "unsafe", "sensitive", "guardrail", "refus", "flag", "policy",
        "toxic",
    ]

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
        "crash", "bad", "invalid", "incomplete", "deadline", "preempt", "shutdown", "memory",
    ]

    /// Failures without a word for one: Gemini's `TOO_MANY_TOOL_CALLS`, and proxies.
    private static let failureNames: Set = ["too_many_tool_calls", "rate_limit", "rate_limited"]

    /// Gemini's `OTHER` and `IMAGE_OTHER`; `other` of the AI SDK (its documentation, `LanguageModelV2FinishReason`),
    /// which Vercel's gateway passes on.
    private static let unclearNames: Set = ["other", "image_other"]
}
