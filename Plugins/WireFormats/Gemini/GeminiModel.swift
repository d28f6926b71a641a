import ProviderKit

/// What a model accepts, judged by its name. Of a name without a version, such as `gemini-flash-latest`, it is what the
/// newest models accept.
///
/// Sources: the Gemini API's guides "Gemini thinking", "Thought signatures" and "OpenAI compatibility", "Thinking".
struct GeminiModel {
    /// How a model's thinking is set.
    private enum Thinking {
        case none
        /// A number of tokens.
        case budget(ClosedRange<Int>, canTurnOff: Bool)
        /// A word, by the effort; the model always thinks.
        case level(minimal: String, medium: String)
    }

    private let isGemini: Bool
    /// Such as 205 for 2.5; nil if the name has none.
    private let version: Int?
    private let words: [Substring]

    init(_ name: String) {
        words = (name.lowercased().split(separator: "/").last ?? "").split(separator: "-")
        isGemini = words.contains("gemini")
        let number = words.drop { $0 != "gemini" }.first { $0.first?.isASCIIDigit == true }
        let parts = number?.split(separator: ".").map { Int($0) } ?? []
        version = parts.first.flatMap { $0 }.flatMap { $0 < 100 ? $0 * 100 + min(99, parts.dropFirst().first?.flatMap { $0 } ?? 0) : nil }
    }

    private var isNew: Bool { isGemini && version ?? .max >= 300 }

    /// Whether the first function call of a step must have a signature.
    var requiresSignatures: Bool { isNew }

    /// Whether a function's result may have media.
    var acceptsMediaInResults: Bool { isNew }

    private var thinking: Thinking {
        // Models that write images or speech.
        if words.contains(where: { ["image", "tts", "live", "audio", "embedding"].contains($0) }) { return .none }
        guard isGemini, version ?? .max >= 205 else { return .none }
        if isNew {
            if !words.contains("pro") { return .level(minimal: "MINIMAL", medium: "MEDIUM") }
            return .level(minimal: "LOW", medium: version == 300 ? "HIGH" : "MEDIUM")
        }
        if words.contains("pro") { return .budget(128...32_768, canTurnOff: false) }
        return .budget((words.contains("lite") ? 512 : 1)...24_576, canTurnOff: true)
    }

    /// The value of `thinkingConfig`; nil if the model can't be told how much it thinks. A model that can't be kept
    /// from thinking thinks as little as it can, in silence.
    func thinkingConfig(_ reasoning: ChatReasoning) -> GeminiThinking? {
        let effort = reasoning.effortName, isOn = effort != "none"
        switch thinking {
        case .none: return nil
        case .budget(let range, let canTurnOff):
            if !isOn { return GeminiThinking(budget: canTurnOff ? 0 : range.lowerBound, includesThoughts: false) }
            let budget: Int
            switch reasoning {
            case .adaptive: budget = -1
            case .budget(let tokens): budget = min(max(tokens, range.lowerBound), range.upperBound)
            case .effort(let effort): budget = min(Self.budget(ofEffort: effort), range.upperBound)
            }
            return GeminiThinking(budget: budget, includesThoughts: true)
        case .level(let minimal, let medium):
            let level: String? =
                switch effort {
                case nil: nil
                case "none", "minimal": minimal
                case "low": "LOW"
                case "medium": medium
                default: "HIGH"
                }
            return GeminiThinking(level: level, includesThoughts: isOn)
        }
    }

    /// Source: the guide "OpenAI compatibility", "Thinking".
    private static func budget(ofEffort effort: String) -> Int {
        switch effort {
        case "minimal", "low": 1024
        case "high": 24_576
        case "xhigh", "max": 32_768
        default: 8192
        }
    }
}

/// How much a model thinks.
struct GeminiThinking {
    /// A number of tokens, and -1 for as many as the model finds right.
    var budget: Int?
    var level: String?

    /// Whether the response has the thoughts in words.
    var includesThoughts: Bool
}
