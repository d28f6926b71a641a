/// A message of a conversation.
public struct ChatMessage: Sendable, Equatable {
    /// Who speaks.
    public enum Role: String, Sendable, CaseIterable {
        /// The operator of the application. OpenAI's newer models call it `developer`.
        case system
        /// The user of the application.
        case user
        /// The model.
        case assistant
        /// The application, with the result of a tool that the model has called.
        case tool
    }

    /// Who speaks.
    public var role: Role
    /// The speaker's name, where several speakers have the same role.
    public var name: String?
    /// What is said, in order.
    public var parts: [ChatPart]

    /// Creates a message.
    public init(_ role: Role, name: String? = nil, _ parts: [ChatPart]) {
        self.role = role
        self.name = name
        self.parts = parts
    }

    /// Creates a message that is one text.
    public init(_ role: Role, _ text: String) {
        self.init(role, [ChatPart(.text(text))])
    }

    /// The texts of the message, joined.
    public var text: String {
        parts.lazy.compactMap { part in
            if case .text(let text) = part.content { return text } else { return nil }
        }.joined()
    }
}

/// A part of a message.
public struct ChatPart: Sendable, Equatable {
    /// What a part contains.
    public enum Content: Sendable, Equatable {
        /// Text.
        case text(String)
        /// An image, a sound, a video or a document.
        case media(ChatMedia)
        /// The model's call of a tool. Only assistants' messages have it.
        case toolCall(ChatToolCall)
        /// What a tool has returned. Only messages with the role ``ChatMessage/Role/tool`` have it.
        case toolResult(ChatToolResult)
        /// The model's reasoning in an earlier response. Only assistants' messages have it.
        case reasoning(ChatReasoningText)
        /// The model's refusal to respond, in its words. Only assistants' messages have it.
        case refusal(String)
    }

    /// What the part contains.
    public var content: Content
    /// What the provider may keep in its cache after this part, encoded as JSON: Anthropic's `cache_control`. nil if
    /// the client doesn't say. Formats without it leave it out.
    public var cacheControl: [UInt8]?

    /// Creates a part.
    public init(_ content: Content, cacheControl: [UInt8]? = nil) {
        self.content = content
        self.cacheControl = cacheControl
    }
}

/// An image, a sound, a video or a document in a message.
public struct ChatMedia: Sendable, Equatable {
    /// What it is.
    public enum Kind: String, Sendable {
        /// A picture.
        case image
        /// A sound, usually speech.
        case audio
        /// Moving pictures.
        case video
        /// A document, such as a PDF.
        case file
    }

    /// Where its bytes are.
    public enum Source: Sendable, Equatable {
        /// At a URL that the provider reads.
        case url(String)
        /// In the request, in base64. The media type is nil if the client doesn't name it.
        case base64(String, mediaType: String?)
        /// At the provider, which knows it by an id.
        case id(String)
    }

    /// What it is.
    public var kind: Kind
    /// Where its bytes are.
    public var source: Source
    /// The name of a document; nil if it has none.
    public var filename: String?
    /// How closely the model looks at an image: `low`, `high` or `auto`. nil for the provider's default.
    public var detail: String?

    /// Creates a medium.
    public init(_ kind: Kind, _ source: Source, filename: String? = nil, detail: String? = nil) {
        self.kind = kind
        self.source = source
        self.filename = filename
        self.detail = detail
    }
}

/// A model's call of a tool.
public struct ChatToolCall: Sendable, Equatable {
    /// The id to which the result refers.
    public var id: String
    /// The tool's name.
    public var name: String
    /// The arguments: the text of a JSON object, as the model wrote it. It may be invalid.
    public var arguments: String

    /// Creates a call.
    public init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// What a tool has returned.
public struct ChatToolResult: Sendable, Equatable {
    /// The id of the call.
    public var callID: String
    /// The result: texts and media.
    public var parts: [ChatPart]
    /// Whether the tool has failed, and the result says how.
    public var isError: Bool

    /// Creates a result.
    public init(callID: String, parts: [ChatPart], isError: Bool = false) {
        self.callID = callID
        self.parts = parts
        self.isError = isError
    }
}

/// A model's reasoning in an earlier response, which some providers need back.
public struct ChatReasoningText: Sendable, Equatable {
    /// The reasoning in words; empty if the provider has sent only a token.
    public var text: String
    /// The provider's own form of the reasoning; nil if there is none.
    public var token: OpaqueToken?

    /// Creates reasoning.
    public init(text: String, token: OpaqueToken? = nil) {
        self.text = text
        self.token = token
    }
}
