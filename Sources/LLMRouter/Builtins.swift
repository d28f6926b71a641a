import Anthropic
import AzureOpenAI
import Bedrock
import DeepSeek
import Demo
import Gemini
import Ollama
import OpenAI
import OpenAICompatible
import OpenRouter
import PluginLoading
import ProviderKit
import RoutingPolicy

/// The provider plugins that are built in: the values that `plugin:` accepts without `plugins:`.
enum Builtins {
    static let plugins: [any ProviderPlugin.Type] = [
        DemoPlugin.self,
        OpenAIPlugin.self,
        OpenAICompatiblePlugin.self,
        AnthropicPlugin.self,
        OllamaPlugin.self,
        GeminiPlugin.self,
        AzureOpenAIPlugin.self,
        BedrockPlugin.self,
        DeepSeekPlugin.self,
        OpenRouterPlugin.self,
    ]

    /// Loads the others; nil in the static build. There is one, which knows everything that the process has loaded.
    #if STATIC_KIT
    static let loader: (any PluginLoader)? = nil
    #else
    static let loader: (any PluginLoader)? = PluginLibraries(probe: .ownProgram)
    #endif
}
