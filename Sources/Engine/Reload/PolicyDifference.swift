package import RoutingPolicy

/// What a reload changes, in words: `+ model gpt-4o-mini`, `~ route auto: fallback deepseek-chat -> claude-sonnet`, `- provider groq (2 streams draining)`.
package enum PolicyDifference {
    /// - Parameter draining: requests under way, by the name of the provider that goes or is replaced.
    package static func words(from old: RoutingPolicy, to new: RoutingPolicy, draining: [String: Int]) -> [String] {
        let (before, after) = (PolicyFacts(old), PolicyFacts(new))
        // Indices mean the same in both: definitions that are equal need no words.
        let isAligned = before.hasSameNames(as: after)
        var lines = compare(
            "", [(name: "", value: old)], [(name: "", value: new)], { _, _ in false }, before.record(of:), after.record(of:))
        lines += compare(
            "provider", old.providers.map { ($0.name, $0) }, new.providers.map { ($0.name, $0) }, { _, _ in false }, before.record(of:),
            after.record(of:))
        lines += compare(
            "model", old.models.map { ($0.key, $0) }, new.models.map { ($0.key, $0) }, { isAligned && $0 == $1 }, before.record(of:),
            after.record(of:))
        lines += compare(
            "route", old.routes.map { ($0.name, $0) }, new.routes.map { ($0.name, $0) }, { isAligned && $0 == $1 }, before.record(of:),
            after.record(of:))
        lines += compare(
            "key", old.keys.map { ($0.name, $0) }, new.keys.map { ($0.name, $0) }, { isAligned && $0 == $1 }, before.record(of:),
            after.record(of:))
        lines += compare(
            "test", old.tests.map { ($0.name, $0) }, new.tests.map { ($0.name, $0) }, { _, _ in false }, before.record(of:),
            after.record(of:))
        return gathered(lines.map { withDraining($0, draining) })
    }

    /// So many things of one kind that change alike are one line.
    private static let most = 8

    private struct Line {
        enum Kind: String { case added = "+", changed = "~", removed = "-" }

        var kind: Kind
        var noun: String
        var name: String
        /// What changed; for what comes and goes, what more there is to say.
        var change: String

        var text: String {
            let head = noun.isEmpty ? "" : "\(noun) \(name)" + (kind == .changed ? ": " : "")
            return "\(kind.rawValue) \(head)\(change)"
        }
    }

    private static func compare<Value>(
        _ noun: String, _ old: [(name: String, value: Value)], _ new: [(name: String, value: Value)], _ isEqual: (Value, Value) -> Bool,
        _ before: (Value) -> [Fact], _ after: (Value) -> [Fact]
    ) -> [Line] {
        let known = Dictionary(old, uniquingKeysWith: { first, _ in first })
        let kept = Set(new.map(\.name))
        var lines: [Line] = []
        for (name, value) in new {
            guard let was = known[name] else {
                lines.append(Line(kind: .added, noun: noun, name: name, change: ""))
                continue
            }
            if isEqual(was, value) { continue }
            for (then, now) in zip(before(was), after(value)) {
                if let change = now.change(from: then) { lines.append(Line(kind: .changed, noun: noun, name: name, change: change)) }
            }
        }
        return lines + old.filter { !kept.contains($0.name) }.map { Line(kind: .removed, noun: noun, name: $0.name, change: "") }
    }

    /// Streams go on at a provider that goes, and at one whose connections are replaced.
    private static func withDraining(_ line: Line, _ draining: [String: Int]) -> Line {
        guard line.noun == "provider", line.kind != .added, let count = draining[line.name], count > 0 else { return line }
        var line = line
        line.change += " (\(count) \(count == 1 ? "stream" : "streams") draining)"
        return line
    }

    private static func gathered(_ lines: [Line]) -> [String] {
        func alike(_ line: Line) -> String { "\(line.kind.rawValue) \(line.noun) \(line.change)" }
        let groups = Dictionary(grouping: lines, by: alike)
        var told: Set<String> = []
        return lines.compactMap { line in
            guard let group = groups[alike(line)], group.count > most else { return line.text }
            guard told.insert(alike(line)).inserted else { return nil }
            let names = group.prefix(3).map(\.name).joined(separator: ", ")
            return "\(line.kind.rawValue) \(group.count) \(line.noun)s (\(names), …)" + (line.change.isEmpty ? "" : ": \(line.change)")
        }
    }
}
