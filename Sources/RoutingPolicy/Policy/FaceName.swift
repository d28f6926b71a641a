/// The API in which a request arrives. The raw values are the words of `face:` in a condition.
package enum FaceName: String, Sendable, CaseIterable {
    case openai, anthropic, gemini, ollama
}
