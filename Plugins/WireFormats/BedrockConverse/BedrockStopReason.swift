import ProviderKit

/// Why a message has ended. Source: `StopReason`.
enum BedrockStopReason {
    private static let reasons: [String: FinishReason] = [
        "end_turn": .stop, "stop_sequence": .stop, "tool_use": .toolCalls, "max_tokens": .length,
        "model_context_window_exceeded": .length, "guardrail_intervened": .contentFilter, "content_filtered": .contentFilter,
    ]

    /// The reasons that mean a failure: what the model has written can't be used.
    private static let failures: Set = ["malformed_model_output", "malformed_tool_use"]

    /// The finish reason of a stop reason. One that is unknown counts as `stop`.
    ///
    /// - Throws: the error of a reason that means a failure.
    static func finishReason(_ reason: String) throws(ProviderError) -> FinishReason {
        guard !failures.contains(reason) else {
            throw ProviderError(
                .upstreamError, message: "the upstream ended the response with the stop reason '\(reason)'", code: "upstream_failed")
        }
        return reasons[reason] ?? .stop
    }
}
