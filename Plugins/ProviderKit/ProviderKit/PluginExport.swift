/// What the entry point of a plugin's library returns: the plugin, in a form that C can pass on.
///
/// A library that the router loads has one function with this name and type:
///
/// ```swift
/// @_cdecl("llm_router_plugin")
/// public func llmRouterPlugin() -> UnsafeMutableRawPointer { PluginExport.pointer(to: AcmePlugin.self) }
/// ```
///
/// The router calls it once for each library, after it has compared the kit's tags. A process that it starts for that
/// calls it before, so that a library that crashes there is refused.
public final class PluginExport: Sendable {
    /// The plugin.
    public let plugin: any ProviderPlugin.Type

    private init(_ plugin: any ProviderPlugin.Type) { self.plugin = plugin }

    /// The name of the entry point.
    public static let entryPoint = "llm_router_plugin"

    /// The result of the entry point.
    public static func pointer(to plugin: any ProviderPlugin.Type) -> UnsafeMutableRawPointer {
        Unmanaged.passRetained(PluginExport(plugin)).toOpaque()
    }

    /// The plugin in the result of an entry point; nil if it is none. The router calls this, once for each result.
    public static func plugin(at pointer: UnsafeMutableRawPointer) -> (any ProviderPlugin.Type)? {
        (Unmanaged<AnyObject>.fromOpaque(pointer).takeRetainedValue() as? PluginExport)?.plugin
    }
}
