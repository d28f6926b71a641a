public import Codecs

/// One attempt to get a response from one model, as a plugin sees it.
public struct Call: Sendable {
    /// What the client requests.
    public let operation: Operation
    /// The provider's own name of the model. It comes from the policy, never from the client.
    public let model: String
    /// Whether the client wants a streamed response.
    public let isStream: Bool
    /// Whether the client wants the usage in its stream (`stream_options.include_usage`). If not, the router drops the
    /// chunk that contains only the usage, so a plugin may request it anyway.
    public let wantsUsage: Bool
    /// The top-level members of the client's body that go upstream, in the order of the body. The router's own routing
    /// overrides are left out.
    ///
    /// The ranges refer to the client's body. `model` is included if the client gave it. No key that the router itself
    /// reads, such as `model` or `messages`, occurs twice; any other key may.
    public let members: [JSONMember]
    /// The model's `request_defaults`: members to add if the client's body doesn't have their keys.
    public let defaults: [BodyField]
    /// The model's `request_overrides`: members to add, which replace the client's members of the same key.
    public let overrides: [BodyField]
    /// The text of the response so far, if another model's stream broke off. The model must continue from exactly this
    /// text, and its response is what follows the text. nil for an ordinary call.
    ///
    /// It is set only for providers whose ``Capabilities/canContinue`` is true.
    public let continuation: String?
    /// Whether the decoder must collect the text of the response with ``ResponseSink/keep(text:)``, so that another
    /// model can continue it.
    public let keepsText: Bool
    /// Header fields of the client's request that go upstream, such as `idempotency-key`. The router chooses them; they
    /// never contain the client's credential.
    public let headers: [HTTPField]
    /// The repairs of this request, and the lasting ones of the provider.
    public let repairs: [Repair]
    /// How many times this request has been sent to this model before: 0 for the first attempt, and more for its
    /// retries.
    public let earlierAttempts: Int

    /// Creates a call. The router does so; a plugin needs this only in its tests.
    public init(
        operation: Operation, model: String, isStream: Bool, wantsUsage: Bool = false, members: [JSONMember] = [],
        defaults: [BodyField] = [], overrides: [BodyField] = [], continuation: String? = nil, keepsText: Bool = false,
        headers: [HTTPField] = [], repairs: [Repair] = [], earlierAttempts: Int = 0
    ) {
        self.operation = operation
        self.model = model
        self.isStream = isStream
        self.wantsUsage = wantsUsage
        self.members = members
        self.defaults = defaults
        self.overrides = overrides
        self.continuation = continuation
        self.keepsText = keepsText
        self.headers = headers
        self.repairs = repairs
        self.earlierAttempts = earlierAttempts
    }
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
