import ProviderKit

/// Why a message has ended. Sources: the SDK's `StopReason`; Anthropic's guide "Handling stop reasons".
enum AnthropicStopReason {
    private static let reasons: [String: FinishReason] = [
        "end_turn": .stop, "stop_sequence": .stop, "tool_use": .toolCalls, "max_tokens": .length, "refusal": .contentFilter,
        "model_context_window_exceeded": .length,
        // A server tool's loop has paused, or the context was compacted: nothing more comes.
        "pause_turn": .stop, "compaction": .stop,
    ]

    /// The finish reason of a stop reason; nil for one that is unknown, which counts as `stop`. Servers with this API
    /// that aren't Anthropic's have others.
    static func finishReason(_ reason: String) -> FinishReason? { reasons[reason] ?? FinishReasonMeaning.finishReason(reason) }

    /// Whether a text is a stop reason, and not one that means that there is none yet.
    static func isReason(_ text: String) -> Bool { reasons[text] != nil || FinishReasonMeaning(text) != nil }

    /// Throws if a stop reason means that the upstream has failed.
    ///
    /// - Parameter hasContent: whether there has been content.
    static func check(_ reason: String, hasContent: Bool) throws(ProviderError) {
        if reasons[reason] == nil, FinishReasonMeaning(reason)?.isFailure(hasContent: hasContent) == true {
            throw .failed(reason: reason)
        }
    }

    /// The stop reason of a finish reason.
    ///
    /// - Parameters:
    ///   - stopSequence: the text at which the response has ended; nil if there is none.
    ///   - hasToolCalls: some providers finish a response with tool calls by `stop`, but clients rely on `tool_use`.
    ///   - isRefusal: OpenAI finishes a refusal by `stop`.
    static func stopReason(_ reason: FinishReason, stopSequence: String?, hasToolCalls: Bool, isRefusal: Bool) -> StaticString {
        switch reason {
        case .stop: isRefusal ? "refusal" : hasToolCalls ? "tool_use" : stopSequence == nil ? "end_turn" : "stop_sequence"
        case .toolCalls: "tool_use"
        case .length: "max_tokens"
        case .contentFilter: "refusal"
        }
    }
}
