import ProviderKit

/// Why a message has ended. Source: `StopReason`.
enum BedrockStopReason {
    private static let reasons: [String: FinishReason] = [
        "end_turn": .stop, "stop_sequence": .stop, "tool_use": .toolCalls, "max_tokens": .length,
        "model_context_window_exceeded": .length, "guardrail_intervened": .contentFilter, "content_filtered": .contentFilter,
    ]

    /// The finish reason of a stop reason; nil for one that is unknown, which counts as `stop`.
    ///
    /// - Parameter hasContent: whether there has been content.
    /// - Throws: the error of a reason that means a failure, such as `malformed_model_output`.
    static func finishReason(_ reason: String, hasContent: Bool) throws(ProviderError) -> FinishReason? {
        if let known = reasons[reason] { return known }
        if FinishReasonMeaning(reason)?.isFailure(hasContent: hasContent) == true { throw .failed(reason: reason) }
        return FinishReasonMeaning.finishReason(reason)
    }
}
