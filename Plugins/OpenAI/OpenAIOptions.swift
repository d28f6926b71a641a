import ConfigTree
public import ProviderKit

public struct OpenAIOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    public var apiKey: Secret?
    /// Further fields of every request. Their values may be secrets, so they are kept as such.
    public var headers: [HTTPField]
    /// Whether streams are asked for usage, which some servers refuse.
    public var streamUsage: Bool
    /// How a model of this server is asked to go on from a partial answer.
    public var continues: Continuation

    /// Reads `base_url`, `api_key`, `headers`, `stream_usage` and, where servers differ in it, `continues`. nil where a problem was reported.
    init?(_ fields: inout FieldReader, defaultBaseURL: BaseURL?, needsKey: Bool, readsContinues: Bool) {
        let baseURL = fields.baseURL("base_url", required: defaultBaseURL == nil, default: defaultBaseURL)
        let apiKey = fields.secret("api_key", required: needsKey)
        headers = fields.headers("headers") ?? []
        fields.describe("stream_usage", "asks for usage in streams; false for servers that refuse the wish", standard: "true")
        streamUsage = fields.bool("stream_usage") ?? true
        if readsContinues {
            fields.describe("continues", "how it is asked to go on with a broken response: for 'resume' of a route", standard: "no")
        }
        let word = readsContinues ? fields.word("continues", of: Continuation.allCases.map(\.rawValue)) : nil
        continues = word.flatMap(Continuation.init) ?? .no
        self.apiKey = apiKey
        guard let baseURL, apiKey != nil || !needsKey else { return nil }
        self.baseURL = baseURL
    }
}

/// How a server is told to go on from the text of a last message of the assistant's, instead of answering it.
public enum Continuation: String, Sendable, CaseIterable {
    /// It can't be told.
    case no
    /// By that message alone. Source: OpenRouter's API reference, "Assistant Prefill".
    case prefill
    /// By `"prefix": true` in that message. Source: DeepSeek's guide "Chat Prefix Completion", at the base URL `https://api.deepseek.com/beta`; Mistral's API reference.
    case prefix
    /// By `"continue_final_message": true, "add_generation_prompt": false` in the body. Source: vLLM's "OpenAI-Compatible Server", extra parameters; llama.cpp's
    /// server takes both as well (ggml-org/llama.cpp#23012).
    case continueFinalMessage = "continue_final_message"
}
