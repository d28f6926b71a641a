import ConfigTree

/// The files of a policy, read and merged into one tree.
struct PolicyFiles {
    static let fileLimit = 1 << 20
    /// Far above any real policy; it bounds what a wrong glob costs.
    static let maxFiles = 1000

    private(set) var texts: [(path: String, text: SourceText)] = []
    private(set) var issues: [ConfigIssue] = []
    /// False after a file that couldn't be read as a whole: what it defines is then unknown.
    private(set) var isComplete = true
    private(set) var entries: [ConfigEntry] = []
    private let source: any PolicySource
    /// Index of a top-level key in `entries`.
    private var indices: [String: Int] = [:]
    /// Where each file was first named.
    private var readFrom: [String: SourcePosition] = [:]
    /// For each top-level mapping, where its keys stand.
    private var places: [String: [String: SourcePosition]] = [:]

    init(path: String, source: some PolicySource) {
        self.source = source
        let path = normalized(path)
        add(path, from: SourcePosition(file: path, line: 1, column: 1), shown: path, stack: [])
    }

    /// - Parameter shown: what names it in a report: a variable in a path may hold anything.
    private mutating func add(_ path: String, from place: SourcePosition, shown: String, stack: [String]) {
        readFrom[path] = place
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        do throws(ConfigIssue) {
            let text = try text(path, from: place, shown: shown)
            texts.append((path, text))
            let (root, found) = try YAMLTree.read(text, file: path, substitution: Substitution(source: source, directory: directory))
            issues += found
            let top = SourcePosition(file: path, line: 1, column: 1)
            guard let root, !root.isNull else {
                if stack.isEmpty {
                    throw ConfigIssue(
                        at: top, "the file is empty", hint: "start with 'version: 1'; 'providers', 'models' and 'routes' follow")
                }
                issues.append(ConfigIssue(.warning, at: top, "the included file is empty"))
                return
            }
            guard case .mapping(let entries) = root.content else {
                throw ConfigIssue(
                    at: root.position, "a policy is a mapping (key: value), not \(root.shown)", hint: "start with 'version: 1'")
            }
            for entry in entries where entry.key.text != "include" { merge(entry, isIncluded: !stack.isEmpty) }
            for entry in entries where entry.key.text == "include" { include(entry, directory: directory, stack: stack + [path]) }
        } catch {
            issues.append(error)
            isComplete = false
        }
    }

    private func text(_ path: String, from place: SourcePosition, shown: String) throws(ConfigIssue) -> SourceText {
        do {
            return SourceText(try source.read(path, limit: PolicyFiles.fileLimit))
        } catch {
            let hint = error == .tooLarge ? "split it: 'include:' takes more files" : "check the path"
            throw ConfigIssue(at: place, "file '\(shown)' \(error.words(limit: PolicyFiles.fileLimit))", hint: hint)
        }
    }

    /// Maps of the same name merge by key. An included file may repeat `version`.
    private mutating func merge(_ entry: ConfigEntry, isIncluded: Bool) {
        let name = entry.key.text
        guard let index = indices[name] else {
            indices[name] = entries.count
            entries.append(entry)
            return
        }
        if isIncluded, name == "version", entries[index].value.shown == entry.value.shown { return }
        guard case .mapping(var merged) = entries[index].value.content, case .mapping(let more) = entry.value.content else {
            issues.append(duplicateKey(entry.key, first: entries[index].key.position))
            return
        }
        var known = places.removeValue(forKey: name) ?? Dictionary(merged.map { ($0.key.text, $0.key.position) }) { first, _ in first }
        for entry in more {
            if let first = known[entry.key.text] {
                issues.append(duplicateKey(entry.key, first: first))
            } else {
                known[entry.key.text] = entry.key.position
                merged.append(entry)
            }
        }
        entries[index].value.content = .mapping(merged)
        places[name] = known
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
                        .warning, at: pattern.position, "'\(abbreviated(pattern.source))' is not read here, so what it defines is unknown",
                        hint: "run 'llm-router check' where the files lie"))
                continue
            }
            let path = normalized(pattern.text.hasPrefix("/") ? pattern.text : directory + pattern.text)
            let isWritten = pattern.text == pattern.source
            let isGlob = path.utf8.contains { "*?[".utf8.contains($0) }
            let found = isGlob ? source.glob(path) : [path]
            if found.isEmpty {
                issues.append(
                    ConfigIssue(.warning, at: pattern.position, "'\(abbreviated(isWritten ? path : pattern.source))' matches no file"))
            }
            for file in found {
                include(normalized(file), at: pattern.position, shown: isWritten ? nil : pattern.source, isGlob: isGlob, stack: stack)
            }
        }
    }

    private mutating func include(_ path: String, at position: SourcePosition, shown: String?, isGlob: Bool, stack: [String]) {
        let shown = shown ?? path
        if let start = stack.firstIndex(of: path) {
            // A glob may well match the file it stands in.
            if isGlob, path == stack.last { return }
            let circle = (stack[start...] + [shown]).joined(separator: " -> ")
            issues.append(ConfigIssue(at: position, "files include each other: \(circle)", hint: "remove one of these includes"))
        } else if let first = readFrom[path] {
            issues.append(ConfigIssue(at: position, "file '\(shown)' is included twice; first at \(first)", hint: "keep one of the two"))
        } else if readFrom.count >= PolicyFiles.maxFiles || stack.count >= 32 {
            issues.append(ConfigIssue(at: position, "too many files: at most \(PolicyFiles.maxFiles), and 32 that include one another"))
        } else {
            add(path, from: position, shown: shown, stack: stack)
        }
    }
}

/// Without `.`, empty parts, and `name/..`: so that one file has one name.
private func normalized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == "..", let last = parts.last, last != ".." { parts.removeLast() } else { parts.append(part) }
    }
    return path.hasPrefix("/") ? "/" + parts.joined(separator: "/") : parts.isEmpty ? "." : parts.joined(separator: "/")
}
