public import ConfigTree
public import ProviderKit
public import WireFormats

/// The options that every server with OpenAI's API has.
public struct OpenAIServerOptions: Sendable, Equatable {
    /// The server's address.
    public var baseURL: BaseURL
    /// The accounts' keys; empty for servers without one.
    public var apiKeys: [Secret]
    /// More header fields for each request. Their values may be secrets, so they are treated as such.
    public var headers: [HTTPField]
    /// How the server differs from OpenAI's.
    public var dialect: OpenAIDialect

    /// Reads `base_url`, `api_key`, `headers` and `stream_usage`. nil if an issue was recorded.
    ///
    /// - Parameters:
    ///   - defaultBaseURL: the address that applies without `base_url`; nil if it is required.
    ///   - needsKey: whether `api_key` is required.
    ///   - needsVersion: whether the address should have a version in its path.
    public init?(_ fields: inout FieldReader, defaultBaseURL: BaseURL?, needsKey: Bool, needsVersion: Bool = true) {
        let baseURL = fields.baseURL("base_url", required: defaultBaseURL == nil, default: defaultBaseURL)
        if let baseURL, needsVersion { fields.warnAboutMissingVersion(in: baseURL) }
        apiKeys = fields.secrets("api_key", required: needsKey)
        headers = fields.headers("headers") ?? []
        fields.describe(
            "stream_usage", "requests the usage of each stream; use false for servers that refuse such requests", default: "true")
        dialect = OpenAIDialect(streamUsage: fields.bool("stream_usage") ?? true)
        guard let baseURL, !apiKeys.isEmpty || !needsKey else { return nil }
        self.baseURL = baseURL
    }
}

extension FieldReader {
    /// Reads a text of visible ASCII characters, such as an id or the value of a header field; nil if it is absent or
    /// invalid.
    ///
    /// - Parameter hasBlanks: whether blanks are allowed between them.
    public mutating func visible(_ key: String, hasBlanks: Bool = false) -> String? {
        guard let text = string(key) else { return nil }
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 || hasBlanks && $0 == 0x20 }) else {
            report(key, "'\(key)' takes visible ASCII characters\(hasBlanks ? " and blanks" : "")")
            return nil
        }
        return text
    }

    /// Warns of a `base_url` whose path has no version, which most servers need: `http://host:8000` for
    /// `http://host:8000/v1`.
    fileprivate mutating func warnAboutMissingVersion(in url: BaseURL) {
        guard let node = node("base_url"), !node.isUnresolved, !rootServers.contains(url.origin.host) else { return }
        let parts = url.path.lowercased().split(separator: "/")
        let hasVersion = parts.contains { $0.first == "v" && $0.dropFirst().first?.isASCIIDigit == true || unversioned.contains($0) }
        // An address that ends with an endpoint has its own warning.
        guard !hasVersion, !issues.contains(where: { $0.position == node.position }) else { return }
        report(
            ConfigIssue(
                .warning, at: node.position, "'base_url' has no version in its path, but most servers serve this API below '/v1'",
                hint: "add '/v1' at the end, or what the server's documentation gives as its base URL"))
    }
}

/// Servers whose API is at the root as well. Sources: DeepSeek's and Perplexity's API references, GitHub's
/// documentation of Models and of Copilot.
private let rootServers: Set<String> = [
    "api.deepseek.com", "api.perplexity.ai", "models.inference.ai.azure.com", "api.githubcopilot.com",
]

/// Parts of paths without a version. Sources: the documentation of Azure OpenAI (`/openai/deployments/NAME`), GitHub
/// Models and Scaleway (`/inference`), DeepSeek (`/beta`), Databricks (`/serving-endpoints`) and Cloudflare's AI
/// Gateway (`/compat`).
private let unversioned: Set<Substring> = ["deployments", "inference", "beta", "serving-endpoints", "compat"]
