import ConfigTree

/// Builds the tree of one YAML file: aliases and merge keys resolved, limits held, variables substituted.
///
/// What makes the rest unreadable is thrown; what is wrong in one place (a key twice, a variable's form) is collected.
struct YAMLTree {
    static let maxDepth = 32
    static let maxAliases = 100
    /// How many nodes all aliases of a file may stand for. Ten aliases of a list of ten, nested nine times, would be 10^9.
    static let maxAliasedNodes = 100_000

    private struct Anchored {
        var node: ConfigNode
        var size: Int
        var height: Int
    }

    private let file: String
    private(set) var substitution: Substitution
    private(set) var issues: [ConfigIssue] = []
    private var anchors: [String: Anchored] = [:]
    private var openAnchors: Set<String> = []
    /// Where libyaml would take a `?` for a key's indicator, which YAML 1.2 takes for text: `{ ?a: 1 }`.
    private let doubtfulKeys: Set<SourcePosition>
    private var aliases = 0
    private var aliasedNodes = 0

    /// nil for a file without content.
    static func read(
        _ text: SourceText, file: String, substitution: Substitution
    ) throws(ConfigIssue) -> (root: ConfigNode?, issues: [ConfigIssue]) {
        if let problem = text.problem(in: file) { throw problem }
        var tree = YAMLTree(file: file, substitution: substitution, doubtfulKeys: text.doubtfulKeys(in: file))
        let root = try tree.document(YAMLEvents(of: text, file: file))
        return (root, tree.issues + tree.substitution.issues)
    }

    private init(file: String, substitution: Substitution, doubtfulKeys: Set<SourcePosition>) {
        self.doubtfulKeys = doubtfulKeys
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
                hint: "a policy is one document: remove '---' and what should not count")
        }
        return root
    }

    private mutating func node(_ event: YAMLEvents.Event, _ events: borrowing YAMLEvents, depth: Int) throws(ConfigIssue) -> Anchored {
        guard depth <= YAMLTree.maxDepth else { throw tooDeep(event.position) }
        if case .alias(let name) = event.kind { return try alias(name, at: event.position, depth: depth) }
        try check(event)
        if let anchor = event.anchor { openAnchors.insert(anchor) }
        var result: Anchored
        switch event.kind {
        case .scalar(let text, let isPlain):
            let isString = event.tag == "!" || event.tag == "tag:yaml.org,2002:str"
            let scalar = substitution.scalar(text, style: isPlain && !isString ? .plain : .quoted, at: event.position)
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
        var keys = KeyPlaces()
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
        guard doubtfulKeys.isEmpty || !doubtfulKeys.contains(event.position) else {
            throw ConfigIssue(at: event.position, "a key that starts with '?' is in doubt", hint: "put it in quotes")
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

    /// The entries that `<<` brings; of equal keys the earlier mapping's.
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
        // Its name is not told: it may be a secret that begins with '*'.
        guard !openAnchors.contains(name) else {
            throw ConfigIssue(at: position, "this alias stands inside the value of its own anchor", hint: "write the value out")
        }
        guard let anchored = anchors[name] else {
            let near = nearest(to: name, in: anchors.keys.sorted()).map { "; did you mean '*\($0)'?" }
            throw ConfigIssue(
                at: position, "this alias has no anchor\(near ?? "")",
                hint: near == nil
                    ? "put its anchor, its name behind '&', before the value that is meant, above this line; text that begins with '*' needs quotes"
                    : nil)
        }
        aliases += 1
        aliasedNodes += anchored.size
        guard aliases <= YAMLTree.maxAliases else {
            throw ConfigIssue(at: position, "more than \(YAMLTree.maxAliases) aliases in one file", hint: "write the values out")
        }
        guard aliasedNodes <= YAMLTree.maxAliasedNodes else {
            throw ConfigIssue(
                at: position, "the aliases of this file stand for more than \(YAMLTree.maxAliasedNodes) values",
                hint: "write the values out")
        }
        guard depth + anchored.height - 1 <= YAMLTree.maxDepth else { throw tooDeep(position) }
        return anchored
    }

    private func check(_ event: YAMLEvents.Event) throws(ConfigIssue) {
        if event.anchor != nil, case .scalar(let text, isPlain: true) = event.kind, text.hasPrefix(":") {
            throw ConfigIssue(
                at: event.position, "an anchor's name is in doubt: libyaml ends it before ':'",
                hint: "use letters, digits, '-' and '_', and a space behind it")
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
                at: event.position, "this tag does not belong here",
                hint: "remove it: the schema says what type a value has; text that begins with '!' needs quotes")
        }
    }

    private func tooDeep(_ position: SourcePosition) -> ConfigIssue {
        ConfigIssue(
            at: position, "values are nested deeper than \(YAMLTree.maxDepth) levels",
            hint: "no part of a policy is so deep; check the brackets")
    }

    private func badMerge(_ position: SourcePosition) -> ConfigIssue {
        ConfigIssue(
            at: position, "'<<' takes a mapping, or a list of mappings",
            hint: "write '<<: *name', with '&name' before the mapping that is meant")
    }
}

/// The keys of one mapping, with the places where they stand first. Most mappings are small.
private struct KeyPlaces {
    private var few: [ConfigText] = []
    private var many: [String: SourcePosition] = [:]

    /// nil for a key that is new.
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

/// Shows both places.
func duplicateKey(_ key: ConfigText, first: SourcePosition) -> ConfigIssue {
    ConfigIssue(at: key.position, "key '\(abbreviated(key.text))' is defined twice; first at \(first)", hint: "keep one of the two")
}
