import Codecs

/// A step of a chat answer, for providers whose format isn't OpenAI's. The client's side encodes it: as chunks of a stream, or folded into one response.
public enum ChatEvent: Sendable, Equatable {
    /// The response's own id and model name, where the provider has them. At most once, first.
    case start(id: String?, model: String?)
    case text(String)
    /// Thinking that is shown apart from the response, as `reasoning_content`.
    case reasoning(String)
    /// A tool call opens. `index` counts from 0; ids are made where the provider has none.
    case toolCall(index: Int, id: String, name: String)
    /// More of the arguments' JSON text of an open call.
    case toolArguments(index: Int, fragment: String)
    case finish(FinishReason)

    public var content: ContentSummary {
        switch self {
        case .start: ContentSummary()
        case .text(let text), .reasoning(let text): ContentSummary(contentBytes: text.utf8.count)
        case .toolCall(_, let id, let name): ContentSummary(contentBytes: id.utf8.count + name.utf8.count, hasToolCall: true)
        case .toolArguments(_, let fragment): ContentSummary(contentBytes: fragment.utf8.count, hasToolCall: true)
        case .finish(let reason): ContentSummary(finishes: 1, isFiltered: reason == .contentFilter)
        }
    }
}

/// Why a response ended, in OpenAI's words.
public enum FinishReason: String, Sendable, Equatable {
    case stop
    case length
    case toolCalls = "tool_calls"
    case contentFilter = "content_filter"
}

/// Tokens and money, as a provider reported them. nil is unknown; an explicit zero stays zero.
public struct Usage: Sendable, Equatable {
    public var promptTokens: Int?
    public var completionTokens: Int?
    /// Of the prompt's tokens, those read from a cache.
    public var cachedTokens: Int?
    /// Of the completion's tokens, those spent on reasoning.
    public var reasoningTokens: Int?
    /// What the provider says that the call cost, in US dollars.
    public var costUSD: Double?

    public init(
        promptTokens: Int? = nil, completionTokens: Int? = nil, cachedTokens: Int? = nil, reasoningTokens: Int? = nil,
        costUSD: Double? = nil
    ) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
        self.reasoningTokens = reasoningTokens
        self.costUSD = costUSD
    }
}
