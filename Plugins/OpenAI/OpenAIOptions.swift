import ConfigTree
public import ProviderKit

public struct OpenAIOptions: Sendable, Equatable {
    public var baseURL: BaseURL
    public var apiKey: Secret?
    /// Further fields of every request. Their values may be secrets, so they are kept as such.
    public var headers: [HTTPField]
    /// Whether streams are asked for usage, which some servers refuse.
    public var streamUsage: Bool

    /// Reads `base_url`, `api_key`, `headers` and `stream_usage`. nil where a problem was reported.
    init?(_ fields: inout FieldReader, defaultBaseURL: BaseURL?, needsKey: Bool) {
        let baseURL = fields.baseURL("base_url", required: defaultBaseURL == nil, default: defaultBaseURL)
        let apiKey = fields.secret("api_key", required: needsKey)
        headers = fields.headers("headers") ?? []
        streamUsage = fields.bool("stream_usage") ?? true
        self.apiKey = apiKey
        guard let baseURL, apiKey != nil || !needsKey else { return nil }
        self.baseURL = baseURL
    }
}
