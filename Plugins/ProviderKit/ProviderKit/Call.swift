public import Codecs

/// One attempt at one model, as a plugin sees it.
public struct Call: Sendable {
    public let operation: Operation
    /// The provider's own name of the model. It comes from the policy, never from the client.
    public let model: String
    /// Whether the client wants the response as a stream.
    public let isStream: Bool
    /// Whether the client asked for usage in its stream (`stream_options.include_usage`).
    public let wantsUsage: Bool
    /// The top-level members of the client's body that go upstream, in its order: all but the router's own fields.
    /// `model` is among them where the client gave one. No two have the same key among those the router reads.
    public let members: [JSONMember]
    /// `request_defaults` of the model: members for keys that the client didn't give.
    public let defaults: [BodyField]
    /// `request_overrides` of the model: members that replace the client's.
    public let overrides: [BodyField]
    /// The response's text so far, where another model's stream broke off: the model goes on from exactly this text, and its response is what follows.
    /// nil: a call of its own. Set only for providers whose `capabilities` say `canContinue`.
    public let continuation: String?
    /// Whether the decoder collects the response's text (`ResponseSink.keep`), so that another model could continue it.
    public let keepsText: Bool
    /// How many times this request has asked this model before: 0, and more for its retries.
    public let earlierTries: Int

    public init(
        operation: Operation, model: String, isStream: Bool, wantsUsage: Bool = false, members: [JSONMember] = [],
        defaults: [BodyField] = [], overrides: [BodyField] = [], continuation: String? = nil, keepsText: Bool = false, earlierTries: Int = 0
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
        self.earlierTries = earlierTries
    }
}

/// A member for a JSON body, from the policy.
public struct BodyField: Sendable, Equatable {
    public var key: String
    /// One JSON value, encoded.
    public var json: [UInt8]

    public init(key: String, json: [UInt8]) {
        self.key = key
        self.json = json
    }
}
