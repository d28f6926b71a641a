/// A typed event of a chat response, for providers that don't speak the client's format.
///
/// The router encodes the events in the client's format: as the chunks of a stream, or folded into one response. A
/// response has one choice. Its events come in this order: at most one ``start(id:model:)``, then text, reasoning and
/// tool calls in any order, and finally one
/// ``finish(_:stopSequence:)``.
public enum ChatEvent: Sendable, Equatable {
    /// The response begins. The arguments are the provider's id of the response and its name of the model; nil if it
    /// sends none, in which case the router uses its own.
    case start(id: String?, model: String?)
    /// More of the response's text.
    case text(String)
    /// The tokens of the text that comes next, if the request asks for their log probabilities.
    case logprobs([ChatToken])
    /// More of the reasoning, which the client gets apart from the text, as `reasoning_content`.
    case reasoning(String)
    /// The token of the reasoning since the last one, which ends it. It may come without any reasoning in words.
    case reasoningToken(OpaqueToken)
    /// A source of the text before it.
    case citation(ChatCitation)
    /// More of the model's refusal to respond, in its words.
    case refusal(String)
    /// A tool call begins. The index counts the tool calls of the response from 0. If the provider sends no id, the
    /// plugin must make one.
    case toolCall(index: Int, id: String, name: String)
    /// More of the JSON text of a tool call's arguments. The tool call must have begun.
    case toolArguments(index: Int, fragment: String)
    /// The response ends. The text is the one of ``ChatRequest/stop`` at which it has ended; nil if there is none, or
    /// if the provider doesn't say.
    case finish(FinishReason, stopSequence: String? = nil)

    /// What the router acts on in the event.
    public var signals: Signals {
        switch self {
        case .start, .citation, .logprobs: Signals()
        case .text(let text), .reasoning(let text): Signals(contentBytes: text.utf8.count)
        case .reasoningToken(let token): Signals(contentBytes: token.value.utf8.count)
        case .refusal(let text): Signals(contentBytes: text.utf8.count, isFiltered: true)
        case .toolCall(_, let id, let name): Signals(contentBytes: id.utf8.count + name.utf8.count, hasToolCall: true)
        case .toolArguments(_, let fragment): Signals(contentBytes: fragment.utf8.count, hasToolCall: true)
        case .finish(let reason, _): Signals(finishes: 1, isFiltered: reason == .contentFilter)
        }
    }

    /// The bytes of all texts of the event.
    var textBytes: Int {
        switch self {
        case .start(let id, let model): (id?.utf8.count ?? 0) + (model?.utf8.count ?? 0)
        case .text(let text), .reasoning(let text), .refusal(let text): text.utf8.count
        case .reasoningToken(let token): token.value.utf8.count
        case .citation(let citation): citation.url.utf8.count + (citation.title?.utf8.count ?? 0)
        case .logprobs(let tokens): tokens.reduce(0) { $0 + $1.textBytes }
        case .toolCall(_, let id, let name): id.utf8.count + name.utf8.count
        case .toolArguments(_, let fragment): fragment.utf8.count
        case .finish(_, let stopSequence): stopSequence?.utf8.count ?? 0
        }
    }
}

/// A token of a response's text, and how likely it was.
public struct ChatToken: Sendable, Equatable {
    /// The token.
    public var text: String
    /// The natural logarithm of its probability.
    public var logprob: Double
    /// The likeliest tokens in its place, the likeliest first.
    public var likeliest: [ChatToken]

    /// Creates a token.
    public init(_ text: String, logprob: Double, likeliest: [ChatToken] = []) {
        self.text = text
        self.logprob = logprob
        self.likeliest = likeliest
    }

    fileprivate var textBytes: Int { likeliest.reduce(text.utf8.count) { $0 + $1.textBytes } }
}

/// A page that a model names as the source of its text.
public struct ChatCitation: Sendable, Equatable {
    /// The page's address.
    public var url: String
    /// The page's title; nil if the provider sends none.
    public var title: String?
    /// The part of the response's text that has this source, in Unicode scalars; nil if the provider doesn't say.
    public var range: Range<Int>?

    /// Creates a citation.
    public init(url: String, title: String? = nil, range: Range<Int>? = nil) {
        self.url = url
        self.title = title
        self.range = range
    }
}

/// Why a response has ended. The raw values are OpenAI's finish reasons.
public enum FinishReason: String, Sendable, Equatable {
    /// The model has ended its response.
    case stop
    /// The response has reached the limit of output tokens.
    case length
    /// The model wants tools to be called.
    case toolCalls = "tool_calls"
    /// A content filter has stopped the response.
    case contentFilter = "content_filter"
}
