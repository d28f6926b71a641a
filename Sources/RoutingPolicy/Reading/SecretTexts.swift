import Codecs
import ConfigTree

/// What messages must not quote of the keys and providers of a policy, and what excerpts may show of them.
///
/// The texts are those that are no name of an option and not harmless in their place: a mistake may have put the secret
/// there.
struct SecretTexts {
    /// As messages quote them.
    private(set) var hidden: Set<String> = []
    /// Where names of keys are that can't be the secret, because the secret is inside of their mapping.
    private(set) var shown: Set<SourcePosition> = []
    /// The names that the policy defines.
    private(set) var known: Set<String> = []
    private let vocabulary: Vocabulary

    init(of root: [ConfigEntry], vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        for entry in root where ["providers", "models", "routes"].contains(entry.key.text) {
            guard case .mapping(let entries) = entry.value.content else { continue }
            for entry in entries {
                guard case .mapping = entry.value.content else { continue }
                known.insert(entry.key.text)
                if let slash = entry.key.text.firstIndex(of: "/") { known.insert(String(entry.key.text[slash...].dropFirst())) }
            }
        }
        for entry in root {
            switch entry.key.text {
            case "providers": addProviders(entry.value)
            default: if nearest(to: entry.key.text, in: ["keys"]) != nil { addKeys(entry.value) }
            }
        }
        hidden.subtract(known)
    }

    /// The text with its hidden parts masked, each with its quotes around it. A hidden part may contain quotes itself.
    func masked(_ text: String) -> String {
        guard !hidden.isEmpty else { return text }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        var result = String(parts.first ?? "")
        var index = 1
        while index < parts.count {
            let end = (index..<parts.count - 1).last { hidden.contains(parts[index...$0].joined(separator: "'")) }
            result += "'" + (end == nil ? parts[index] : "<secret>")
            index = (end ?? index) + 1
        }
        return result
    }

    private mutating func addKeys(_ node: ConfigNode) {
        guard case .mapping(let entries) = node.content else { return add(node, option: "") }
        for entry in entries {
            if hasSecret(entry.value) || entry.key.text.utf8.count <= Vocabulary.tooShortForSecret {
                shown.insert(entry.key.position)
            } else {
                hide(entry.key.text)
            }
            add(entry.value, option: "")
        }
    }

    private mutating func addProviders(_ node: ConfigNode) {
        guard case .mapping(let entries) = node.content else { return add(node, option: "") }
        for entry in entries {
            if case .mapping = entry.value.content {
                shown.insert(entry.key.position)
            } else {
                addKeys(ConfigNode(.mapping([entry]), at: node.position))
            }
            add(entry.value, option: "")
        }
    }

    private mutating func add(_ node: ConfigNode, option: String) {
        switch node.content {
        case .sequence(let nodes): for node in nodes { add(node, option: option) }
        case .mapping(let entries):
            for entry in entries {
                if !vocabulary.isPlainName(entry.key.text) { hide(entry.key.text) }
                add(entry.value, option: entry.key.text)
            }
        case .scalar(let scalar):
            if Excerpt.isReference(Array(scalar.source.unicodeScalars)[...]) { return }
            // Each of several words that should be a list.
            let parts = scalar.source.split(separator: ",").map { String($0.trimmingBlanks()) }
            if parts.isEmpty || !parts.allSatisfy({ vocabulary.isHarmless($0, of: option, known: known) }) { hide(scalar.source) }
        }
    }

    /// Whether a key's value shows that the secret is in it, and therefore not the key's name.
    private func hasSecret(_ node: ConfigNode) -> Bool {
        switch node.content {
        case .mapping(let entries):
            entries.contains { entry in
                let word = entry.key.text.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                return nearest(to: String(word), in: ["secret", "sha256"]) != nil || Excerpt.isSensitive(String(word))
            }
        case .sequence(let nodes): nodes.contains(where: hasSecret)
        case .scalar(let scalar):
            !CredentialText.ranges(in: Array(scalar.source.unicodeScalars)).isEmpty || scalar.source.hasPrefix("${")
        }
    }

    private mutating func hide(_ text: String) {
        guard !text.isEmpty else { return }
        hidden.insert(abbreviated(text))
        if let list = listHint(text)?.split(separator: "'").last { hidden.insert(String(list)) }
        // In braces, YAML takes `key:value` as one key, and messages quote what is before the colon.
        if let colon = text.firstIndex(of: ":"), !vocabulary.isNearlyOption(String(text[..<colon])) {
            hidden.insert(abbreviated(String(text[...colon])) + "…")
        }
        // A malformed variable is quoted without the text around it.
        if let start = text.firstRange(of: "${") {
            hidden.insert("${" + abbreviated(String(text[start.upperBound...].prefix { $0 != "}" })) + "}")
        }
    }
}
