public import ProviderKit

/// Anthropic's Messages.
///
/// A face reads requests with ``readRequest(_:)``, and writes typed events with ``AnthropicEventWriter`` or
/// ``AnthropicMessageWriter``, and errors with ``writeError(type:message:requestID:to:)``. A plugin writes requests
/// with ``AnthropicMessagesBody``, and reads responses with ``decoder(for:head:)``. Source for all of it: Anthropic's
/// API reference, "Messages", and the types of its SDK for Python.
public enum AnthropicMessages {
    /// The format, of messages and of the counting of their tokens.
    public static let format = WireFormat("anthropic-messages")
}
