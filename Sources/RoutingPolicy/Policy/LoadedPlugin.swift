import Codecs
package import ProviderKit

/// A provider plugin from a library that `plugins:` names.
package struct LoadedPlugin: Sendable {
    package let plugin: any ProviderPlugin.Type
    /// The library's path, as messages name it.
    package internal(set) var path: String
    /// The tag of the kit that it is built for.
    package let kitTag: String
    /// The SHA-256 of the library.
    let digest: [UInt8]

    package init(_ plugin: any ProviderPlugin.Type, path: String, kitTag: String, digest: [UInt8]) {
        self.plugin = plugin
        self.path = path
        self.kitTag = kitTag
        self.digest = digest
    }

    package var name: String { plugin.name }

    /// The version and the beginning of the library's hash, so that any other library is another build:
    /// `1.2.0 (1a2b3c4d5e6f)`.
    package var build: String { "\(version) (\(Hex.encoded(digest.prefix(6))))" }

    /// What the plugin says, on one line and short, because it is a text from outside.
    private var version: String {
        let scalars = (plugin.version ?? "no version").unicodeScalars.prefix(64)
        return String(scalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }
}
