/// A typed reader of one mapping, which collects the issues that it finds instead of stopping at the first.
///
/// Each reading method reads one key, and by that makes the key known. It returns nil if the key is absent, or if its
/// value is invalid and an issue was recorded. A required key that is absent is an issue. Finally
/// ``finish(reserved:reference:form:advice:)`` adds an issue for each key that was not read. This reads the options of
/// a plugin:
///
/// ```swift
/// static func readOptions(_ fields: inout FieldReader) -> Options? {
///     fields.describe("delay", "the time before each request", default: "0s")
///     let delay = fields.duration("delay", in: .zero ... .seconds(60)) ?? .zero
///     let region = fields.word("region", of: ["eu", "us"], required: true)
///     guard let region else { return nil }
///     return Options(region: region, delay: delay)
/// }
/// ```
///
/// A value that could not be substituted (see ``ConfigScalar/isUnresolved``) is reported elsewhere. It reads as a valid
/// placeholder, so that the rest of the mapping is still checked.
public struct FieldReader {
    /// The place at which a missing key is reported: the key of the mapping, or its start if it has no key.
    public let position: SourcePosition
    /// The issues so far. Secrets in them are masked.
    public var issues: [ConfigIssue] { secretTexts.isEmpty ? recorded : recorded.map(masked) }
    private var recorded: [ConfigIssue] = []
    /// The options that were read, declared or described, in that order.
    public private(set) var known: [KnownField] = []
    /// The places of the values that were read as secrets. Excerpts of the file must leave them out.
    public private(set) var secretPositions: [SourcePosition] = []
    /// The secrets as issues would quote them.
    private var secretTexts: Set<String> = []
    private let entries: [ConfigEntry]
    /// The index of the issue that the value is not a mapping; nil if it is one.
    private var wrongTypeIssue: Int?
    /// The scalar in place of the mapping, as the file has it.
    private var wrongTypeText: String?

    /// Creates a reader of a mapping's entries. Missing keys are reported at `position`.
    public init(_ entries: [ConfigEntry], at position: SourcePosition) {
        self.entries = entries
        self.position = position
        known.reserveCapacity(16)
    }

    /// Creates a reader of the value of the key `owner`. A missing value reads as an empty mapping. Any other value
    /// that is not a mapping is recorded as an issue, and then reads as an empty mapping too.
    public init(_ node: ConfigNode, of owner: ConfigText) {
        if case .mapping(let entries) = node.content {
            self.init(entries, at: owner.position)
        } else {
            self.init([], at: owner.position)
            guard !node.isNull, !node.isUnresolved else { return }
            report(at: node, "'\(owner.text)' takes a mapping (key: value), not \(node.displayText)")
            wrongTypeIssue = 0
            if case .scalar(let scalar) = node.content { wrongTypeText = scalar.source }
        }
    }

    /// The keys of the mapping, in the order of the file.
    public var presentKeys: [String] { entries.map(\.key.text) }

    /// Whether the mapping has a key.
    public func isPresent(_ key: String) -> Bool {
        index(key) != nil
    }

    /// An index instead of the entry, because an entry may contain an entire tree.
    private func index(_ key: String) -> Int? {
        entries.indices.first { entries[$0].key.text == key }
    }

    /// The keys of ``known``.
    public var knownKeys: [String] { known.map(\.key) }

    /// Reads the value of a key without giving it a type; nil if the key is absent.
    public mutating func node(_ key: String) -> ConfigNode? {
        entry(key)?.value
    }

    /// Reads a key with its value, without giving it a type; nil if the key is absent.
    public mutating func entry(_ key: String) -> ConfigEntry? {
        if !known.contains(where: { $0.key == key }) { known.append(KnownField(key: key)) }
        return index(key).map { entries[$0] }
    }

    /// Sets the kind of values that an option takes, for the reference.
    ///
    /// The first call for a key counts. Each reading method declares a kind too, so call this before it to give
    /// a more precise kind.
    public mutating func declare(_ key: String, as kind: FieldKind) {
        guard let index = known.firstIndex(where: { $0.key == key }) else {
            known.append(KnownField(key: key, kind: kind))
            return
        }
        if known[index].kind == nil { known[index].kind = kind }
    }

    /// Describes an option: for its line in the reference, and as the hint of issues that have no hint of their own.
    /// The first call for a key counts.
    ///
    /// - Parameters:
    ///   - key: the key of the option.
    ///   - text: what the option is for, in one line.
    ///   - defaultText: the value that applies if the key is absent, as the file would write it; nil if there is none.
    public mutating func describe(_ key: String, _ text: String, default defaultText: String? = nil) {
        if !known.contains(where: { $0.key == key }) { known.append(KnownField(key: key)) }
        guard let index = known.firstIndex(where: { $0.key == key && $0.text == nil }) else { return }
        known[index].text = text
        known[index].defaultText = defaultText
    }

    /// Reads a mapping inside this one. Its issues become issues of this reader, those for unknown keys included.
    ///
    /// - Parameters:
    ///   - key: the key to read.
    ///   - read: reads the inner mapping. It need not call ``finish(reserved:reference:form:advice:)``.
    /// - Returns: the result of `read`; nil if the key is absent or the inner mapping has an error.
    public mutating func mapping<Value>(_ key: String, read: (inout FieldReader) -> Value?) -> Value? {
        guard let entry = entry(key) else { return nil }
        var inner = FieldReader(entry.value, of: entry.key)
        let value = read(&inner)
        let issues = inner.finish()
        recorded += issues
        secretPositions += inner.secretPositions
        secretTexts.formUnion(inner.secretTexts)
        return issues.contains { $0.severity == .error } ? nil : value
    }

    /// Records an error at the value of `key`, or at ``position`` if the key is absent.
    public mutating func report(_ key: String, _ message: String, hint: String? = nil) {
        let place = index(key).map { entries[$0].value.position } ?? position
        report(ConfigIssue(at: place, message, hint: hint))
    }

    /// Records an issue.
    public mutating func report(_ issue: ConfigIssue) {
        recorded.append(issue)
    }

    /// Treats a value, and everything inside it, as a secret: excerpts of the file leave it out, and all issues of this
    /// reader mask it, earlier ones included. A mere reference to a variable, such as `${NAME}`, is not masked.
    public mutating func markSecret(_ node: ConfigNode) {
        secretPositions.append(node.position)
        switch node.content {
        case .scalar(let scalar): if !isReference(scalar.source) { secretTexts.insert(node.displayText) }
        case .sequence(let nodes):
            for node in nodes { markSecret(node) }
        case .mapping(let entries):
            for entry in entries { markSecret(entry.value) }
        }
    }

    /// Adds an issue for each key that was not read, and returns all issues.
    ///
    /// Call it once, after everything is read. A plugin's `readOptions` must not call it: the router reads its own keys
    /// of the same mapping, and calls it at the end.
    ///
    /// - Parameters:
    ///   - reserved: keys that only later versions will know. Their issues mention that.
    ///   - reference: what a known key is for, in one line; nil if it should be what ``describe(_:_:default:)`` was
    ///     given.
    ///   - form: how the mapping is written, as the hint of the issue that the value is not a mapping. It gets the
    ///     value as the file has it; nil if that is a list. nil if the hint should list the known keys.
    ///   - advice: what to do about a key that is not known here, as its message continues; nil if there is nothing
    ///     better than the nearest known key.
    public mutating func finish(
        reserved: [String] = [], reference: (String) -> String? = { _ in nil }, form: (String?) -> String? = { _ in nil },
        advice: (_ key: String, _ knownKeys: [String]) -> String? = { _, _ in nil }
    ) -> [ConfigIssue] {
        if let wrongTypeIssue, !known.isEmpty { recorded[wrongTypeIssue].hint = form(wrongTypeText) ?? knownKeysHint }
        for (index, entry) in entries.enumerated() {
            guard let field = known.first(where: { $0.key == entry.key.text }) else {
                if let hint = listHint(at: index) {
                    report(ConfigIssue(at: entry.key.position, "unknown key '\(abbreviated(entry.key.text))'", hint: hint))
                    continue
                }
                let advice = reserved.contains(entry.key.text) ? nil : advice(entry.key.text, knownKeys)
                report(unknownKey(entry.key, isReserved: reserved.contains(entry.key.text), advice, reference))
                continue
            }
            for index in recorded.indices where recorded[index].hint == nil && recorded[index].position == entry.value.position {
                recorded[index].hint = referenceLine(field, reference)
            }
        }
        return issues
    }

    /// How to write the values of the list before an unknown key, if the key is one of them: in braces, YAML takes
    /// `try: a, b` for `try: a` and a key `b` without a value.
    private func listHint(at index: Int) -> String? {
        let isWord = { (entry: ConfigEntry) in entry.value.isNull && !known.contains { $0.key == entry.key.text } }
        guard isWord(entries[index]), let owner = entries[..<index].lastIndex(where: { !isWord($0) }),
            known.first(where: { $0.key == entries[owner].key.text })?.kind?.takesList == true,
            case .scalar(let first) = entries[owner].value.content
        else { return nil }
        let words = [first.source] + entries[(owner + 1)...].prefix(while: isWord).map(\.key.text)
        // A key that is no name is not taken apart: it may have a secret, which is hidden as the file has it.
        return ConfigTree.listHint(ofNames: words.flatMap { $0.split(separator: ",").map { $0.trimmingBlanks()[...] } })
    }

    /// Whether a text is `${NAME}` and nothing else. It contains no secret, and shows where the secret comes from. A
    /// default in it may be a secret.
    private func isReference(_ text: String) -> Bool {
        text.hasPrefix("${") && text.firstIndex(of: "}") == text.indices.last && !text.contains(":-")
    }

    private func masked(_ issue: ConfigIssue) -> ConfigIssue {
        func masked(_ text: String) -> String {
            secretTexts.reduce(text) { $0.split(separator: $1, omittingEmptySubsequences: false).joined(separator: "'<secret>'") }
        }
        return ConfigIssue(issue.severity, at: issue.position, masked(issue.message), hint: issue.hint.map(masked))
    }

    /// Reports a required key that is absent. If there is no mapping at all, that was reported already.
    mutating func reportMissing(_ key: String, hint: String) {
        if wrongTypeIssue == nil { report(ConfigIssue(at: position, "key '\(key)' is missing", hint: hint)) }
    }
}
