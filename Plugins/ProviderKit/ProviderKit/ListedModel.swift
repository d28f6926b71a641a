/// A model in a provider's own list. nil means that the list doesn't say it.
public struct ListedModel: Sendable, Equatable {
    /// The provider's own name of the model, which requests use.
    public var id: String
    /// The model's name for people.
    public var name: String?
    /// What the model is, in the provider's words.
    public var description: String?
    /// The most tokens that the model takes.
    public var context: Int?
    /// The most tokens of a response.
    public var maxOutput: Int?
    /// What messages to the model may contain, such as `text` and `image`.
    public var inputModalities: [String]?
    /// What responses may contain, such as `text` and `audio`.
    public var outputModalities: [String]?
    /// Whether the model can call tools.
    public var callsTools: Bool?
    /// Whether the model can be made to respond in JSON.
    public var writesJSON: Bool?
    /// Whether the model can reason before it responds.
    public var reasons: Bool?
    /// The operations that the model serves; empty if the router has none for it.
    public var operations: [Operation]?
    /// What the model costs.
    public var price: ListedPrice?
    /// When the provider stops to serve the model, in seconds since 1970.
    public var servedUntil: Double?

    /// Creates a model about which nothing but its name is known.
    ///
    /// - Parameter id: the provider's own name of the model.
    public init(id: String) {
        self.id = id
    }
}

/// What a model costs in US dollars, as the provider's list says it. nil means that the list doesn't say it.
public struct ListedPrice: Sendable, Equatable {
    /// The price of a million tokens of the prompt.
    public var input: Double
    /// The price of a million tokens of the response.
    public var output: Double
    /// The price of a million tokens of the prompt that were read from a cache.
    public var cachedInput: Double?
    /// The price of a million tokens of the prompt that were written to a cache.
    public var cacheWrite: Double?
    /// The price of a million of those that the cache keeps for an hour.
    public var longCacheWrite: Double?
    /// The price of a million tokens of the response that were spent on reasoning.
    public var reasoning: Double?
    /// The price of a million tokens of the prompt that are audio.
    public var audioInput: Double?
    /// The price of a million tokens of the response that are audio.
    public var audioOutput: Double?
    /// The price of each request, besides its tokens.
    public var perRequest: Double?
    /// The price of each image that the model makes.
    public var perImage: Double?

    /// Creates a price of tokens alone.
    ///
    /// - Parameters:
    ///   - input: the price of a million tokens of the prompt.
    ///   - output: the price of a million tokens of the response.
    public init(input: Double, output: Double) {
        self.input = input
        self.output = output
    }

    /// Whether nothing costs anything.
    public var isFree: Bool {
        [input, output, reasoning ?? 0, audioInput ?? 0, audioOutput ?? 0, perRequest ?? 0, perImage ?? 0].allSatisfy { $0 == 0 }
    }
}
