/// What a request asks a model for, in whichever API it arrives. The raw values are the words of `serves:` in a policy.
public enum Operation: String, Sendable, CaseIterable {
    /// A response to a conversation: OpenAI's `POST /chat/completions`.
    case chat
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
}
