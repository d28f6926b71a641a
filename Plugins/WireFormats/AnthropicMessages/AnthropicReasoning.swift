import Codecs
import ProviderKit

/// How much a model thinks, in the form that it accepts.
struct AnthropicReasoning {
    private enum Thinking {
        case adaptive
        case budget(Int)
        case disabled
    }

    private var thinking: Thinking?
    /// The effort in the model's words; nil if it is left to the model.
    private(set) var effort: String?

    /// A budget below this is refused. Source: the SDK's `ThinkingConfigEnabledParam`.
    private static let minBudget = 1024

    /// - Parameters:
    ///   - lacksThinking: whether the assistant's last turn calls tools without thinking. Such a turn is refused if
    ///     thinking has a budget. Source: Anthropic's guide "Extended thinking", "Toggling thinking modes in
    ///     conversations".
    ///   - maxTokens: the limit of the response, in which thinking counts.
    init(_ request: ChatRequest, lacksThinking: Bool, _ model: AnthropicModel, maxTokens: Int) {
        guard let reasoning = request.reasoning else { return }
        let word = reasoning.effortName
        switch model.thinking {
        case .none: return
        case .budget:
            guard word != "none", !request.forcesTool, !lacksThinking else { return }
            let wanted = if case .budget(let tokens) = reasoning { tokens } else { Self.budget(ofEffort: word) }
            // Half of the response at most, so that something follows the thinking.
            let budget = min(wanted, maxTokens / 2)
            if budget >= Self.minBudget { thinking = .budget(budget) }
            effort = word.flatMap(model.effort)
        case .adaptive, .always:
            effort = word.flatMap(model.effort)
            if word != "none" || model.thinking == .always {
                thinking = .adaptive
            } else {
                effort = nil
                if model.thinksByDefault { thinking = .disabled }
            }
        }
    }

    /// Whether the request says anything about thinking.
    var hasThinking: Bool { thinking != nil }

    /// The tokens that an effort is worth; the router's own choice, which ``ChatReasoning/effortName`` reverses.
    private static func budget(ofEffort effort: String?) -> Int {
        switch effort {
        case "minimal": 1024
        case "low": 2048
        case "high": 16_384
        case "xhigh", "max": 32_768
        default: 8192
        }
    }

    /// Writes the member `thinking`.
    func writeThinking(to writer: inout JSONWriter) {
        guard let thinking else { return }
        writer.key("thinking")
        writer.object {
            switch thinking {
            case .adaptive:
                $0.member("type", "adaptive")
                // The newer models' default is to think without words.
                $0.member("display", "summarized")
            case .budget(let tokens):
                $0.member("type", "enabled")
                $0.member("budget_tokens", tokens)
            case .disabled: $0.member("type", "disabled")
            }
        }
    }

    /// Writes the members `thinking` and `output_config`.
    ///
    /// - Parameter format: the form of the response, encoded; nil for text.
    func write(format: [UInt8]?, to writer: inout JSONWriter) {
        writeThinking(to: &writer)
        guard effort != nil || format != nil else { return }
        writer.key("output_config")
        writer.object {
            if let effort { $0.member("effort", effort) }
            if let format {
                $0.key("format")
                $0.raw(format)
            }
        }
    }
}
