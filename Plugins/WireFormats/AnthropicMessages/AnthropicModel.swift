import Codecs
import ProviderKit

/// What a model accepts, judged by its name, because requests that it doesn't are refused. A name without `claude` is
/// another vendor's, which serves this format too.
///
/// Sources: Anthropic's guides "Troubleshooting thinking" (the table of models), "Effort", "Structured outputs",
/// "Mid-conversation system messages", "Models overview" and "What's new" of each generation.
struct AnthropicModel {
    /// How a model is made to think.
    enum Thinking {
        case none
        /// By a number of tokens.
        case budget
        /// As much as the model finds right, which the effort changes.
        case adaptive
        /// Always, so that it can't be turned off.
        case always
    }

    let isClaude: Bool
    private let words: [Substring]
    /// The generation as a number, such as 4.5 as 405; nil if the name has none, as in `claude-latest`, which is the
    /// newest.
    private let version: Int?

    init(_ name: String) {
        let words = name.lowercased().split { !$0.isLetter && !$0.isNumber }
        let start = words.firstIndex(of: "claude")
        isClaude = start != nil
        self.words = start.map { Array(words[$0...]) } ?? []
        // A date has eight digits: `claude-opus-4-20250514`.
        let numbers = self.words.drop { Int($0) == nil || $0.count > 2 }.prefix { Int($0) != nil && $0.count <= 2 }.compactMap { Int($0) }
        version = numbers.first.map { $0 * 100 + (numbers.dropFirst().first ?? 0) }
    }

    private func isOne(of families: Substring...) -> Bool { families.contains(where: words.contains) }

    private func isAtLeast(_ version: Int) -> Bool { isClaude && self.version ?? .max >= version }

    var thinking: Thinking {
        if !isClaude { return .budget }
        if isOne(of: "fable", "mythos") { return .always }
        return isAtLeast(406) ? .adaptive : isAtLeast(307) ? .budget : .none
    }

    /// Whether it thinks unless `thinking` is `disabled`.
    var thinksByDefault: Bool { isAtLeast(500) }

    /// The nearest effort that the model accepts; nil if it accepts none.
    func effort(_ effort: String) -> String? {
        let isFirst = isOne(of: "opus") && version == 405
        guard isFirst || isAtLeast(406) else { return nil }
        switch effort {
        case "none", "minimal": return "low"
        case "xhigh": return isAtLeast(407) ? "xhigh" : "high"
        case "max": return isAtLeast(406) ? "max" : "high"
        default: return effort
        }
    }

    /// The sampling as the API gets it. Its temperatures end at 1, those of OpenAI at 2. What equals Claude's default
    /// says nothing and isn't written, because many clients always send it, and newer models refuse the members. All
    /// else is written as it was asked for: what a model refuses, it refuses itself.
    ///
    /// Source: Anthropic's API reference, "Messages", `temperature` and `top_p`.
    func sampling(_ sampling: ChatSampling) -> ChatSampling {
        var sampling = sampling
        sampling.temperature = sampling.temperature.map { min(1, $0) }
        guard isClaude else { return sampling }
        if sampling.temperature == 1 { sampling.temperature = nil }
        if sampling.topP == 1 { sampling.topP = nil }
        return sampling
    }

    /// Whether a response may be made to match a schema, and so a tool's arguments.
    var acceptsSchemas: Bool { !isClaude || isAtLeast(405) || isOne(of: "opus") && version == 401 }

    /// Whether messages with the role `system` may stand among the others.
    var acceptsSystemMessages: Bool { isAtLeast(408) || isOne(of: "fable", "mythos") }

    /// Whether the last message may be the assistant's, which the model continues.
    var acceptsPrefill: Bool { !isAtLeast(406) && !isOne(of: "fable", "mythos") }

    /// The most tokens of a response, for requests that don't say it, because the format requires it. The newest models
    /// could give more.
    var maxTokens: Int {
        if !isClaude { return 8192 }
        if !isAtLeast(305) { return 4096 }
        if !isAtLeast(307) { return 8192 }
        return isOne(of: "opus") && !isAtLeast(405) ? 32_000 : 64_000
    }
}
