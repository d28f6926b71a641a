import ConfigTree

/// Builds the tree of one YAML file: resolves aliases and merge keys, enforces limits and substitutes variables.
///
/// An error that makes the rest of the file unreadable is thrown. A local error, such as a duplicate key or a malformed
/// variable, is collected.
struct YAMLTree {
    static let maxDepth = 32
    static let maxAliases = 100
    /// How many nodes all aliases of a file may expand to. Ten aliases of a list of ten, nested nine times, would
    /// expand to 10^9 nodes.
    static let maxAliasedNodes = 100_000

    private struct Anchored {
        var node: ConfigNode
        var size: Int
        var height: Int
    }

    private let file: String
    private(set) var substitution: Substitution
    private(set) var issues: [ConfigIssue] = []
    /// Values that are valid YAML, and mean something else than their author wants.
    private var misread: [ConfigIssue] = []
    private var anchors: [String: Anchored] = [:]
    private var openAnchors: Set<String> = []
    /// The positions at which libyaml reads a `?` as the indicator of a key and YAML 1.2 reads it as text: `{ ?a: 1 }`.
    private let ambiguousKeys: Set<SourcePosition>
    private var aliases = 0
    private var aliasedNodes = 0

    /// The root is nil for a file without content.
    static func read(
        _ text: SourceText, file: String, substitution: Substitution
    ) throws(ConfigIssue) -> (root: ConfigNode?, issues: [ConfigIssue], misread: [ConfigIssue]) {
        if let problem = text.problem(in: file) { throw problem }
        var tree = YAMLTree(file: file, substitution: substitution, ambiguousKeys: text.ambiguousKeys(in: file))
        let root = try tree.document(YAMLEvents(of: text, file: file))
        return (root, tree.issues + tree.substitution.issues, tree.misread)
    }

    private init(file: String, substitution: Substitution, ambiguousKeys: Set<SourcePosition>) {
        self.ambiguousKeys = ambiguousKeys
        self.file = file
        self.substitution = substitution
    }

    private mutating func document(_ events: borrowing YAMLEvents) throws(ConfigIssue) -> ConfigNode? {
        guard case .documentStart = try events.next().kind else { return nil }
        let root = try node(try events.next(), events, depth: 1).node
        _ = try events.next()
        let after = try events.next()
        guard case .streamEnd = after.kind else {
            throw ConfigIssue(
                at: after.position, "a second document starts here",
                hint: "a policy is one document: remove '---' and the document that is not needed")
        }
        return root
    }

    private mutating func node(_ event: YAMLEvents.Event, _ events: borrowing YAMLEvents, depth: Int) throws(ConfigIssue) -> Anchored {
        guard depth <= YAMLTree.maxDepth else { throw tooDeep(event.position) }
        if case .alias(let name) = event.kind { return try alias(name, at: event.position, depth: depth) }
        try check(event)
        checkIndicators(event)
        if let anchor = event.anchor { openAnchors.insert(anchor) }
        var result: Anchored
        switch event.kind {
        case .scalar(let text, let isPlain):
            let isString = event.tag == "!" || event.tag == "tag:yaml.org,2002:str"
            if isPlain { checkQuotes(text, at: event.position) }
            var scalar = substitution.scalar(text, style: isPlain && !isString ? .plain : .quoted, at: event.position)
            if event.isEmptyAnchor { scalar.isUnresolved = true }
            result = Anchored(node: ConfigNode(.scalar(scalar), at: event.position), size: 1, height: 1)
        case .sequenceStart:
            result = try sequence(event.position, events, depth: depth)
        default:
            result = try mapping(event.position, events, depth: depth)
        }
        if let anchor = event.anchor {
            openAnchors.remove(anchor)
            anchors[anchor] = result
        }
        return result
    }

    /// Warns of a value in typographic quotation marks, which are part of it. What the mark is, the report adds.
    private mutating func checkQuotes(_ text: String, at position: SourcePosition) {
        let marks: ClosedRange<Unicode.Scalar> = "\u{2018}"..."\u{201F}"
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last, marks ~= first, marks ~= last else { return }
        issues.append(ConfigIssue(.warning, at: position, "these quotation marks are part of the value"))
    }

    private mutating func sequence(_ start: SourcePosition, _ events: borrowing YAMLEvents, depth: Int) throws(ConfigIssue) -> Anchored {
        var items: [ConfigNode] = []
        var (size, height) = (1, 0)
        while true {
            let event = try events.next()
            if case .end = event.kind { break }
            let item = try node(event, events, depth: depth + 1)
            items.append(item.node)
            size += item.size
            height = max(height, item.height)
        }
        return Anchored(node: ConfigNode(.sequence(items), at: start), size: size, height: height + 1)
    }

    private mutating func mapping(_ start: SourcePosition, _ events: borrowing YAMLEvents, depth: Int) throws(ConfigIssue) -> Anchored {
        var entries: [ConfigEntry] = []
        var keys = KeyPositions()
        var merged: [ConfigEntry] = []
        var (size, height) = (1, 0)
        while true {
            let event = try events.next()
            if case .end = event.kind { break }
            let key = try key(event)
            let value = try node(try events.next(), events, depth: depth + 1)
            size += value.size + 1
            height = max(height, value.height)
            if let first = keys.add(key) {
                issues.append(duplicateKey(key, first: first))
            } else if case .scalar("<<", isPlain: true) = event.kind {
                merged = try self.merged(value.node, at: key.position)
            } else {
                entries.append(ConfigEntry(key: key, value: value.node))
            }
        }
        for entry in merged where keys.add(entry.key) == nil { entries.append(entry) }
        return Anchored(node: ConfigNode(.mapping(entries), at: start), size: size, height: height + 1)
    }

    private func key(_ event: YAMLEvents.Event) throws(ConfigIssue) -> ConfigText {
        try check(event)
        guard ambiguousKeys.isEmpty || !ambiguousKeys.contains(event.position) else {
            throw ConfigIssue(at: event.position, "a key that starts with '?' is ambiguous", hint: "put it in quotes")
        }
        switch event.kind {
        case .scalar(let text, _):
            guard !text.isEmpty else { throw ConfigIssue(at: event.position, "a key is empty", hint: "write a name before the ':'") }
            return ConfigText(text, at: event.position)
        case .alias(let name):
            if case .scalar(let scalar)? = anchors[name]?.node.content, !scalar.source.isEmpty {
                return ConfigText(scalar.source, at: event.position)
            }
            throw ConfigIssue(at: event.position, "an alias can't be a key", hint: "write the key itself")
        default:
            throw ConfigIssue(at: event.position, "a key is a name, not a list or a mapping")
        }
    }

    /// The entries that `<<` adds. A list of mappings may repeat a key, and `mapping` keeps the first entry.
    private func merged(_ value: ConfigNode, at position: SourcePosition) throws(ConfigIssue) -> [ConfigEntry] {
        switch value.content {
        case .mapping(let entries): return entries
        case .sequence(let nodes):
            var entries: [ConfigEntry] = []
            for node in nodes {
                guard case .mapping(let more) = node.content else { throw badMerge(position) }
                entries += more
            }
            return entries
        case .scalar: throw badMerge(position)
        }
    }

    private mutating func alias(_ name: String, at position: SourcePosition, depth: Int) throws(ConfigIssue) -> Anchored {
        // The messages don't show the alias's name, because it may be a secret that begins with '*'.
        guard !openAnchors.contains(name) else {
            throw ConfigIssue(at: position, "this alias is inside the value of its own anchor", hint: "write the value out")
        }
        guard let anchored = anchors[name] else {
            let near = nearest(to: name, in: anchors.keys.sorted()).map { "; did you mean '*\($0)'?" }
            throw ConfigIssue(
                at: position, "this alias has no anchor\(near ?? "")",
                hint: near == nil
                    ? "define the anchor above this line, as '&name' before a value; text that begins with '*' needs quotes"
                    : nil)
        }
        aliases += 1
        aliasedNodes += anchored.size
        guard aliases <= YAMLTree.maxAliases else {
            throw ConfigIssue(at: position, "more than \(YAMLTree.maxAliases) aliases in one file", hint: "write the values out")
        }
        guard aliasedNodes <= YAMLTree.maxAliasedNodes else {
            throw ConfigIssue(
                at: position, "the aliases of this file expand to more than \(YAMLTree.maxAliasedNodes) values",
                hint: "write the values out")
        }
        guard depth + anchored.height - 1 <= YAMLTree.maxDepth else { throw tooDeep(position) }
        return anchored
    }

    private func check(_ event: YAMLEvents.Event) throws(ConfigIssue) {
        if event.anchor != nil, case .scalar(let text, isPlain: true) = event.kind, text.hasPrefix(":") {
            throw ConfigIssue(
                at: event.position, "the name of this anchor is ambiguous: it ends before the ':'",
                hint: "use letters, digits, '-' and '_' in the name, and a space after it")
        }
        guard let tag = event.tag, tag != "!" else { return }
        let core = "tag:yaml.org,2002:"
        let known: [String]
        switch event.kind {
        case .sequenceStart: known = ["seq"]
        case .mappingStart: known = ["map"]
        default: known = ["str", "int", "float", "bool", "null"]
        }
        guard tag.hasPrefix(core), known.contains(String(tag.dropFirst(core.count))) else {
            throw ConfigIssue(
                at: event.position, "this tag is not allowed here",
                hint: "put text that begins with '!' in quotes, such as \"!free\"; a value takes no type, so remove any other tag")
        }
    }

    /// YAML drops a `!` that stands alone, and takes `&free` for the anchor of an empty value. In a policy, both are
    /// the beginning of text. The text is not shown, because it may be a secret.
    private mutating func checkIndicators(_ event: YAMLEvents.Event) {
        guard case .scalar(_, isPlain: true) = event.kind else { return }
        guard event.isEmptyAnchor || event.tag == "!" else { return }
        let character = event.isEmptyAnchor ? "&" : "!"
        misread.append(
            ConfigIssue(
                at: event.position, "'\(character)' at the beginning of a value is not read as text",
                hint: "put text that begins with '\(character)' in quotes, such as \"\(character)free\""))
    }

    private func tooDeep(_ position: SourcePosition) -> ConfigIssue {
        ConfigIssue(
            at: position, "values are nested deeper than \(YAMLTree.maxDepth) levels",
            hint: "no policy needs that depth; check the brackets")
    }

    private func badMerge(_ position: SourcePosition) -> ConfigIssue {
        ConfigIssue(
            at: position, "'<<' takes a mapping, or a list of mappings",
            hint: "write '<<: *name', and '&name' before the mapping to merge")
    }
}

extension YAMLEvents.Event {
    /// Whether it is an anchor without a value, which was meant as text: `&free`.
    fileprivate var isEmptyAnchor: Bool {
        if case .scalar("", isPlain: true) = kind { anchor != nil } else { false }
    }
}

/// The keys of one mapping with the position at which each first occurs. Most mappings are small, so the dictionary is
/// made only for a large one.
private struct KeyPositions {
    private var few: [ConfigText] = []
    private var many: [String: SourcePosition] = [:]

    /// Adds the key. Returns the position of an equal key that was added before, or nil.
    mutating func add(_ key: ConfigText) -> SourcePosition? {
        if many.isEmpty {
            if let first = few.first(where: { $0.text == key.text }) { return first.position }
            few.append(key)
            if few.count > 16 { many = Dictionary(few.map { ($0.text, $0.position) }) { first, _ in first } }
            return nil
        }
        if let first = many[key.text] { return first }
        many[key.text] = key.position
        return nil
    }
}

/// The error for a duplicate key, which shows the positions of both.
func duplicateKey(_ key: ConfigText, first: SourcePosition) -> ConfigIssue {
    ConfigIssue(at: key.position, "key '\(abbreviated(key.text))' is defined twice; first at \(first)", hint: "keep one of the two")
}
