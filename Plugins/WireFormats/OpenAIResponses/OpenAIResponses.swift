public import ProviderKit

/// OpenAI's Responses.
///
/// A face reads requests with ``readRequest(_:)``, and writes typed events with ``OpenAIResponsesEventWriter`` or
/// ``OpenAIResponsesWriter``. A plugin writes requests with ``OpenAIResponsesBody``, and reads responses with
/// ``decoder(for:head:)``. Source for all of it: OpenAI's API reference, "Responses", and the types of its SDK for
/// Python.
public enum OpenAIResponses {
    /// The format, of responses and of the counting of their tokens.
    public static let format = WireFormat("openai-responses")
    /// The compaction of a conversation, which only passes through: `POST /responses/compact`.
    public static let compaction = WireFormat("openai-responses-compact")
}
