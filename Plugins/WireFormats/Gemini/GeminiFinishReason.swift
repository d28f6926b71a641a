import ProviderKit

/// Why a candidate has ended. Sources: the SDK's `FinishReason`; the Gemini API reference, `FinishReason`.
enum GeminiFinishReason {
    case end(FinishReason)
    /// The model or the server has failed, so the response is not complete.
    case failure
    /// ``FinishReasonMeaning/unclear``.
    case unclear
    /// Counts as an end, and is counted in the metrics.
    case unknown

    /// Creates a finish reason; nil if the text means that there is none yet.
    init?(_ reason: String) {
        if reason.isEmpty || Self.absences.contains(reason) { return nil }
        if let end = Self.ends[reason] {
            self = .end(end)
        } else if Self.filters.contains(reason) {
            self = .end(.contentFilter)
        } else {
            switch FinishReasonMeaning(reason) {
            case .failure: self = .failure
            case .filter: self = .end(.contentFilter)
            case .unclear: self = .unclear
            case .end, .unknown, nil: self = Self.failures.contains(reason) ? .failure : .unknown
            }
        }
    }

    /// `CONTINUATION`: the response goes on.
    private static let absences: Set = ["FINISH_REASON_UNSPECIFIED", "CONTINUATION"]

    private static let ends: [String: FinishReason] = ["STOP": .stop, "MAX_TOKENS": .length]

    private static let filters: Set = [
        "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION", "MODEL_ARMOR",
    ]

    private static let failures: Set = [
        "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE",
        "NO_IMAGE", "ESCALATION",
    ]

    var finishReason: FinishReason? {
        switch self {
        case .end(let reason): reason
        case .unknown, .unclear: .stop
        case .failure: nil
        }
    }

    /// The reason of a complete response.
    ///
    /// - Parameter isRefusal: OpenAI finishes a refusal by `stop`.
    static func text(_ reason: FinishReason, isRefusal: Bool) -> String {
        switch reason {
        case .stop, .toolCalls: isRefusal ? "SAFETY" : "STOP"
        case .length: "MAX_TOKENS"
        case .contentFilter: "SAFETY"
        }
    }
}
