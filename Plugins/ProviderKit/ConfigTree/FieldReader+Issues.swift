extension FieldReader {
    func referenceLine(_ field: KnownField, _ reference: (String) -> String?) -> String? {
        reference(field.key) ?? field.text.map { "'\(field.key)': \($0)" }
    }

    func unknownKey(_ key: ConfigText, isReserved: Bool, _ advice: String?, _ reference: (String) -> String?) -> ConfigIssue {
        if key.text.contains(":") {
            return ConfigIssue(at: key.position, "unknown key '\(displayText(of: key))'", hint: "write a space after the ':' of a key")
        }
        if isReserved {
            return ConfigIssue(at: key.position, "key '\(key.text)' is reserved for a later version", hint: "remove it")
        }
        let message = "unknown key '\(abbreviated(key.text))'"
        if let advice {
            let meant = known.first { advice == "did you mean '\($0.key)'?" }
            return ConfigIssue(at: key.position, "\(message); \(advice)", hint: meant.flatMap { referenceLine($0, reference) })
        }
        if let near = nearest(to: key.text, in: knownKeys) {
            return ConfigIssue(
                at: key.position, "\(message); did you mean '\(near)'?",
                hint: known.first { $0.key == near }.flatMap { referenceLine($0, reference) })
        }
        return ConfigIssue(at: key.position, message, hint: knownKeysHint)
    }

    var knownKeysHint: String {
        known.isEmpty ? "no keys are allowed here" : "known keys: \(knownKeys.joined(separator: ", "))"
    }

    /// A key as messages quote it. In braces, YAML takes `key:value` as one key, and its value may be a secret.
    func displayText(of key: ConfigText) -> String {
        guard let colon = key.text.firstIndex(of: ":") else { return abbreviated(key.text) }
        return abbreviated(String(key.text[...colon])) + "…"
    }

    mutating func report(at node: ConfigNode, _ message: String, hint: String? = nil) {
        report(ConfigIssue(at: node.position, message, hint: hint))
    }

    /// Reads the scalar of a key; nil if the key is absent, or, with an issue, if its value is missing or not a scalar.
    mutating func scalar(
        _ key: String, required: Bool, expecting expected: @autoclosure () -> String
    ) -> (scalar: ConfigScalar, node: ConfigNode)? {
        guard let entry = entry(key) else {
            if required { reportMissing(key, hint: "add '\(key): …'" + (expected() == "text" ? "" : ", \(expected())")) }
            return nil
        }
        guard case .scalar(let scalar) = entry.value.content else {
            report(at: entry.value, "'\(key)' takes \(expected()), not \(entry.value.displayText)")
            return nil
        }
        guard !scalar.isNull else {
            report(ConfigIssue(at: entry.key.position, "'\(key)' has no value", hint: "write \(expected()), or remove the line"))
            return nil
        }
        return (scalar, entry.value)
    }
}
