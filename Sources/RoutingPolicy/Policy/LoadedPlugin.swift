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
    /// Why the library was loaded without a probe in another process; nil if it had one.
    package let unprobed: String?

    package init(_ plugin: any ProviderPlugin.Type, path: String, kitTag: String, digest: [UInt8], unprobed: String? = nil) {
        self.plugin = plugin
        self.path = path
        self.kitTag = kitTag
        self.digest = digest
        self.unprobed = unprobed
    }

    package var name: String { plugin.name }

    /// Whether a text can be the name of a plugin. `plugin: null` and the like would be no text in YAML.
    package static func isName(_ text: String) -> Bool {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
            default: false
            }
        }
        return isPlain && 1...64 ~= text.utf8.count && text.first?.isLetter == true && text.last != "-"
            && !["null", "true", "false", "yes", "no", "on", "off"].contains(text)
    }

    /// What a name is, for messages.
    package static let nameRule =
        "up to 64 characters: lower-case letters, digits and '-'; it begins with a letter, and is no word such as 'null' or 'true'"

    /// The version and the beginning of the library's hash, so that any other library is another build:
    /// `1.2.0 (1a2b3c4d5e6f)`.
    package var build: String { "\(version) (\(Hex.encoded(digest.prefix(6))))" }

    /// What the plugin says, on one line and short, because it is a text from outside.
    private var version: String {
        let scalars = (plugin.version ?? "no version").unicodeScalars.prefix(64)
        return String(scalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }
}
