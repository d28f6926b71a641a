internal import Codecs
import ConfigTree

/// A mapping of another program's file, of which each key is taken once. What nobody has taken is not expressed.
struct ForeignMapping {
    private var entries: [ConfigEntry]

    init(_ entries: [ConfigEntry]) { self.entries = entries }

    /// nil if the value is no mapping.
    init?(_ node: ConfigNode) {
        guard case .mapping(let entries) = node.content else { return nil }
        self.entries = entries
    }

    /// The keys that are left, without those that have no value.
    var keys: [String] { entries.filter { !$0.value.isNull }.map(\.key.text) }

    /// Takes a key's value; nil if it has none.
    mutating func take(_ key: String) -> ConfigNode? { take(key) { $0 } }

    /// Takes a key's value as `read` gives it. A value that can't be read so stays, and a comment then names its key.
    mutating func take<Value>(_ key: String, as read: (ConfigNode) -> Value?) -> Value? {
        guard let index = entries.firstIndex(where: { $0.key.text == key }), !entries[index].value.isNull,
            let value = read(entries[index].value)
        else { return nil }
        entries.remove(at: index)
        return value
    }

    /// The first of several names for one thing. All of them are taken.
    mutating func take<Value>(_ keys: [String], as read: (ConfigNode) -> Value?) -> Value? {
        keys.reduce(nil) { found, key in
            let value = take(key, as: read)
            return found ?? value
        }
    }

    /// An empty text says as little as none.
    mutating func text(_ key: String) -> String? { text([key]) }
    mutating func text(_ keys: [String]) -> String? {
        take(keys, as: \.foreignText).flatMap { $0.allSatisfy(\.isWhitespace) ? nil : $0 }
    }

    mutating func number(_ key: String) -> Double? { take(key, as: \.foreignNumber) }
    mutating func texts(_ key: String) -> [String] { take(key, as: \.foreignTexts) ?? [] }
    mutating func bool(_ key: String) -> Bool? { take(key, as: \.foreignBool) }
    mutating func mapping(_ key: String) -> ForeignMapping? { take(key) { ForeignMapping($0) } }

    mutating func list(_ key: String) -> [ConfigNode] {
        take(key) { if case .sequence(let nodes) = $0.content { nodes } else { nil } } ?? []
    }

    /// Adds the entries of another mapping whose keys this one lacks.
    mutating func add(_ others: ForeignMapping) {
        entries += others.entries.filter { other in !entries.contains { $0.key.text == other.key.text } }
    }

    /// A key's value, which stays.
    func peek(_ key: String) -> ConfigNode? { entries.first { $0.key.text == key && !$0.value.isNull }?.value }

    /// All keys and scalars, however deep.
    var texts: [String] { entries.flatMap { [$0.key.text] + $0.value.foreignScalars } }

    /// The entries that are left, in the order of the file.
    var rest: [(key: String, value: ConfigNode)] { entries.filter { !$0.value.isNull }.map { ($0.key.text, $0.value) } }
}

extension ConfigNode {
    /// The text of a scalar as the file has it, with its variables; nil for anything else.
    var foreignText: String? {
        if case .scalar(let scalar) = content, !scalar.isNull { scalar.source } else { nil }
    }

    /// All keys and scalars inside.
    fileprivate var foreignScalars: [String] {
        switch content {
        case .scalar(let scalar): [scalar.source]
        case .sequence(let nodes): nodes.flatMap(\.foreignScalars)
        case .mapping(let entries): ForeignMapping(entries).texts
        }
    }

    /// The texts of a list. A single one counts as a list of one. nil if something else is among them.
    var foreignTexts: [String]? {
        guard case .sequence(let nodes) = content else { return foreignText.map { [$0] } }
        let texts = nodes.compactMap(\.foreignText)
        return texts.count == nodes.count ? texts : nil
    }

    /// YAML 1.1 allows `_` between digits.
    var foreignNumber: Double? {
        foreignText.flatMap { Double($0.filter { $0 != "_" }) }.flatMap { $0.isFinite ? $0 : nil }
    }

    var foreignBool: Bool? {
        switch foreignText?.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    /// A whole number within a range.
    func int(in range: ClosedRange<Int>) -> Int? {
        foreignNumber.flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
    }

    /// A whole number of at least 1, or the variable that has it.
    var draftCount: DraftValue? {
        if let text = foreignText, case .variable(let name) = ForeignSecret(text), ForeignSecret.renamedVariable(text) == nil {
            return .variable(name)
        }
        return int(in: 1...1_000_000_000).map(DraftValue.int)
    }

    /// A time in seconds, as policies write it.
    var draftSeconds: DraftValue? { foreignNumber.flatMap(DraftValue.seconds) }

    /// A share in a draw.
    var draftWeight: DraftValue? { foreignNumber.flatMap { 0...1000 ~= $0 ? .number($0) : nil } }

    /// The value as a policy would write it. A scalar without quotes has the type that JSON would give it.
    var draft: DraftValue {
        switch content {
        case .sequence(let nodes): return .list(nodes.map(\.draft))
        case .mapping(let entries): return .mapping(entries.map { DraftField($0.key.text, $0.value.draft) })
        case .scalar(let scalar):
            guard scalar.style == .plain else { return .text(scalar.source) }
            if scalar.isNull { return .null }
            switch scalar.source.lowercased() {
            case "true": return .bool(true)
            case "false": return .bool(false)
            default: break
            }
            if let number = Int(scalar.source) { return .int(number) }
            if let number = Double(scalar.source), number.isFinite, scalar.source.utf8.first.map(ASCII.isLetter) == false {
                return .number(number)
            }
            return .text(scalar.source)
        }
    }
}
