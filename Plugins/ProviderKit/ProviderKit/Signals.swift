/// What the router acts on in a part of a response, whatever its wire format is.
public struct Signals: Sendable, Equatable {
    /// The bytes of text, reasoning, refusals and tool calls. It need not be exact, but must be 0 for a part without
    /// any content, such as one with only a role.
    public var contentBytes: Int
    /// The number of choices that end here.
    public var finishes: Int
    /// Whether a content filter has stopped a choice here, or the model has refused to respond.
    public var isFiltered: Bool
    /// Whether a choice ends here with a reason that the plugin doesn't know. It counts as an end.
    public var hasUnknownFinishReason = false
    /// Whether there is a tool call, or a part of one.
    public var hasToolCall: Bool
    /// What a wire format's reader tells the same format's writer about a part that passes through. Only the format
    /// knows what it means; 0 is nothing.
    public var marks: UInt8 = 0

    /// Creates signals.
    public init(contentBytes: Int = 0, finishes: Int = 0, isFiltered: Bool = false, hasToolCall: Bool = false) {
        self.contentBytes = contentBytes
        self.finishes = finishes
        self.isFiltered = isFiltered
        self.hasToolCall = hasToolCall
    }

    /// Whether the upstream has really begun to respond: there is content or a finish reason.
    ///
    /// From here on the router sends a stream to the client, and no other model can replace this one. At most it can
    /// continue the text, on routes that resume.
    public var hasBegun: Bool { contentBytes > 0 || finishes > 0 }
}
