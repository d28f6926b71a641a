/// What one option is set to.
struct OptionEntry: Sendable {
    let key: String
    let value: OptionValue

    init(_ key: String, _ value: OptionValue) {
        self.key = key
        self.value = value
    }

    /// As a list of settings shows it: `idle 1m`.
    var words: String {
        let words = value.words
        return words.isEmpty ? key : "\(key) \(words)"
    }
}

/// An option's value, as the digest and a difference see it.
indirect enum OptionValue: Sendable {
    /// As routes.yaml writes it.
    case text(String)
    /// Names. A difference shows only what was added to a long list, and what was removed.
    case list([String])
    /// A list of names that many things share: it is worked out only when it is shown. Equal lists have equal digests.
    case scope(digest: [UInt8], names: @Sendable () -> [String])
    /// A secret, or more than a line can show: a difference shows only that it changed.
    case opaque([UInt8])
    /// A plugin's own options. `digest` differs if the text in the policy file does. A difference shows those of
    /// `options` that are no secrets.
    case plugin((any ProviderSettings)?, digest: [UInt8], options: [OptionEntry])
    case section([OptionEntry])

    /// On one line. Empty for what a difference does not show.
    var words: String {
        switch self {
        case .text(let text): text
        case .list(let names): names.joined(separator: ", ")
        case .scope(_, let names): names().joined(separator: ", ")
        case .opaque, .plugin: ""
        case .section(let entries): entries.map(\.words).joined(separator: ", ")
        }
    }
}

extension MeaningHash {
    mutating func add(_ entries: [OptionEntry]) {
        add("\(entries.count)")
        for entry in entries {
            add(entry.key)
            switch entry.value {
            case .text(let text): add(text)
            case .list(let names): add(list: names)
            case .scope(let bytes, _), .opaque(let bytes): add(bytes: bytes)
            case .plugin(let settings, let digest, _):
                add("\(settings != nil)")
                add(bytes: digest)
            case .section(let inner): add(inner)
            }
        }
    }
}
