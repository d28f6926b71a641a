/// What a request asks a model for, in whichever API it arrives. The raw values are the words of
/// `serves:` in a policy.
public enum Operation: String, Sendable, CaseIterable {
    /// A response to a conversation: OpenAI's `POST /chat/completions`.
    case chat
    /// The number of a conversation's tokens: Anthropic's `POST /messages/count_tokens`.
    case countTokens = "count_tokens"
    /// Vectors for texts: `POST /embeddings`.
    case embeddings
    /// Images for a description: `POST /images/generations`.
    case imageGeneration = "images"
    /// Changes of given images: `POST /images/edits`.
    case imageEdit = "image_edits"
    /// Whether a text breaks the rules: `POST /moderations`.
    case moderation
    /// Documents in the order of their relevance: `POST /rerank`.
    case rerank
    /// The continuation of a text: the legacy `POST /completions`.
    case completion
    /// The text of a recording: `POST /audio/transcriptions`.
    case transcription
    /// The text of a recording, in English: `POST /audio/translations`.
    case translation
    /// A text, spoken: `POST /audio/speech`.
    case speech

    /// The operations that models serve, as `serves:` lists them. Tokens are counted for every model that serves chats.
    public static let served = allCases.filter { $0 != .countTokens }

    /// The operation with this name, if models serve it.
    public init?(served name: String) {
        guard let operation = Self.served.first(where: { $0.rawValue == name }) else { return nil }
        self = operation
    }

    /// Whether a request can be a form with files.
    public var takesForms: Bool { self == .imageEdit || self == .transcription || self == .translation }

    /// Whether the request or the response is audio. The response then need not be JSON or a stream of events: it may
    /// be audio or plain text, as its `content-type` says.
    public var isAudio: Bool { self == .transcription || self == .translation || self == .speech }
}
