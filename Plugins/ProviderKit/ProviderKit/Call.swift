public import Codecs

/// One attempt to get a response from one model, as a plugin sees it.
public struct Call: Sendable {
    /// What the client requests.
    public let operation: Operation
    // The flags stand together, because an attempt must stay small enough for the allocator's fast path.
    /// Whether the client wants a streamed response.
    public let isStream: Bool
    /// Whether the decoder must collect the text of the response with ``ResponseSink/keep(text:)``, so that another
    /// model can continue it.
    public let keepsText: Bool
    /// The name of the provider in the policy.
    public let provider: String
    /// The provider's own name of the model. It comes from the policy, never from the client.
    public let model: String
    /// The client's wire format. If it is one of ``Provider/formats(for:model:)``, ``payload`` passes through, and so
    /// does the response. Otherwise both are typed.
    public let format: WireFormat
    /// The format in which the request goes upstream, one of the provider's: the client's if its request passes
    /// through, otherwise the first one. It matters to providers that speak several.
    public let upstreamFormat: WireFormat
    /// What the client sends.
    public let payload: Payload
    /// Whether the conversation may have reasoning of earlier responses, with tokens of the providers that made it.
    public let mayHaveTokens: Bool
    /// The most tokens of a prompt and its response together, as the policy says of the model; nil if it doesn't.
    public let context: Int?
    /// The most tokens of a response of the model, as the policy says; nil if it doesn't.
    public let maxOutput: Int?
    /// The model's `request_defaults`, in the provider's own format: members to add if the request doesn't have their
    /// keys.
    public let defaults: [BodyField]
    /// The model's `request_overrides`, in the provider's own format: members to add, which replace the request's
    /// members of the same key. Null removes that member.
    public let overrides: [BodyField]
    /// The text of the response so far, if another model's stream broke off. The model must continue from exactly this
    /// text, and its response is what follows the text. nil for an ordinary call.
    ///
    /// It is set only for providers whose ``Provider/canContinue`` is true.
    public let continuation: String?
    /// Header fields of the client's request that go upstream, such as `idempotency-key`. The router chooses them; they
    /// never contain the client's credential.
    public let headers: [HTTPField]
    /// The repairs of this request, and the lasting ones of the provider.
    public let repairs: [Repair]
    /// The server behind the provider that made the conversation's last response, as ``ResponseSink/served(by:)`` named
    /// it. It has the conversation in its cache. nil if none is known, or the route isn't sticky.
    public let lastHost: String?
    /// How many times this request has been sent to this model before: 0 for the first attempt, and more for its
    /// retries.
    public let earlierAttempts: Int

    /// Creates a call. The router does so; a plugin needs this only in its tests. Without an upstream format it is the
    /// client's.
    public init(
        operation: Operation, model: String, isStream: Bool, format: WireFormat, payload: Payload, defaults: [BodyField] = [],
        overrides: [BodyField] = [], continuation: String? = nil, keepsText: Bool = false, headers: [HTTPField] = [],
        repairs: [Repair] = [], earlierAttempts: Int = 0, provider: String = "",
        context: Int? = nil, maxOutput: Int? = nil, mayHaveTokens: Bool = true, upstreamFormat: WireFormat? = nil,
        lastHost: String? = nil
    ) {
        self.lastHost = lastHost
        self.provider = provider
        self.context = context
        self.maxOutput = maxOutput
        self.mayHaveTokens = mayHaveTokens
        self.operation = operation
        self.model = model
        self.isStream = isStream
        self.format = format
        self.upstreamFormat = upstreamFormat ?? format
        self.payload = payload
        self.defaults = defaults
        self.overrides = overrides
        self.continuation = continuation
        self.keepsText = keepsText
        self.headers = headers
        self.repairs = repairs
        self.earlierAttempts = earlierAttempts
    }
}

/// What the client of a call sends.
public enum Payload: Sendable {
    /// The top-level members of the client's body that go upstream, in the order of the body, because its format passes
    /// through. The router's own routing overrides are left out.
    ///
    /// The ranges refer to the client's body. `model` is included if the client gave it. No key that the router itself
    /// reads, such as `model` or `messages`, occurs twice; any other key may.
    case members([JSONMember])
    /// The fields of the client's form, because its format passes through. The ranges refer to the client's body, which
    /// may be in a file: then a plugin sees the texts, and of the files only their ranges.
    indirect case form(MultipartForm)
    /// A chat request in another format than the provider's.
    indirect case chat(ChatRequest)
    /// An embeddings request in another format than the provider's.
    indirect case embeddings(EmbeddingsRequest)
}

/// A member for the JSON body of a request, from the policy.
public struct BodyField: Sendable, Equatable {
    /// The key, not encoded.
    public var key: String
    /// The value, encoded as JSON.
    public var json: [UInt8]

    /// Creates a member.
    public init(key: String, json: [UInt8]) {
        self.key = key
        self.json = json
    }
}
