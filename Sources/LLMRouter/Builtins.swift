import Demo
import OpenAI
import ProviderKit

/// The provider plugins that this program comes with: the values that `plugin:` takes.
enum Builtins {
    static let plugins: [any ProviderPlugin.Type] = [
        DemoPlugin.self,
        OpenAIPlugin.self,
        OpenAICompatiblePlugin.self,
    ]
}
