extension FieldReader {
    /// Text on one line, at least one character.
    public mutating func string(_ key: String, required: Bool = false) -> String? {
        declare(key, as: .text)
        guard let (scalar, node) = scalar(key, required: required, expecting: "text") else { return nil }
        return line(scalar, node, name: key)
    }

    /// Text on one line with its place: a name that is looked up elsewhere.
    public mutating func name(_ key: String, required: Bool = false) -> ConfigText? {
        declare(key, as: .text)
        guard let (scalar, node) = scalar(key, required: required, expecting: "text") else { return nil }
        return line(scalar, node, name: key).map {
            ConfigText($0, at: node.position, source: scalar.source, isUnresolved: scalar.isUnresolved)
        }
    }

    /// Text that may be empty and may have line breaks.
    public mutating func text(_ key: String, required: Bool = false) -> String? {
        declare(key, as: .text)
        return scalar(key, required: required, expecting: "text").map { $0.scalar.isUnresolved ? placeholder : $0.scalar.text }
    }

    /// `true` or `false`.
    public mutating func bool(_ key: String, required: Bool = false) -> Bool? {
        declare(key, as: .bool)
        guard let (scalar, node) = scalar(key, required: required, expecting: "true or false") else { return nil }
        guard !scalar.isUnresolved else { return false }
        if isUnquoted(scalar), let value = Bool(scalar.text) { return value }
        let word = scalar.text.lowercased()
        let meant: Bool? = ["true", "yes", "on", "y"].contains(word) ? true : ["false", "no", "off", "n"].contains(word) ? false : nil
        report(
            at: node, "'\(key)' takes true or false, not \(node.shown)", hint: meant.map { "write \($0), in lower case and without quotes" }
        )
        return nil
    }

    /// One of a few words.
    public mutating func word(_ key: String, of allowed: [String], required: Bool = false) -> String? {
        declare(key, as: .word(allowed))
        guard let (scalar, node) = scalar(key, required: required, expecting: "one of \(allowed.joined(separator: ", "))") else {
            return nil
        }
        return word(ConfigText(scalar.text, at: node.position, source: scalar.source), scalar, name: key, of: allowed)
    }

    /// A list of words, each one of a few.
    public mutating func words(_ key: String, of allowed: [String]) -> [String]? {
        declare(key, as: .words(allowed))
        guard let nodes = list(key) else { return nil }
        return nodes.compactMap { scalar, node in
            word(ConfigText(scalar.text, at: node.position, source: scalar.source), scalar, name: key, of: allowed)
        }
    }

    /// A list of texts, each on one line; one text stands for a list of one.
    public mutating func texts(_ key: String, required: Bool = false) -> [ConfigText]? {
        declare(key, as: .texts)
        guard let nodes = list(key, required: required) else { return nil }
        return nodes.compactMap { scalar, node in
            line(scalar, node, name: key).map {
                ConfigText($0, at: node.position, source: scalar.source, isUnresolved: scalar.isUnresolved)
            }
        }
    }

    public mutating func strings(_ key: String, required: Bool = false) -> [String]? {
        texts(key, required: required)?.map(\.text)
    }

    /// Names with texts, in the file's order. The texts may be empty, but have one line.
    public mutating func stringMap(_ key: String) -> [(name: ConfigText, value: ConfigText)]? {
        declare(key, as: .other("names with texts"))
        guard let entry = entry(key) else { return nil }
        guard case .mapping(let entries) = entry.value.content else {
            if entry.value.isNull { return [] }
            report(at: entry.value, "'\(key)' takes a mapping of names to texts, not \(entry.value.shown)")
            return nil
        }
        return entries.compactMap { entry in
            guard case .scalar(let scalar) = entry.value.content, !scalar.isNull else {
                report(at: entry.value, "'\(shownKey(entry.key))' takes text, not \(entry.value.shown)")
                return nil
            }
            guard let text = line(scalar, entry.value, name: entry.key.text, mayBeEmpty: true) else { return nil }
            return (entry.key, ConfigText(text, at: entry.value.position))
        }
    }

    /// Whether the schema may read it as something else than text. What was substituted may have needed its quotes.
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
                    ConfigIssue(at: entry.key.position, "'\(key)' has no value", hint: "write '[]' for an empty list, or remove the line"))
                return nil
            }
            return [(scalar, entry.value)]
        case .sequence(let nodes):
            return nodes.compactMap { node in
                if case .scalar(let scalar) = node.content, !scalar.isNull { return (scalar, node) }
                report(at: node, "'\(key)' takes a list of texts; one of its items is \(node.shown)")
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
            report(at: node, "'\(name)' takes text on one line, but holds \(what)")
            return nil
        }
        return scalar.text
    }

    private mutating func word(_ text: ConfigText, _ scalar: ConfigScalar, name: String, of allowed: [String]) -> String? {
        guard !scalar.isUnresolved else { return allowed.first }
        guard !allowed.contains(text.text) else { return text.text }
        let shown = "'\(abbreviated(scalar.source))'"
        if let near = nearest(to: text.text, in: allowed) {
            report(ConfigIssue(at: text.position, "'\(name)' does not know \(shown); did you mean '\(near)'?"))
        } else {
            report(ConfigIssue(at: text.position, "'\(name)' does not know \(shown)", hint: "known: \(allowed.joined(separator: ", "))"))
        }
        return nil
    }
}

/// What a value reads as that couldn't be substituted.
private let placeholder = "unset"
