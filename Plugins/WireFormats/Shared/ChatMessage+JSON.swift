import ProviderKit

extension ChatMessage {
    /// Demands JSON of a model, where the provider has no mode for it, or requires that the prompt demands it too.
    ///
    /// Anthropic's guide "Increase output consistency" has models made to write JSON by such words.
    static let jsonDemand = ChatMessage(
        .system,
        "The text of your response must be valid JSON: an object, unless another value is asked for. Write nothing around it, "
            + "neither words nor a code fence.")
}

extension [ChatMessage] {
    /// The messages with a demand for JSON, which ends the system prompt.
    var demandingJSON: [ChatMessage] {
        let prompt = prefix { $0.role == .system }
        return prompt + [.jsonDemand] + self[prompt.endIndex...]
    }
}

extension Collection<ChatMessage> {
    /// Whether a text has the word, without which OpenAI and DeepSeek refuse their JSON mode. Sources: OpenAI's guide
    /// "Structured outputs", "JSON mode"; DeepSeek's guide "JSON Output".
    var mentionJSON: Bool { contains { $0.parts.contains { $0.text?.lowercased().contains("json") == true } } }
}
