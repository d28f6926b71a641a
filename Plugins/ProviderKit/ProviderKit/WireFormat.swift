/// How an operation is written on the wire, such as OpenAI's chat completions or Anthropic's messages.
///
/// Two formats are the same if their names are. A client's request passes through to a provider that names the client's
/// format in ``Provider/formats(for:model:)``; for all others it is translated.
public struct WireFormat: Sendable, Hashable {
    /// The name, in lower case, such as `openai-chat`.
    public let name: String

    /// Whether the format belongs to another one's API, which the name says: so `openai-responses-compact` belongs to
    /// `openai-responses`.
    public func isPart(of name: String) -> Bool { self.name.hasPrefix("\(name)-") }

    /// Creates a format. A plugin whose upstream has a format of its own makes one up.
    public init(_ name: String) {
        self.name = name
    }
}
