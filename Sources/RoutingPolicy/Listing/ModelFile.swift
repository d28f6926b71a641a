package import ConfigTree
package import ProviderKit

/// A policy file with the models of a provider's own list. Updating it changes only the lines that an earlier update
/// has written: what a person wrote stays, comments and changed lines included.
package struct ModelFile {
    /// The text of the updated file.
    package private(set) var text = ""
    package private(set) var added = 0
    package private(set) var updated = 0
    package private(set) var removed = 0
    /// The models that the policy defines otherwise.
    package private(set) var defined = 0
    /// The names that can't be entries.
    package private(set) var unusable: [String] = []

    /// The number of entries that the file has of the list.
    package var count: Int { entries.count }

    private let provider: ProviderDefinition
    private var entries: [String: ListedEntry] = [:]
    /// The keys of the entries in the order of the list.
    private var keys: [String] = []

    /// - Parameters:
    ///   - models: the provider's list.
    ///   - file: the text of the file; nil if there is none.
    ///   - policy: the policy, of which the file may be a part.
    /// - Throws: the problem in the file.
    package init(
        _ models: [ListedModel], of provider: ProviderDefinition, in policy: RoutingPolicy, updating file: [UInt8]?, path: String
    ) throws(ConfigIssue) {
        self.provider = provider
        var lines = try file.map { (bytes) throws(ConfigIssue) in try FileLines(bytes, path: path) } ?? FileLines(newFor: provider.name)
        let own = Set(lines.texts.compactMap { ListedEntry.key(ofLine: $0, provider: provider.name) })
        let foreign = lines.definitions.filter { !own.contains($0.key) } + policy.definitions.filter { !own.contains($0.key) }
        let keysInUse = Set(foreign.map(\.key))
        let upstreamsInUse = Set(foreign.filter { $0.provider == provider.name }.map(\.upstream))
        for model in models {
            guard let entry = ListedEntry(model, of: provider) else {
                unusable.append(model.id)
                continue
            }
            if keysInUse.contains(entry.key) || upstreamsInUse.contains(model.id) {
                defined += 1
            } else if entries.updateValue(entry, forKey: entry.key) == nil {
                keys.append(entry.key)
            }
        }
        replaceLines(&lines)
        try lines.check()
        text = lines.text
    }

    private mutating func replaceLines(_ lines: inout FileLines) {
        var rest = Set(keys), last: Int?
        var texts: [String] = []
        for (index, line) in lines.texts.enumerated() {
            if let key = ListedEntry.key(ofLine: line, provider: provider.name) {
                if let entry = entries[key], rest.remove(key) != nil {
                    let new = entry.line(indentation: String(line.prefix { $0 == " " }))
                    if new != line { updated += 1 }
                    texts.append(new)
                    last = texts.count
                } else {
                    removed += 1
                }
            } else {
                texts.append(line)
            }
            if index + 1 == lines.modelsEnd, last == nil { last = texts.count }
        }
        let new = keys.filter(rest.contains).compactMap { entries[$0]?.line(indentation: lines.indentation) }
        added = new.count
        texts.insert(contentsOf: new, at: min(last ?? texts.count, texts.count))
        lines.texts = texts
    }
}

extension RoutingPolicy {
    fileprivate var definitions: [FileLines.Definition] {
        models.map { FileLines.Definition(key: $0.key, provider: providers[$0.provider].name, upstream: $0.upstream) }
    }
}

/// The lines of a policy file, and where its `models:` are.
private struct FileLines {
    struct Definition {
        var key: String
        var provider: String
        var upstream: String
    }

    var texts: [String]
    /// The models that the file defines.
    private(set) var definitions: [Definition] = []
    /// The number of lines up to the last one of `models:`.
    private(set) var modelsEnd = 0
    private(set) var indentation = "  "
    private let path: String
    private var lineBreak = "\n"

    var text: String { texts.joined(separator: lineBreak) + lineBreak }

    init(newFor provider: String) {
        texts = [
            "# The models of the provider '\(provider)', from its own list. To update them:",
            "#   llm-router models sync \(provider) --write FILE",
            "# That replaces the lines with a mark at their end that nobody has changed. All other lines stay.",
            "version: 1", "models:",
        ]
        modelsEnd = texts.count
        path = ""
    }

    init(_ bytes: [UInt8], path: String) throws(ConfigIssue) {
        self.path = path
        let parts = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if parts.contains(where: { $0.last == UInt8(ascii: "\r") }) { lineBreak = "\r\n" }
        texts = parts.map { String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self) }
        if texts.last == "" { texts.removeLast() }
        let models = try Self.models(of: bytes, path: path)
        definitions = (models ?? []).compactMap { Definition($0) }
        guard let start = texts.firstIndex(where: { $0.hasPrefix("models:") }) else {
            texts.append("models:")
            modelsEnd = texts.count
            return
        }
        let rest = texts[start].dropFirst("models:".count).drop { $0 == " " }
        guard rest.isEmpty || rest.hasPrefix("#") else {
            throw ConfigIssue(
                at: SourcePosition(file: path, line: start + 1, column: 1), "'models' is not written as a block, so no lines can be added",
                hint: "write 'models:' on a line of its own, and each model on a line below it")
        }
        modelsEnd = start + 1
        for index in texts.indices.dropFirst(start + 1) {
            let line = texts[index]
            if line.allSatisfy({ $0 == " " }) || line.hasPrefix("#") { continue }
            guard line.hasPrefix(" ") else { break }
            if modelsEnd == start + 1 { indentation = String(line.prefix { $0 == " " }) }
            modelsEnd = index + 1
        }
    }

    /// The problem in the file, if it has any.
    func check() throws(ConfigIssue) { _ = try Self.models(of: Array(text.utf8), path: path) }

    private static func models(of bytes: [UInt8], path: String) throws(ConfigIssue) -> [ConfigEntry]? {
        let (root, issues, _) = try YAMLTree.read(
            SourceText(bytes), file: path, substitution: Substitution(source: NothingElse(), directory: ""))
        if let issue = issues.first(where: { $0.severity == .error }) { throw issue }
        guard let root, !root.isNull else { return nil }
        guard case .mapping(let entries) = root.content else {
            throw ConfigIssue(at: root.position, "a policy is a mapping (key: value), not \(root.displayText)")
        }
        guard let models = entries.first(where: { $0.key.text == "models" }), case .mapping(let entries) = models.value.content else {
            return nil
        }
        return entries
    }
}

extension FileLines.Definition {
    /// nil for an entry without a provider.
    fileprivate init?(_ entry: ConfigEntry) {
        guard case .mapping(let options) = entry.value.content else { return nil }
        func text(_ key: String) -> String? {
            guard case .scalar(let scalar)? = options.first(where: { $0.key.text == key })?.value.content else { return nil }
            return scalar.text
        }
        guard let provider = text("provider") else { return nil }
        let key = entry.key.text
        let name = key.hasPrefix("\(provider)/") ? String(key.dropFirst(provider.count + 1)) : key
        self.init(key: key, provider: provider, upstream: text("upstream") ?? name)
    }
}

/// A file is read alone: no variable and no other file has a value.
private struct NothingElse: PolicySource {
    var followsFiles: Bool { false }

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] { throw .notFound }
    func environment(_ name: String) -> String? { nil }
    func glob(_ pattern: String) -> [String] { [] }
}
