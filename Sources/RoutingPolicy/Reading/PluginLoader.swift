/// Loads provider plugins from libraries. What is loaded stays loaded, even if no policy uses it.
package protocol PluginLoader: Sendable {
    /// The plugin in a library. The same bytes always give the same plugin, so that an unchanged library keeps the
    /// providers that use it.
    ///
    /// - Parameters:
    ///   - path: where the library is, for the checks of who may write it.
    ///   - bytes: what was read there. The library must still have them when it is checked.
    func load(_ path: String, _ bytes: [UInt8]) throws(PluginProblem) -> LoadedPlugin
}

/// Why a library can't be loaded.
package struct PluginProblem: Error, Equatable {
    /// Follows the library's name in a message: `is not a shared library`.
    package let message: String
    /// What to do.
    package let hint: String

    package init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }
}
