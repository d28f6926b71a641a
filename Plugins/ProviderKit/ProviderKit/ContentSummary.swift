/// A summary of the facts about a chunk or a response that the router acts on.
public struct ContentSummary: Sendable, Equatable {
    /// The bytes of text, reasoning, refusals and tool calls. It need not be exact, but must be 0 for a chunk without
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
    /// Whether the object has a top-level member that the client must not get: `_router`, which another router has
    /// added, or an `error` that says nothing, which OpenAI's SDKs take for an error. The router removes both.
    public var hasStrayMember = false
    /// Whether a chunk has usage and no choices, as the one that `stream_options.include_usage` adds. The client gets
    /// it only if it has requested it.
    public var isUsageOnly: Bool

    /// Creates a summary.
    public init(contentBytes: Int = 0, finishes: Int = 0, isFiltered: Bool = false, hasToolCall: Bool = false, isUsageOnly: Bool = false) {
        self.contentBytes = contentBytes
        self.finishes = finishes
        self.isFiltered = isFiltered
        self.hasToolCall = hasToolCall
        self.isUsageOnly = isUsageOnly
    }

    /// Whether the upstream has really begun to respond: there is content or a finish reason.
    ///
    /// From here on the router sends a stream to the client, and no other model can replace this one. At most it can
    /// continue the text, on routes that resume.
    public var hasBegun: Bool { contentBytes > 0 || finishes > 0 }
}
