/// A typed reading of one mapping, which collects what is wrong instead of stopping at it.
///
/// Each method reads one key and thereby declares it. nil means that the key is absent, or that a problem was recorded; a required key that
/// is absent is a problem. `finish()` then reports the keys that nobody read. A value that couldn't be substituted is reported elsewhere:
/// it reads as a placeholder, so that the rest is still checked.
public struct FieldReader {
    /// Where a missing key is reported: the mapping's own name, where it has one.
    public let position: SourcePosition
    public var issues: [ConfigIssue] { secretTexts.isEmpty ? found : found.map(masked) }
    private var found: [ConfigIssue] = []
    /// What was read, in that order.
    public private(set) var known: [KnownField] = []
    /// The values that were read as secrets. Excerpts of the file leave them out.
    public private(set) var secretPositions: [SourcePosition] = []
    /// As issues would quote them.
    private var secretTexts: Set<String> = []
    private let entries: [ConfigEntry]
    /// Which issue says that there is no mapping to read; nil: there is one.
    private var noMapping: Int?

    /// `entries` are those of the mapping. `position` is its name's.
    public init(_ entries: [ConfigEntry], at position: SourcePosition) {
        self.entries = entries
        self.position = position
        known.reserveCapacity(16)
    }

    /// Reads the value of `owner`. Nothing stands for an empty mapping; any other value is recorded as an issue, and reads as one too.
    public init(_ node: ConfigNode, of owner: ConfigText) {
        if case .mapping(let entries) = node.content {
            self.init(entries, at: owner.position)
        } else {
            self.init([], at: owner.position)
            guard !node.isNull else { return }
            report(at: node, "'\(owner.text)' takes a mapping (key: value), not \(node.shown)")
            noMapping = 0
        }
    }

    public var presentKeys: [String] { entries.map(\.key.text) }

    public func isPresent(_ key: String) -> Bool {
        index(key) != nil
    }

    /// In place: an entry may hold a whole tree.
    private func index(_ key: String) -> Int? {
        entries.indices.first { entries[$0].key.text == key }
    }

    /// In the order in which they were read.
    public var knownKeys: [String] { known.map(\.key) }

    /// The value of a key as it stands; nil where the key is absent.
    public mutating func node(_ key: String) -> ConfigNode? {
        entry(key)?.value
    }

    /// The key with its value.
    public mutating func entry(_ key: String) -> ConfigEntry? {
        if !known.contains(where: { $0.key == key }) { known.append(KnownField(key: key)) }
        return index(key).map { entries[$0] }
    }

    /// Says what a key takes. What was said first counts, so that a client can say more than the method it reads with.
    public mutating func declare(_ key: String, as kind: FieldKind) {
        guard let index = known.firstIndex(where: { $0.key == key }) else {
            known.append(KnownField(key: key, kind: kind))
            return
        }
        if known[index].kind == nil { known[index].kind = kind }
    }

    /// Says what a key is for: its line in the reference, and the hint of errors that have no other. What was said first counts.
    ///
    /// - Parameter standard: what counts where the key is absent, as the file would write it.
    public mutating func describe(_ key: String, _ text: String, standard: String? = nil) {
        if !known.contains(where: { $0.key == key }) { known.append(KnownField(key: key)) }
        guard let index = known.firstIndex(where: { $0.key == key && $0.text == nil }) else { return }
        known[index].text = text
        known[index].standard = standard
    }

    /// A mapping inside this one. `read` need not call `finish()`.
    public mutating func mapping<Value>(_ key: String, read: (inout FieldReader) -> Value?) -> Value? {
        guard let entry = entry(key) else { return nil }
        var inner = FieldReader(entry.value, of: entry.key)
        let value = read(&inner)
        let issues = inner.finish()
        found += issues
        secretPositions += inner.secretPositions
        secretTexts.formUnion(inner.secretTexts)
        return issues.contains { $0.severity == .error } ? nil : value
    }

    /// Records a problem at the value of `key`, or at the mapping's name where the key is absent.
    public mutating func report(_ key: String, _ message: String, hint: String? = nil) {
        let place = index(key).map { entries[$0].value.position } ?? position
        report(ConfigIssue(at: place, message, hint: hint))
    }

    public mutating func report(_ issue: ConfigIssue) {
        found.append(issue)
    }

    /// Keeps a value, with all inside it, out of excerpts and out of what is reported here, before and after.
    public mutating func markSecret(_ node: ConfigNode) {
        secretPositions.append(node.position)
        switch node.content {
        case .scalar(let scalar): if !isReference(scalar.source) { secretTexts.insert(node.shown) }
        case .sequence(let nodes):
            for node in nodes { markSecret(node) }
        case .mapping(let entries):
            for entry in entries { markSecret(entry.value) }
        }
    }

    /// All that was recorded, with the keys that nobody read. `reserved` keys are refused in words of their own.
    ///
    /// - Parameter reference: what a known key is for, in a line; nil: what `describe` said.
    public mutating func finish(reserved: [String] = [], reference: (String) -> String? = { _ in nil }) -> [ConfigIssue] {
        if let noMapping, !known.isEmpty { found[noMapping].hint = knownWords }
        for entry in entries {
            guard let field = known.first(where: { $0.key == entry.key.text }) else {
                report(unknown(entry.key, isReserved: reserved.contains(entry.key.text), reference))
                continue
            }
            for index in found.indices where found[index].hint == nil && found[index].position == entry.value.position {
                found[index].hint = line(field, reference)
            }
        }
        return issues
    }

    private func line(_ field: KnownField, _ reference: (String) -> String?) -> String? {
        reference(field.key) ?? field.text.map { "'\(field.key)': \($0)" }
    }

    /// `${NAME}` and nothing else: it is no secret, and tells where the secret should come from. A default may be one.
    private func isReference(_ text: String) -> Bool {
        text.hasPrefix("${") && text.firstIndex(of: "}") == text.indices.last && !text.contains(":-")
    }

    private func masked(_ issue: ConfigIssue) -> ConfigIssue {
        func masked(_ text: String) -> String {
            secretTexts.reduce(text) { $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: "'<secret>'") }
        }
        return ConfigIssue(issue.severity, at: issue.position, masked(issue.message), hint: issue.hint.map(masked))
    }

    private func unknown(_ key: ConfigText, isReserved: Bool, _ reference: (String) -> String?) -> ConfigIssue {
        if key.text.contains(":") {
            return ConfigIssue(at: key.position, "unknown key '\(shownKey(key))'", hint: "write a space behind the ':' of a key")
        }
        if isReserved {
            return ConfigIssue(at: key.position, "key '\(key.text)' is reserved for a later version", hint: "remove it")
        }
        let message = "unknown key '\(abbreviated(key.text))'"
        if let near = nearest(to: key.text, in: knownKeys) {
            return ConfigIssue(
                at: key.position, "\(message); did you mean '\(near)'?",
                hint: known.first { $0.key == near }.flatMap { line($0, reference) })
        }
        return ConfigIssue(at: key.position, message, hint: knownWords)
    }

    /// In braces `key:value` is all key, and its value may be a secret.
    func shownKey(_ key: ConfigText) -> String {
        guard let colon = key.text.firstIndex(of: ":") else { return abbreviated(key.text) }
        return abbreviated(String(key.text[...colon])) + "…"
    }

    private var knownWords: String {
        known.isEmpty ? "no key is known here" : "known here: \(knownKeys.joined(separator: ", "))"
    }

    /// A required key that isn't there. Where there is no mapping at all, that is all there is to say.
    mutating func reportMissing(_ key: String, hint: String) {
        if noMapping == nil { report(ConfigIssue(at: position, "key '\(key)' is missing", hint: hint)) }
    }

    mutating func report(at node: ConfigNode, _ message: String, hint: String? = nil) {
        report(ConfigIssue(at: node.position, message, hint: hint))
    }

    /// The key's scalar; nil with an issue for anything else, and for nothing.
    mutating func scalar(
        _ key: String, required: Bool, expecting what: @autoclosure () -> String
    ) -> (scalar: ConfigScalar, node: ConfigNode)? {
        guard let entry = entry(key) else {
            if required { reportMissing(key, hint: "add '\(key): …'" + (what() == "text" ? "" : ", \(what())")) }
            return nil
        }
        guard case .scalar(let scalar) = entry.value.content else {
            report(at: entry.value, "'\(key)' takes \(what()), not \(entry.value.shown)")
            return nil
        }
        guard !scalar.isNull else {
            report(ConfigIssue(at: entry.key.position, "'\(key)' has no value", hint: "write \(what()), or remove the line"))
            return nil
        }
        return (scalar, entry.value)
    }
}
