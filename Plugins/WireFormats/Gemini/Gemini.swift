import Codecs
public import ProviderKit

/// Gemini's `generateContent`.
///
/// A face reads requests with ``readRequest(_:)``, and writes typed events with ``GeminiChunkWriter`` or
/// ``GeminiObjectWriter``, and errors with ``writeError(_:to:)``. A plugin writes requests with ``GeminiBody``, and
/// reads responses with ``decoder(for:head:signatures:)``. Sources for all of it: the Gemini API reference, "Generating
/// content", "Counting tokens" and "Embeddings"; the types and transformers of the SDK google-genai 3.6.1 for Python.
public enum Gemini {
    /// The format, of responses to a conversation and of the counting of its tokens.
    public static let format = WireFormat("gemini")

    /// What the Gemini API writes in front of a model's name.
    public static let modelPrefix = "models/"
}

extension JSONTree {
    /// The value of a member by its name in JSON, such as `systemInstruction`, or in the protocol buffer, such as
    /// `system_instruction`: servers accept both. Source: Protocol Buffers' "ProtoJSON Format".
    subscript(proto name: StaticString) -> JSONTree? {
        if let value = self[name] { return value }
        guard let members, members.contains(where: { $0.key.contains(UInt8(ascii: "_")) }) else { return nil }
        let snake = "\(name)".reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
        return members.last { $0.name == snake }?.value
    }
}

extension RequestValue {
    /// As ``JSONTree``'s subscript. Null counts as absent.
    subscript(proto name: StaticString) -> RequestValue? {
        guard let value = tree[proto: name], !value.isNull else { return nil }
        return RequestValue(value, place.isEmpty ? "\(name)" : "\(place).\(name)")
    }

    /// The elements of a list of objects. One object stands for a list of it: so Google's own samples for curl write
    /// `"parts": {"text": "…"}`.
    func repeated() throws(ProviderError) -> [RequestValue] { tree.members == nil ? try elements() : [self] }
}
