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
import ProviderKit

/// The provider plugins that are built in: the values that `plugin:` accepts.
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
}
