import ConfigTree

/// The files of a policy, read and merged into one tree.
struct PolicyFiles {
    static let maxFileBytes = 1 << 20
    /// Far more than any real policy needs. It bounds the cost of a wrong glob.
    static let maxFiles = 1000
    /// How many files may include each other in a chain.
    static let maxDepth = 32

    private(set) var texts: [(path: String, text: SourceText)] = []
    private(set) var issues: [ConfigIssue] = []
    /// False if a file couldn't be read completely, so that its definitions are unknown.
    private(set) var isComplete = true
    private(set) var entries: [ConfigEntry] = []
    private let source: any PolicySource
    /// The index of each top-level key in `entries`.
    private var indices: [String: Int] = [:]
    /// Where each file was first included.
    private var firstIncludes: [String: SourcePosition] = [:]
    /// The positions of the keys of each top-level mapping that was merged.
    private var keyPositions: [String: [String: SourcePosition]] = [:]

    init(path: String, source: some PolicySource) {
        self.source = source
        let path = normalized(path)
        add(path, from: SourcePosition(file: path, line: 1, column: 1), displayName: path, stack: [])
    }

    /// Puts the hidden values of a masked policy into the tree of its copy.
    mutating func restore(_ hidden: MaskedValues, from source: some PolicySource) {
        var substitution = Substitution(source: source, directory: "")
        entries = hidden.restored(entries, &substitution, issues: &issues)
        issues += substitution.issues
    }

    /// - Parameter displayName: the file's name in reports. The path itself may contain the value of a variable.
    private mutating func add(_ path: String, from position: SourcePosition, displayName: String, stack: [String]) {
        firstIncludes[path] = position
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        do throws(ConfigIssue) {
            let text = try text(path, from: position, displayName: displayName)
            texts.append((path, text))
            let substitution = Substitution(source: source, directory: directory)
            let (root, found, misread) = try YAMLTree.read(text, file: path, substitution: substitution)
            issues += found + misread
            let top = SourcePosition(file: path, line: 1, column: 1)
            guard let root, !root.isNull else {
                if stack.isEmpty {
                    throw ConfigIssue(
                        at: top, "the file is empty", hint: "start with 'version: 1', then add 'providers', 'models' and 'routes'")
                }
                issues.append(ConfigIssue(.warning, at: top, "the included file is empty"))
                return
            }
            guard case .mapping(let entries) = root.content else {
                throw ConfigIssue(
                    at: root.position, "a policy is a mapping (key: value), not \(root.displayText)", hint: "start with 'version: 1'")
            }
            for entry in entries where entry.key.text != "include" { merge(entry, isIncluded: !stack.isEmpty) }
            for entry in entries where entry.key.text == "include" { include(entry, directory: directory, stack: stack + [path]) }
        } catch {
            issues.append(error)
            isComplete = false
        }
    }

    private func text(_ path: String, from position: SourcePosition, displayName: String) throws(ConfigIssue) -> SourceText {
        do {
            return SourceText(try source.read(path, limit: PolicyFiles.maxFileBytes))
        } catch {
            throw ConfigIssue(at: position, "file '\(displayName)' \(error.reason(limit: PolicyFiles.maxFileBytes))", hint: error.hint)
        }
    }

    /// Mappings of the same name merge by key, and a section without entries adds none. An included file may repeat
    /// `version`.
    private mutating func merge(_ entry: ConfigEntry, isIncluded: Bool) {
        let name = entry.key.text
        guard let index = indices[name] else {
            indices[name] = entries.count
            entries.append(entry)
            return
        }
        if isIncluded, name == "version", entries[index].value.displayText == entry.value.displayText { return }
        if isIncluded, entry.value.isNull { return }
        if entries[index].value.isNull {
            entries[index].value = entry.value
            return
        }
        guard case .mapping(var merged) = entries[index].value.content, case .mapping(let more) = entry.value.content else {
            issues.append(duplicateKey(entry.key, first: entries[index].key.position))
            return
        }
        var known =
            keyPositions.removeValue(forKey: name) ?? Dictionary(merged.map { ($0.key.text, $0.key.position) }) { first, _ in first }
        for entry in more {
            if let first = known[entry.key.text] {
                issues.append(duplicateKey(entry.key, first: first))
            } else {
                known[entry.key.text] = entry.key.position
                merged.append(entry)
            }
        }
        entries[index].value.content = .mapping(merged)
        keyPositions[name] = known
    }

    private mutating func include(_ entry: ConfigEntry, directory: String, stack: [String]) {
        var fields = FieldReader([entry], at: entry.key.position)
        let patterns = fields.texts("include") ?? []
        issues += fields.finish()
        issues += unsetIssues(in: entry.value)
        for pattern in patterns where !pattern.isUnresolved {
            guard source.followsFiles else {
                issues.append(
                    ConfigIssue(
                        .warning, at: pattern.position, "'\(abbreviated(pattern.source))' is not read here, so its definitions are unknown",
                        hint: "run 'llm-router check' on the machine that has the files"))
                continue
            }
            let path = normalized(pattern.text.hasPrefix("/") ? pattern.text : directory + pattern.text)
            let isLiteral = pattern.text == pattern.source
            let isGlob = path.utf8.contains { "*?[".utf8.contains($0) }
            let found = isGlob ? source.glob(path) : [path]
            if found.isEmpty {
                issues.append(source.noMatch(of: path, shown: isLiteral ? path : pattern.source, at: pattern.position))
            }
            for file in found {
                include(
                    normalized(file), at: pattern.position, displayName: isLiteral ? nil : pattern.source + shownMatch(file, of: path),
                    isGlob: isGlob, stack: stack)
            }
        }
    }

    private mutating func include(_ path: String, at position: SourcePosition, displayName: String?, isGlob: Bool, stack: [String]) {
        let displayName = displayName ?? path
        if let start = stack.firstIndex(of: path) {
            // A glob may match the file that contains it.
            if isGlob, path == stack.last { return }
            let cycle = (stack[start...] + [displayName]).joined(separator: " -> ")
            issues.append(ConfigIssue(at: position, "files include each other: \(cycle)", hint: "remove one of these includes"))
        } else if let first = firstIncludes[path] {
            issues.append(
                ConfigIssue(at: position, "file '\(displayName)' is included twice; first at \(first)", hint: "keep one of the two"))
        } else if firstIncludes.count >= PolicyFiles.maxFiles || stack.count >= PolicyFiles.maxDepth {
            let limits = "at most \(PolicyFiles.maxFiles) files, nested at most \(PolicyFiles.maxDepth) deep"
            issues.append(ConfigIssue(at: position, "too many included files: \(limits)", hint: "merge some of them"))
        } else {
            add(path, from: position, displayName: displayName, stack: stack)
        }
    }
}

/// The path without `.`, empty parts and `name/..`, so that one file has one name.
func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return path.hasPrefix("/") ? "/" + parts.joined(separator: "/") : parts.isEmpty ? "." : parts.joined(separator: "/")
}
