import Codecs
import ConfigTree

/// What messages must not quote of the keys and providers of a policy, and of sections that the language doesn't have,
/// and what excerpts may show of them.
///
/// The texts are those that are no name of an option and not harmless in their place: a mistake may have put the secret
/// there.
struct SecretTexts {
    /// As messages quote them.
    private var hidden: Set<String> = []
    /// Those that no message of the file may quote: the name of a secret and the secret as one text, because the colon
    /// between them is missing.
    private var hiddenEverywhere: Set<String> = []
    /// Where the keys and values are, for those that an alias takes from elsewhere in the file.
    private var positions: Set<SourcePosition> = []
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
            case let name where nearest(to: name, in: ["keys"]) != nil: addKeys(entry.value)
            case "telemetry": add(entry.value, option: "")
            case let name where !vocabulary.isTopLevel(name) && vocabulary.mayHoldSecrets(name): add(entry.value, option: "")
            default: break
            }
            findMissingColons(entry.value)
        }
        hidden.subtract(known)
    }

    /// The text with its hidden parts masked, for an issue at a position.
    ///
    /// - Parameter isInside: whether the position is in a region with secrets.
    func masked(_ text: String, at position: SourcePosition, isInside: Bool) -> String {
        masked(text, isInside || positions.contains(position) ? hidden.union(hiddenEverywhere) : hiddenEverywhere)
    }

    /// The text with its hidden parts masked, each with its quotes around it. A hidden part may contain quotes itself.
    private func masked(_ text: String, _ hidden: Set<String>) -> String {
        guard !hidden.isEmpty else { return text }
        func isHidden(_ part: String) -> Bool {
            if hidden.contains(part) { return true }
            guard part.hasPrefix("["), part.hasSuffix("]") else { return false }
            return part.dropFirst().dropLast().split(separator: ",").contains { hidden.contains(String($0.trimmingBlanks())) }
        }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        var result = String(parts.first ?? "")
        var index = 1
        while index < parts.count {
            let end = (index..<parts.count - 1).last { isHidden(parts[index...$0].joined(separator: "'")) }
            let isList = end != nil && parts[index].hasPrefix("[")
            result += "'" + (end == nil ? parts[index] : isList ? "[a, b]" : "<secret>")
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
            if case .mapping(let options) = entry.value.content {
                shown.insert(entry.key.position)
                showNames(of: options)
            } else {
                addKeys(ConfigNode(.mapping([entry]), at: node.position))
            }
            add(entry.value, option: "")
        }
    }

    /// Shows the unknown names in a provider without a secret, if they are written as the names of options are.
    private mutating func showNames(of options: [ConfigEntry]) {
        func isSensitive(_ node: ConfigNode) -> Bool {
            guard case .scalar(let scalar) = node.content else { return false }
            return Excerpt.isSensitive(scalar.source) || !CredentialText.ranges(in: Array(scalar.source.unicodeScalars)).isEmpty
        }
        guard !options.contains(where: { Excerpt.isSensitive($0.key.text) || isSensitive($0.value) }) else { return }
        for option in options where !option.value.isNull {
            let isName = option.key.text.utf8.allSatisfy { 0x61...0x7A ~= $0 || $0 == UInt8(ascii: "_") }
            if isName { shown.insert(option.key.position) }
        }
    }

    private mutating func add(_ node: ConfigNode, option: String) {
        positions.insert(node.position)
        switch node.content {
        case .sequence(let nodes): for node in nodes { add(node, option: option) }
        case .mapping(let entries):
            for entry in entries {
                positions.insert(entry.key.position)
                if !vocabulary.isPlainName(entry.key.text), !shown.contains(entry.key.position) { hide(entry.key.text) }
                add(entry.value, option: entry.key.text)
            }
        case .scalar(let scalar):
            if Excerpt.isReference(Array(scalar.source.unicodeScalars)[...]) { return }
            // Each of several words that should be a list.
            let parts = scalar.source.split(separator: ",").map { String($0.trimmingBlanks()) }
            if parts.isEmpty || !parts.allSatisfy({ vocabulary.isHarmless($0, of: option, known: known) }) { hide(scalar.source) }
        }
    }

    /// Hides texts such as `api_key sk-…`, wherever they are.
    private mutating func findMissingColons(_ node: ConfigNode) {
        func hide(_ text: String, in texts: inout Set<String>) {
            guard Excerpt.hasSecretWithoutColon(text) else { return }
            texts.insert(abbreviated(text))
        }
        switch node.content {
        case .sequence(let nodes): for node in nodes { findMissingColons(node) }
        case .mapping(let entries):
            for entry in entries {
                hide(entry.key.text, in: &hiddenEverywhere)
                findMissingColons(entry.value)
            }
        case .scalar(let scalar): hide(scalar.source, in: &hiddenEverywhere)
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
