public import ProviderKit

/// OpenAI's chat completions.
///
/// A face reads requests with ``readRequest(_:)``, and writes typed events with ``OpenAIChunkWriter`` or
/// ``OpenAICompletionWriter``. A plugin writes requests with ``OpenAIChatBody``, and reads responses with
/// ``decoder(for:head:)``. Source for all of it: OpenAI's API reference, "Chat Completions".
public enum OpenAIChat {
    /// The format.
    public static let format = WireFormat("openai-chat")
}
