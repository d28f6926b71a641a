/// A request for vectors in no vendor's format, for providers that don't speak the client's.
public struct EmbeddingsRequest: Sendable, Equatable {
    /// A text to embed.
    public enum Input: Sendable, Equatable {
        /// A text.
        case text(String)
        /// A text as tokens of the model's own tokenizer.
        case tokens([Int])
    }

    /// The texts. The response has one vector for each, in the same order.
    public var inputs: [Input]
    /// The length of the vectors; nil for the model's default.
    public var dimensions: Int?
    /// An id of the client's user, which helps the provider to detect abuse.
    public var user: String?

    /// Creates a request.
    public init(inputs: [Input], dimensions: Int? = nil, user: String? = nil) {
        self.inputs = inputs
        self.dimensions = dimensions
        self.user = user
    }
}

/// A response with vectors, which the client's wire format writes.
public struct EmbeddingsResponse: Sendable, Equatable {
    /// The vectors, one for each input, in order.
    public var vectors: [[Float]]

    /// Creates a response.
    public init(vectors: [[Float]]) {
        self.vectors = vectors
    }

    /// What the router acts on in the response.
    public var signals: Signals { Signals(finishes: 1) }
}
