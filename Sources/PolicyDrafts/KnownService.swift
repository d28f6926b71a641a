/// A service that other programs know by a name, and the plugin that reaches it here.
struct KnownService {
    let plugin: String
    /// nil if the plugin knows the address, or if the file must say it.
    var baseURL: String?
    /// The variable that usually holds the key.
    var variable: String?
    var needsAddress = false

    private static func compatible(_ baseURL: String, _ variable: String) -> KnownService {
        KnownService(plugin: "openai-compatible", baseURL: baseURL, variable: variable)
    }

    private static let anyServer = KnownService(plugin: "openai-compatible", needsAddress: true)

    /// By LiteLLM's prefix of a model. Source: LiteLLM's documentation of its providers.
    static let byPrefix: [String: KnownService] = [
        "openai": KnownService(plugin: "openai", variable: "OPENAI_API_KEY"),
        "text-completion-openai": KnownService(plugin: "openai", variable: "OPENAI_API_KEY"),
        "azure": KnownService(plugin: "azure-openai", variable: "AZURE_API_KEY", needsAddress: true),
        "anthropic": KnownService(plugin: "anthropic", variable: "ANTHROPIC_API_KEY"),
        "gemini": KnownService(plugin: "gemini", variable: "GEMINI_API_KEY"),
        "vertex_ai": KnownService(plugin: "gemini"),
        "bedrock": KnownService(plugin: "bedrock"),
        "bedrock_converse": KnownService(plugin: "bedrock"),
        "openrouter": KnownService(plugin: "openrouter", variable: "OPENROUTER_API_KEY"),
        "deepseek": KnownService(plugin: "deepseek", variable: "DEEPSEEK_API_KEY"),
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
        "hosted_vllm": anyServer, "vllm": anyServer, "lm_studio": anyServer, "openai_like": anyServer, "custom_openai": anyServer,
        "litellm_proxy": anyServer, "llamafile": anyServer, "xinference": anyServer, "infinity": anyServer,
    ]

    /// By the host of a `base_url` for which a plugin of its own exists.
    private static let byHost = ["api.openai.com": "openai", "openrouter.ai": "openrouter", "api.deepseek.com": "deepseek"]

    /// The plugin for a server that speaks OpenAI's format, and the address if the plugin doesn't know it.
    static func openAIServer(at baseURL: String) -> (plugin: String, baseURL: String?) {
        let host = baseURL.firstRange(of: "://").map { baseURL[$0.upperBound...].prefix { !":/".contains($0) } } ?? ""
        return byHost[host.lowercased()].map { ($0, nil) } ?? ("openai-compatible", baseURL)
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
