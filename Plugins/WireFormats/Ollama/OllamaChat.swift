public import ProviderKit

/// Ollama's chat, and its older `generate`, whose request is one prompt.
///
/// A face reads requests with ``readRequest(_:)`` or ``readGenerateRequest(_:)``, and writes typed events with
/// ``OllamaLineWriter`` or ``OllamaMessageWriter``, and errors with ``writeError(_:to:)``. A plugin writes requests
/// with ``OllamaBody``, and reads responses with ``decoder(for:head:)``. Sources for all of it: ollama/ollama,
/// docs/api.md, api/types.go and server/routes.go; the types of its SDK for Python.
public enum OllamaChat {
    /// The format of `POST /api/chat`.
    public static let format = WireFormat("ollama-chat")
    /// The format of `POST /api/generate`.
    public static let generate = WireFormat("ollama-generate")
}
