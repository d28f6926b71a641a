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
    mutating func take(_ key: String) -> ConfigNode? {
        guard let index = entries.firstIndex(where: { $0.key.text == key }) else { return nil }
        let value = entries.remove(at: index).value
        return value.isNull ? nil : value
    }

    /// The first of several names for one thing. All of them are taken.
    mutating func take(_ keys: [String]) -> ConfigNode? {
        keys.reduce(nil) { found, key in
            let value = take(key)
            return found ?? value
        }
    }

    mutating func text(_ key: String) -> String? { take(key)?.foreignText }
    mutating func int(_ key: String) -> Int? { number(key).flatMap { Int(exactly: $0.rounded()) } }
    mutating func number(_ key: String) -> Double? { text(key).flatMap { Double($0) }.flatMap { $0.isFinite ? $0 : nil } }
    mutating func texts(_ key: String) -> [String] { take(key)?.foreignTexts ?? [] }

    /// nil if it is neither true nor false.
    mutating func bool(_ key: String) -> Bool? {
        switch text(key)?.lowercased() {
        case "true", "yes", "on": true
        case "false", "no", "off": false
        default: nil
        }
    }

    mutating func mapping(_ key: String) -> ForeignMapping? { take(key).flatMap { ForeignMapping($0) } }

    mutating func list(_ key: String) -> [ConfigNode] {
        if case .sequence(let nodes)? = take(key)?.content { nodes } else { [] }
    }

    /// The entries that are left, in the order of the file.
    var rest: [(key: String, value: ConfigNode)] { entries.filter { !$0.value.isNull }.map { ($0.key.text, $0.value) } }
}

extension ConfigNode {
    /// The text of a scalar as the file has it, with its variables; nil for anything else.
    var foreignText: String? {
        if case .scalar(let scalar) = content, !scalar.isNull { scalar.source } else { nil }
    }

    /// The texts of a list. A single one counts as a list of one.
    var foreignTexts: [String] {
        if case .sequence(let nodes) = content { nodes.compactMap(\.foreignText) } else { foreignText.map { [$0] } ?? [] }
    }

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
