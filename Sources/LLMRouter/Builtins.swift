import Anthropic
import Demo
import Gemini
import Ollama
import OpenAI
import OpenAICompatible
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
    ]
}
