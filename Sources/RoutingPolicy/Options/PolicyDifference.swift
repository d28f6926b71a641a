/// What a reload changes, in words: `+ model gpt-4o-mini`, `~ route auto: fallback deepseek-chat -> claude-sonnet`,
/// `- provider groq (2 streams draining)`. The secrets of both policies are masked in all lines.
package enum PolicyDifference {
    /// - Parameter draining: requests in flight, by the name of the provider that is removed or replaced.
    package static func words(from old: RoutingPolicy, to new: RoutingPolicy, draining: [String: Int]) -> [String] {
        // If all names are the same, indices mean the same in both, and equal definitions need no comparison in words.
        let isAligned = old.names == new.names
        var lines = settings(old).compare(with: settings(new)).map { Line(kind: .changed, noun: "", name: "", change: $0) }
        lines += plugins(from: old, to: new)
        lines += compare("provider", old.providers, new.providers, \.name, { _, _ in false }, old.value(of:), new.value(of:))
        lines += compare("model", old.models, new.models, \.key, { isAligned && $0 == $1 }, old.value(of:), new.value(of:))
        lines += compare("route", old.routes, new.routes, \.name, { isAligned && $0 == $1 }, old.value(of:), new.value(of:))
        lines += compare("key", old.keys, new.keys, \.name, { isAligned && $0 == $1 }, old.value(of:), new.value(of:))
        lines += compare("test", old.tests, new.tests, \.name, { $0 == $1 }, old.value(of:), new.value(of:))
        return masked(combined(lines.map { addingDraining($0, draining) }), old, new)
    }

    /// The plugins that came, changed and went.
    package static func plugins(from old: RoutingPolicy, to new: RoutingPolicy) -> [String] {
        masked(plugins(from: old, to: new).map(\.text), old, new)
    }

    private static func masked(_ lines: [String], _ policies: RoutingPolicy...) -> [String] {
        let masks = policies.compactMap { $0.text?.mask }
        return lines.map { masks.reduce($0) { $1($0) } }
    }

    private static func plugins(from old: RoutingPolicy, to new: RoutingPolicy) -> [Line] {
        compare("plugin", old.plugins, new.plugins, \.name, { _, _ in false }, old.value(of:), new.value(of:))
    }

    /// What the policy sets itself, without its plugins, providers, models, routes, keys and tests.
    private static func settings(_ policy: RoutingPolicy) -> OptionValue {
        let things: Set = ["plugins", "providers", "models", "routes", "keys", "tests"]
        return .section(
            RoutingPolicy.section.options.filter { !things.contains($0.key) }.flatMap { $0.entries(policy, policy) })
    }

    /// More changes than this that are alike share one line.
    private static let maxAlike = 8

    private struct Line {
        enum Kind: String { case added = "+", changed = "~", removed = "-" }

        var kind: Kind
        var noun: String
        var name: String
        /// What changed. For a thing that was added or removed, what else there is to say.
        var change: String

        var text: String {
            let head = noun.isEmpty ? "" : "\(noun) \(name)" + (kind == .changed ? ": " : "")
            return "\(kind.rawValue) \(head)\(change)"
        }
    }

    private static func compare<Value>(
        _ noun: String, _ old: [Value], _ new: [Value], _ name: (Value) -> String, _ isEqual: (Value, Value) -> Bool,
        _ oldValue: (Value) -> OptionValue, _ newValue: (Value) -> OptionValue
    ) -> [Line] {
        let known = Dictionary(old.map { (name($0), $0) }, uniquingKeysWith: { first, _ in first })
        let kept = Set(new.map(name))
        var lines: [Line] = []
        for value in new {
            guard let before = known[name(value)] else {
                lines.append(Line(kind: .added, noun: noun, name: name(value), change: ""))
                continue
            }
            if isEqual(before, value) { continue }
            lines += oldValue(before).compare(with: newValue(value)).map {
                Line(kind: .changed, noun: noun, name: name(value), change: $0)
            }
        }
        return lines + old.filter { !kept.contains(name($0)) }.map { Line(kind: .removed, noun: noun, name: name($0), change: "") }
    }

    /// Adds how many streams continue at a provider that was removed or whose connections are replaced.
    private static func addingDraining(_ line: Line, _ draining: [String: Int]) -> Line {
        guard line.noun == "provider", line.kind != .added, let count = draining[line.name], count > 0 else { return line }
        var line = line
        line.change += " (\(count) \(count == 1 ? "stream" : "streams") draining)"
        return line
    }

    private static func combined(_ lines: [Line]) -> [String] {
        func alike(_ line: Line) -> String { "\(line.kind.rawValue) \(line.noun) \(line.change)" }
        let groups = Dictionary(grouping: lines, by: alike)
        var reported: Set<String> = []
        return lines.compactMap { line in
            guard let group = groups[alike(line)], group.count > maxAlike else { return line.text }
            guard reported.insert(alike(line)).inserted else { return nil }
            let names = group.prefix(3).map(\.name).joined(separator: ", ")
            return "\(line.kind.rawValue) \(group.count) \(line.noun)s (\(names), …)" + (line.change.isEmpty ? "" : ": \(line.change)")
        }
    }
}

extension RoutingPolicy {
    fileprivate var names: [[String]] { [providers.map(\.name), models.map(\.key), routes.map(\.name)] }
}

extension OptionValue {
    /// What changed from this value to another, one line for each option.
    ///
    /// - Parameter path: where the value is, for a value that is no section.
    fileprivate func compare(with new: OptionValue, at path: String = "") -> [String] {
        switch (self, new) {
        case (.section(let old), .section(let new)): OptionValue.compare(old, new, at: path)
        case (.text(let old), .text(let new)): old == new ? [] : [OptionValue.change(path, old, new)]
        case (.list(let old), .list(let new)): old == new ? [] : [OptionValue.change(path, old, new)]
        case (.scope(let old, let oldNames), .scope(let new, let newNames)):
            // Equal digests mean equal scopes only if the indices in them mean the same.
            old == new && oldNames() == newNames() ? [] : OptionValue.list(oldNames()).compare(with: .list(newNames()), at: path)
        case (.opaque(let old), .opaque(let new)): old == new ? [] : ["\(path) changed"]
        case (.plugin(let old?, _, let oldOptions), .plugin(let new?, _, let newOptions)):
            // The settings of a plugin's next build have another type.
            new.isEqual(to: old)
                ? []
                : OptionValue.compare(
                    oldOptions, newOptions, orElse: type(of: old) == type(of: new) ? "\(path) changed" : "its plugin changed")
        // `state` shows that the provider is off, or on again.
        case (.plugin, .plugin): []
        default: [OptionValue.change(path, words, new.words)]
        }
    }

    private static func compare(_ old: [OptionEntry], _ new: [OptionEntry], orElse line: String) -> [String] {
        let lines = compare(old, new, at: "")
        return lines.isEmpty ? [line] : lines
    }

    private static func compare(_ old: [OptionEntry], _ new: [OptionEntry], at path: String) -> [String] {
        let before = Dictionary(old.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        let after = Dictionary(new.map { ($0.key, $0.value) }, uniquingKeysWith: { first, _ in first })
        let keys = new.map(\.key) + old.map(\.key).filter { after[$0] == nil }
        return keys.flatMap { key -> [String] in
            let inner = path.isEmpty ? key : "\(path).\(key)"
            switch (before[key], after[key]) {
            case (let old?, let new?): return old.compare(with: new, at: inner)
            case (nil, let new?): return new.isShown ? [change(inner, "", new.words)] : ["\(inner) changed"]
            case (let old?, nil): return old.isShown ? [change(inner, old.words, "")] : ["\(inner) changed"]
            case (nil, nil): return []
            }
        }
    }

    private var isShown: Bool {
        switch self {
        case .opaque, .plugin: false
        case .text, .list, .scope, .section: true
        }
    }

    private static func change(_ path: String, _ old: String, _ new: String) -> String {
        func shown(_ text: String) -> String { text.isEmpty ? "(none)" : text }
        return max(old.utf8.count, new.utf8.count) > 300 ? "\(path) changed" : "\(path) \(shown(old)) -> \(shown(new))"
    }

    /// Of long lists, only what was added and removed.
    private static func change(_ path: String, _ old: [String], _ new: [String]) -> String {
        if old.count <= 8, new.count <= 8 { return change(path, old.joined(separator: ", "), new.joined(separator: ", ")) }
        let (before, after) = (Set(old), Set(new))
        let parts = [("+", new.filter { !before.contains($0) }), ("-", old.filter { !after.contains($0) })].filter { !$0.1.isEmpty }
        return ([path] + parts.map { "\($0) \(shortened($1))" }).joined(separator: " ")
    }

    private static func shortened(_ names: [String]) -> String {
        names.prefix(8).joined(separator: ", ") + (names.count > 8 ? " and \(names.count - 8) more" : "")
    }
}
