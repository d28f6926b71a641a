import Codecs

extension FieldReader {
    /// Reads text on one line, with at least one character; nil if it is absent or invalid.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - required: whether an absent key is an error.
    public mutating func string(_ key: String, required: Bool = false) -> String? {
        declare(key, as: .text)
        guard let (scalar, node) = scalar(key, required: required, expecting: "text") else { return nil }
        return line(scalar, node, name: key)
    }

    /// Reads text as ``string(_:required:)`` does, with its place: for a name that is looked up later.
    public mutating func name(_ key: String, required: Bool = false) -> ConfigText? {
        declare(key, as: .text)
        guard let (scalar, node) = scalar(key, required: required, expecting: "text") else { return nil }
        return line(scalar, node, name: key).map {
            ConfigText($0, at: node.position, source: scalar.source, isUnresolved: scalar.isUnresolved)
        }
    }

    /// Reads text that may be empty and may have line breaks; nil if it is absent or invalid.
    public mutating func text(_ key: String, required: Bool = false) -> String? {
        declare(key, as: .text)
        return scalar(key, required: required, expecting: "text").map { $0.scalar.isUnresolved ? placeholder : $0.scalar.text }
    }

    /// Reads `true` or `false`; nil if it is absent or invalid.
    public mutating func bool(_ key: String, required: Bool = false) -> Bool? {
        declare(key, as: .bool)
        guard let (scalar, node) = scalar(key, required: required, expecting: "true or false") else { return nil }
        guard !scalar.isUnresolved else { return false }
        if isUnquoted(scalar), let value = Bool(scalar.text) { return value }
        let word = scalar.text.lowercased()
        let intended: Bool? = ["true", "yes", "on", "y"].contains(word) ? true : ["false", "no", "off", "n"].contains(word) ? false : nil
        report(
            at: node, "'\(key)' takes true or false, not \(node.displayText)",
            hint: intended.map { "write \($0), in lower case and without quotes" }
        )
        return nil
    }

    /// Reads one of the words in `allowed`; nil if it is absent or invalid.
    public mutating func word(_ key: String, of allowed: [String], required: Bool = false) -> String? {
        declare(key, as: .word(allowed))
        guard let (scalar, node) = scalar(key, required: required, expecting: "one of \(allowed.joined(separator: ", "))") else {
            return nil
        }
        return word(ConfigText(scalar.text, at: node.position, source: scalar.source), scalar, name: key, of: allowed)
    }

    /// Reads a list of words, each of which is in `allowed`. Invalid words are reported and left out. nil if the list
    /// is absent or not a list.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - allowed: the words.
    ///   - meant: the allowed word that a word of other programs means; nil if there is none.
    public mutating func words(_ key: String, of allowed: [String], meant: (String) -> String? = { _ in nil }) -> [String]? {
        declare(key, as: .words(allowed))
        guard let nodes = list(key) else { return nil }
        return nodes.compactMap { scalar, node in
            word(
                ConfigText(scalar.text, at: node.position, source: scalar.source), scalar, name: key, of: allowed,
                meant: meant(scalar.source),
                hint: listHint(scalar.source))
        }
    }

    /// Reads a list of texts, each on one line; a single text counts as a list of one. Invalid items are reported and
    /// left out. nil if the list is absent or not a list.
    public mutating func texts(_ key: String, required: Bool = false) -> [ConfigText]? {
        declare(key, as: .texts)
        guard let nodes = list(key, required: required) else { return nil }
        return nodes.compactMap { scalar, node in
            line(scalar, node, name: key).map {
                ConfigText($0, at: node.position, source: scalar.source, isUnresolved: scalar.isUnresolved)
            }
        }
    }

    /// Reads a mapping of names to texts, in the order of the file. A text is on one line and may be empty. Invalid
    /// entries are reported and left out. nil if the mapping is absent or not a mapping.
    public mutating func stringMap(_ key: String) -> [(name: ConfigText, value: ConfigText)]? {
        declare(key, as: .other("names with texts"))
        guard let entry = entry(key) else { return nil }
        guard case .mapping(let entries) = entry.value.content else {
            if entry.value.isNull { return [] }
            report(at: entry.value, "'\(key)' takes a mapping of names to texts, not \(entry.value.displayText)")
            return nil
        }
        return entries.compactMap { entry in
            guard case .scalar(let scalar) = entry.value.content, !scalar.isNull else {
                report(at: entry.value, "'\(displayText(of: entry.key))' takes text, not \(entry.value.displayText)")
                return nil
            }
            guard let text = line(scalar, entry.value, name: entry.key.text, mayBeEmpty: true) else { return nil }
            return (entry.key, ConfigText(text, at: entry.value.position))
        }
    }

    /// Whether a scalar may be read as something other than text. A substituted value may be in quotes, because it may
    /// need them.
    func isUnquoted(_ scalar: ConfigScalar) -> Bool {
        scalar.style == .plain || scalar.text != scalar.source
    }

    private mutating func list(_ key: String, required: Bool = false) -> [(ConfigScalar, ConfigNode)]? {
        guard let entry = entry(key) else {
            if required { reportMissing(key, hint: "add '\(key): [ … ]'") }
            return nil
        }
        switch entry.value.content {
        case .scalar(let scalar):
            guard !scalar.isNull else {
                report(
                    ConfigIssue(at: entry.key.position, "'\(key)' has no value", hint: "write a list such as '[a, b]', or remove the line"))
                return nil
            }
            return [(scalar, entry.value)]
        case .sequence(let nodes):
            return nodes.compactMap { node in
                if case .scalar(let scalar) = node.content, !scalar.isNull { return (scalar, node) }
                report(at: node, "'\(key)' takes a list of texts, but one of its items is \(node.displayText)")
                return nil
            }
        case .mapping:
            report(at: entry.value, "'\(key)' takes a list, not a mapping", hint: "write '[a, b]', or one '- item' per line")
            return nil
        }
    }

    private mutating func line(_ scalar: ConfigScalar, _ node: ConfigNode, name: String, mayBeEmpty: Bool = false) -> String? {
        guard !scalar.isUnresolved else { return placeholder }
        guard mayBeEmpty || !scalar.text.isEmpty else {
            report(at: node, "'\(name)' is empty", hint: "write text, or remove the line")
            return nil
        }
        if let control = scalar.text.unicodeScalars.first(where: { $0.properties.generalCategory == .control }) {
            let what = control == "\n" ? "a line break" : "a control character (code \(control.value))"
            report(at: node, "'\(name)' takes text on one line, but contains \(what)")
            return nil
        }
        return scalar.text
    }

    private mutating func word(
        _ text: ConfigText, _ scalar: ConfigScalar, name: String, of allowed: [String], meant: String? = nil, hint: String? = nil
    ) -> String? {
        guard !scalar.isUnresolved else { return allowed.first }
        guard !allowed.contains(text.text) else { return text.text }
        let message = "'\(name)' can't be '\(abbreviated(scalar.source))'"
        if let near = meant ?? nearest(to: text.text, in: allowed) ?? completion(of: text.text, in: allowed) {
            report(ConfigIssue(at: text.position, "\(message); did you mean '\(near)'?"))
        } else {
            report(ConfigIssue(at: text.position, message, hint: hint ?? "allowed: \(allowed.joined(separator: ", "))"))
        }
        return nil
    }
}

/// The word that begins with a text of three characters or more: `warn` is `warning`. nil if several do.
private func completion(of text: String, in words: [String]) -> String? {
    let found = text.utf8.count >= 3 ? words.filter { $0.hasPrefix(text.lowercased()) } : []
    return found.count == 1 ? found[0] : nil
}

/// How to write several names that a text separates by commas, bars, arrows or blanks; nil for any other text. No name
/// contains one of these.
///
/// - Parameter source: the text as the file has it.
public func listHint(_ source: String) -> String? {
    listHint(ofNames: source.replacing("->", with: ",").replacing("=>", with: ",").split { ",|;> \t".contains($0) })
}

/// How to write these names as a list; nil for a single one, and where a variable is among them.
func listHint(ofNames names: [Substring]) -> String? {
    guard names.count > 1, !names.contains(where: { $0.contains("${") }) else { return nil }
    return "write several names as a list: '[\(abbreviated(names.joined(separator: ", ")))]'"
}

/// The text that a value reads as if it could not be substituted.
private let placeholder = "unset"
