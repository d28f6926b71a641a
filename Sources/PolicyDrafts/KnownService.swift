/// A service that other programs know by a name, and the plugin that reaches it here.
package struct KnownService {
    let plugin: String
    /// nil if the plugin knows the address, or if the file must say it.
    var baseURL: String?
    /// The address that the plugin knows.
    var home: String?
    /// The variable that usually holds the key.
    var variable: String?
    /// How an address looks that the file must say; nil if it need not say one.
    var addressForm: String?
    /// What LiteLLM writes between the service and the model, to choose one of the service's APIs.
    var apis: [String] = []
    /// How the names of the models begin that the plugin reaches; nil if it reaches all.
    var modelPrefix: String?

    var needsAddress: Bool { addressForm != nil }

    /// Whether an address, or its absence, leads to the service itself, and not to another server of its format.
    func isOwn(_ address: String?) -> Bool {
        guard let address else { return !needsAddress }
        return (baseURL ?? home).map { Self.host(of: $0) == Self.host(of: address) } ?? false
    }

    /// Whether the plugin need not be told an address. The version may be missing, or be OpenAI's.
    private func isHome(_ address: String) -> Bool {
        guard let home else { return false }
        let server = "https://\(Self.host(of: home))"
        let text = address.hasSuffix("/") ? String(address.dropLast()) : address
        return [home, server, "\(server)/v1"].contains(text.lowercased())
    }

    /// Without a port; empty if there is none.
    private static func host(of address: String) -> String {
        address.firstRange(of: "://").map { address[$0.upperBound...].prefix { !":/".contains($0) }.lowercased() } ?? ""
    }

    private static func compatible(_ baseURL: String, _ variable: String) -> KnownService {
        KnownService(plugin: "openai-compatible", baseURL: baseURL, variable: variable)
    }

    private static let anyServer = KnownService(plugin: "openai-compatible", addressForm: "http://HOST:PORT/v1")

    private static let azure = KnownService(
        plugin: "azure-openai", variable: "AZURE_API_KEY", addressForm: "https://NAME.openai.azure.com",
        apis: [responsesAPI, "o_series", "gpt5_series"])

    private static let bedrock = KnownService(plugin: "bedrock", apis: ["converse", "converse_like", "invoke", "async_invoke"])

    /// The member of `apis` for models that are reached by OpenAI's Responses.
    static let responsesAPI = "responses"

    /// By LiteLLM's prefix of a model. Source: LiteLLM's documentation of its providers.
    static let byPrefix: [String: KnownService] = [
        "openai": KnownService(
            plugin: "openai", home: "https://api.openai.com/v1", variable: "OPENAI_API_KEY", apis: [responsesAPI, "chat"]),
        "text-completion-openai": KnownService(plugin: "openai", home: "https://api.openai.com/v1", variable: "OPENAI_API_KEY"),
        "azure": azure,
        "azure_text": azure,
        "anthropic": KnownService(plugin: "anthropic", home: "https://api.anthropic.com", variable: "ANTHROPIC_API_KEY"),
        "gemini": KnownService(plugin: "gemini", home: "https://generativelanguage.googleapis.com", variable: "GEMINI_API_KEY"),
        "vertex_ai": KnownService(plugin: "gemini", modelPrefix: "gemini"),
        "bedrock": bedrock,
        "bedrock_converse": bedrock,
        "openrouter": KnownService(plugin: "openrouter", home: "https://openrouter.ai/api/v1", variable: "OPENROUTER_API_KEY"),
        "deepseek": KnownService(plugin: "deepseek", home: "https://api.deepseek.com", variable: "DEEPSEEK_API_KEY"),
        "ollama": KnownService(plugin: "ollama"),
        "ollama_chat": KnownService(plugin: "ollama"),
        "groq": compatible("https://api.groq.com/openai/v1", "GROQ_API_KEY"),
        "mistral": compatible("https://api.mistral.ai/v1", "MISTRAL_API_KEY"),
        "together_ai": compatible("https://api.together.xyz/v1", "TOGETHERAI_API_KEY"),
        "fireworks_ai": compatible("https://api.fireworks.ai/inference/v1", "FIREWORKS_AI_API_KEY"),
        "xai": compatible("https://api.x.ai/v1", "XAI_API_KEY"),
        "cerebras": compatible("https://api.cerebras.ai/v1", "CEREBRAS_API_KEY"),
        "nvidia_nim": compatible("https://integrate.api.nvidia.com/v1", "NVIDIA_NIM_API_KEY"),
        "moonshot": compatible("https://api.moonshot.ai/v1", "MOONSHOT_API_KEY"),
        "perplexity": compatible("https://api.perplexity.ai", "PERPLEXITYAI_API_KEY"),
        "deepinfra": compatible("https://api.deepinfra.com/v1/openai", "DEEPINFRA_API_KEY"),
        "sambanova": compatible("https://api.sambanova.ai/v1", "SAMBANOVA_API_KEY"),
        "hosted_vllm": anyServer, "vllm": anyServer, "lm_studio": anyServer, "openai_like": anyServer, "custom_openai": anyServer,
        "litellm_proxy": anyServer, "llamafile": anyServer, "xinference": anyServer, "infinity": anyServer,
    ]

    /// What people call a service besides LiteLLM's prefix. Without case, `_`, `-` and `.`.
    private static let aliases = [
        "together": "together_ai", "fireworks": "fireworks_ai", "grok": "xai", "kimi": "moonshot", "nvidia": "nvidia_nim",
        "google": "gemini", "googleai": "gemini", "googleaistudio": "gemini", "googlegenai": "gemini", "googlegemini": "gemini",
        "vertex": "vertex_ai", "googlevertex": "vertex_ai", "googlevertexai": "vertex_ai", "claude": "anthropic", "chatgpt": "openai",
        "gpt": "openai", "azureai": "azure", "azureopenaiservice": "azure", "aws": "bedrock", "awsbedrock": "bedrock",
        "amazon": "bedrock", "amazonbedrock": "bedrock", "llamacpp": "llamafile", "llamaserver": "llamafile",
        "llamaswap": "llamafile", "localai": "openai_like", "tgi": "openai_like", "sglang": "openai_like", "litellm": "litellm_proxy",
        "openaicompat": "openai_like", "custom": "openai_like", "generic": "openai_like", "local": "openai_like",
    ]

    private static func form(_ name: String) -> String { name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != "." } }

    private static let byForm: [String: KnownService] = {
        let services = Dictionary(byPrefix.map { (form($0), $1) }) { first, _ in first }
        return services.merging(aliases.compactMapValues { byPrefix[$0] }) { first, _ in first }
    }()

    /// What a provider needs to reach a service that has no plugin of its name; nil for an unknown service.
    package static func advice(for name: String) -> String? {
        guard let service = byForm[form(name)] else { return nil }
        let address = (service.baseURL ?? service.addressForm).map { " and 'base_url: \($0)'" }
        return "write 'plugin: \(service.plugin)'\(address ?? "")"
    }

    /// The variables that usually hold a service's key.
    static let variables = Set(byPrefix.values.compactMap(\.variable) + awsVariables)

    static let awsVariables = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]

    /// The services that speak OpenAI's format and have a plugin of their own, by host.
    private static let byHost: [String: KnownService] = {
        let services = ["openai", "openrouter", "deepseek"].compactMap { byPrefix[$0] }
        return Dictionary(services.map { ($0.home.map(host) ?? "", $0) }) { first, _ in first }
    }()

    /// The plugin for a server that speaks OpenAI's format, and the address if the plugin doesn't know it.
    ///
    /// - Parameter service: what the server stands for, if it isn't the service's own. One in front of OpenRouter or of
    ///   DeepSeek has their own fields too.
    static func openAIServer(at baseURL: String, of service: KnownService? = nil) -> (plugin: String, baseURL: String?) {
        if let known = byHost[host(of: baseURL)] { return (known.plugin, known.isHome(baseURL) ? nil : baseURL) }
        let plugin = byHost.values.first { $0.plugin == service?.plugin && $0.plugin != "openai" }?.plugin
        return (plugin ?? "openai-compatible", baseURL)
    }

    /// What a model without a prefix belongs to, by its name; nil if nothing is known.
    static func prefix(ofModel name: String) -> String? {
        let prefixes = [
            ("gpt-", "openai"), ("chatgpt-", "openai"), ("o1", "openai"), ("o3", "openai"), ("o4", "openai"), ("text-embedding-", "openai"),
            ("dall-e-", "openai"), ("whisper-", "openai"), ("tts-", "openai"), ("claude-", "anthropic"), ("gemini-", "vertex_ai"),
        ]
        return prefixes.first { name.hasPrefix($0.0) }?.1
    }

    /// What a model is for, by its name: nothing else says it.
    static func operation(ofModel name: String) -> String? {
        let words = [
            ("embed", "embeddings"), ("whisper", "transcription"), ("transcribe", "transcription"), ("tts-", "speech"),
            ("dall-e", "images"),
            ("gpt-image", "images"), ("rerank", "rerank"), ("moderation", "moderation"),
        ]
        return words.first { name.lowercased().contains($0.0) }?.1
    }
}
