import ProviderKit

/// The names that OpenTelemetry has for what the router calls otherwise. What it has no name for keeps the router's.
///
/// Source: OpenTelemetry's semantic conventions for generative AI, attributes `gen_ai.provider.name` and
/// `gen_ai.operation.name`.
enum GenAIName {
    /// - Parameters:
    ///   - plugin: the provider's plugin.
    ///   - host: its server; nil if it has none.
    static func provider(plugin: String, host: String?) -> String {
        if plugin == "gemini", host?.hasSuffix("aiplatform.googleapis.com") == true { return "gcp.vertex_ai" }
        return providers[plugin] ?? host.flatMap { host in hosts.first(where: { host == $0.host || host.hasSuffix(".\($0.host)") })?.name }
            ?? plugin
    }

    static func operation(_ operation: ProviderKit.Operation) -> String {
        switch operation {
        case .completion: "text_completion"
        case .countTokens: "count_tokens"
        default: operation.rawValue
        }
    }

    private static let providers = [
        "anthropic": "anthropic", "azure-openai": "azure.ai.openai", "bedrock": "aws.bedrock", "deepseek": "deepseek",
        "gemini": "gcp.gemini",
        "openai": "openai",
    ]

    /// Vendors that have OpenAI's format, and no plugin of their own.
    private static let hosts: [(host: String, name: String)] = [
        ("groq.com", "groq"), ("mistral.ai", "mistral_ai"), ("x.ai", "x_ai"), ("moonshot.ai", "moonshot_ai"),
        ("perplexity.ai", "perplexity"), ("cohere.com", "cohere"), ("cohere.ai", "cohere"), ("openai.com", "openai"),
    ]
}
