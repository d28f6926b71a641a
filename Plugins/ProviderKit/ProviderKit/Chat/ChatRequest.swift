/// A chat request in no vendor's format, for providers that don't speak the client's.
///
/// The client's wire format reads it from the request's body, and the provider's writes it. What is nil or empty is
/// left to the upstream's default.
///
/// A provider's format writes all of it, as it was asked for, and the API refuses what a model doesn't take. What a
/// format has no place for is refused by ``ProviderError/cannotExpress(_:)``. Left out is only
///
/// - what equals the API's default,
/// - what the client's own API calls a hint or a best effort: ``ChatSampling/seed``, ``ChatServiceSettings/verbosity``,
///   ``ChatMedia/detail``, ``ChatMessage/name``, and ``reasoning`` at models that can't be told how much they think,
/// - what doesn't change the response: ``user``, ``metadata``, the cache's marks and the other ``service`` settings,
/// - ``allowsParallelTools`` and ``ChatTool/isStrict``. Many clients send them with every request, so that a refusal
///   would make these useless, and what a model has written can't be changed afterwards.
public struct ChatRequest: Sendable, Equatable {
    /// The conversation, in order.
    public var messages: [ChatMessage]
    /// The tools that the model may call.
    public var tools: [ChatTool] = []
    /// Whether the model must call a tool, and which.
    public var toolChoice: ChatToolChoice?
    /// Whether one response should have several calls.
    ///
    /// A format without such a member leaves it out. Codex sends false for each model that it doesn't know.
    public var allowsParallelTools: Bool?
    /// The most tokens of the response, reasoning included.
    public var maxTokens: Int?
    /// How the next token is drawn.
    public var sampling = ChatSampling()
    /// The texts at which the response ends.
    public var stop: [String] = []
    /// The number of choices, at least 1.
    public var choices = 1
    /// How many of the likeliest tokens the response has beside each of its own, with their log probabilities; nil if
    /// it has none of these.
    public var topLogprobs: Int?
    /// The form that the text of the response must have.
    public var responseFormat: ChatResponseFormat?
    /// How much the model reasons before it responds.
    public var reasoning: ChatReasoning?
    /// An id of the client's user, which helps the provider to detect abuse.
    public var user: String?
    /// Names and values that the provider stores with the request.
    public var metadata: [String: String] = [:]
    /// Settings of OpenAI's service. Other formats leave them out.
    public var service = ChatServiceSettings()

    /// Creates a request.
    public init(messages: [ChatMessage]) {
        self.messages = messages
    }
}

/// Settings that both of OpenAI's chat formats have. Each value is as its API reference names it.
public struct ChatServiceSettings: Sendable, Equatable {
    /// How long the text of the response is: `low`, `medium` or `high`.
    public var verbosity: String?
    /// The kind of processing, which has its own price and speed, such as `flex` or `priority`.
    public var tier: String?
    /// What requests with equal beginnings have in common, so that they find each other's prompt in the cache.
    public var promptCacheKey: String?
    /// How long the prompt stays in the cache, such as `24h`.
    public var promptCacheRetention: String?

    /// Creates settings that leave everything to the service.
    public init() {}
}

/// How the tokens of a response are drawn. nil is the model's default.
public struct ChatSampling: Sendable, Equatable {
    /// From 0, which always takes the most likely token, usually to 2.
    public var temperature: Double?
    /// The probability that the candidates make up together, from 0 to 1.
    public var topP: Double?
    /// The number of candidates.
    public var topK: Int?
    /// The penalty on tokens by how often they have occurred, from -2 to 2.
    public var frequencyPenalty: Double?
    /// The penalty on tokens that have occurred, from -2 to 2.
    public var presencePenalty: Double?
    /// Equal requests with equal seeds get equal responses, as far as the provider can do that.
    public var seed: Int?

    /// Creates settings that leave everything to the model.
    public init() {}
}

/// The form that the text of a response must have.
public enum ChatResponseFormat: Sendable, Equatable {
    /// Text, the default.
    case text
    /// Any JSON object.
    case json
    /// JSON that a schema describes. The schema is encoded as JSON; `isStrict` means that the response must match it
    /// exactly.
    case schema(name: String, description: String?, schema: [UInt8], isStrict: Bool)
}

/// How much a model reasons before it responds.
public enum ChatReasoning: Sendable, Equatable {
    /// An effort by name, such as `low` or `high`. `none` turns reasoning off. Formats know different names.
    case effort(String)
    /// The most tokens of reasoning; 0 turns it off.
    case budget(tokens: Int)
    /// As much as the model finds right for the request.
    case adaptive
}

/// A function that the model may call. The client runs it.
public struct ChatTool: Sendable, Equatable {
    /// The function's name.
    public var name: String
    /// What it does, for the model.
    public var description: String?
    /// The JSON Schema of its arguments, encoded as JSON; nil if it takes none.
    public var parameters: [UInt8]?
    /// Whether the arguments must match the schema exactly; nil for the provider's default.
    public var isStrict: Bool?
    /// What the provider may keep in its cache after this tool, as ``ChatPart/cacheControl``.
    public var cacheControl: [UInt8]?
    /// The tool as formats have it whose tools may take a text instead of JSON; nil for any other. In all other formats
    /// the function stands for it, whose argument `input` is the text.
    public var custom: ChatCustomTool?

    /// Creates a tool.
    public init(
        name: String, description: String? = nil, parameters: [UInt8]? = nil, isStrict: Bool? = nil, cacheControl: [UInt8]? = nil,
        custom: ChatCustomTool? = nil
    ) {
        self.custom = custom
        self.name = name
        self.description = description
        self.parameters = parameters
        self.isStrict = isStrict
        self.cacheControl = cacheControl
    }
}

/// A tool that takes a text instead of JSON. Source: OpenAI's guide "Function calling", "Custom tools".
public struct ChatCustomTool: Sendable, Equatable {
    /// What it does, for the model.
    public var description: String?
    /// The grammar that the text must match; nil for any text.
    public var grammar: ChatGrammar?

    /// Creates a tool.
    public init(description: String? = nil, grammar: ChatGrammar? = nil) {
        self.description = description
        self.grammar = grammar
    }
}

/// A grammar of texts.
public struct ChatGrammar: Sendable, Equatable {
    /// The language of the definition, such as `lark` or `regex`.
    public var syntax: String
    /// The grammar in this language.
    public var definition: String

    /// Creates a grammar.
    public init(syntax: String, definition: String) {
        self.syntax = syntax
        self.definition = definition
    }
}

/// Whether the model must call a tool.
public enum ChatToolChoice: Sendable, Equatable {
    /// The model decides.
    case auto
    /// The model calls no tool.
    case none
    /// The model calls at least one tool.
    case required
    /// The model calls the tool with this name.
    case tool(String)
}
