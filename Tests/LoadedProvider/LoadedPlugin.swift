public import ConfigTree
import OpenAICompatible
public import OpenAIServer
public import ProviderKit

@_cdecl("llm_router_plugin")
public func llmRouterPlugin() -> UnsafeMutableRawPointer { PluginExport.pointer(to: LoadedPlugin.self) }

/// The plugin `openai-compatible` as a library, with which the benchmark compares the one that is built in.
public enum LoadedPlugin: ProviderPlugin {
    public static let name = "loaded"

    public static func readOptions(_ fields: inout FieldReader) -> OpenAIServerOptions? { OpenAICompatiblePlugin.readOptions(&fields) }

    public static func makeProvider(_ options: OpenAIServerOptions) -> any Provider { OpenAICompatiblePlugin.makeProvider(options) }
}
