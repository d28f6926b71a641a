internal import ConfigTree
package import ProviderKit

/// The whole language of routes.yaml, a line for each option. What an option takes comes from the schema's own reading; what it is for, from `OptionTexts`.
package struct OptionReference {
    private let options: [String: [KnownOption]]

    package init(plugins: [any ProviderPlugin.Type]) {
        options = PolicyLoader(plugins: plugins, source: OneOfEverything(plugins: plugins.map { $0.name })).load(path: "").options
    }

    /// All options, a section after another; or those that `path` means: a section (`retry`), an option (`weight`), or both (`models.weight`,
    /// `defaults.retry.jitter`). nil where it means none.
    package func text(_ path: String? = nil) -> String? {
        let sections = self.sections
        guard let path else { return sections.map(\.text).joined(separator: "\n") }
        // With what stands below it: `providers` with each plugin's own options.
        let named = sections.filter { !path.isEmpty && "\($0.name).".hasPrefix("\(path).") }
        if !named.isEmpty { return named.map(\.text).joined(separator: "\n") }
        let parts = path.split(separator: ".").map(String.init)
        guard let last = parts.last else { return nil }
        let whole = sections.filter { $0.names.last == last }.map(\.text)
        // Names of models, routes and so on may stand between.
        let owner = parts.dropLast().last { part in sections.contains { $0.names.contains(part) } }
        if owner == nil, !whole.isEmpty { return whole.joined(separator: "\n") }
        let lines = sections.filter { section in owner.map(section.names.contains) ?? true }.compactMap { section in
            section.line(last).map { "\(section.heading)\n\($0)" }
        }
        return lines.isEmpty ? nil : (lines + whole).joined(separator: "\n")
    }

    /// The section or option that a path without a meaning may stand for.
    package func suggestion(for path: String) -> String? {
        let names = sections.flatMap { [$0.name] + $0.rows.map(\.key) }
        return path.split(separator: ".").last.flatMap { nearest(to: String($0), in: names) }
    }

    /// `'jitter': …`; nil for an option that a plugin reads for itself.
    static func hint(_ section: String, _ key: String) -> String? {
        OptionTexts.line(section, key).map { "'\(key)': \($0.text)\($0.standard.shown.map { " (\($0))" } ?? "")" }
    }

    private var sections: [Section] {
        let plugins = options.keys.filter { $0.hasPrefix("providers.") }.sorted()
        return OptionTexts.sections.flatMap { texts -> [Section] in
            guard texts.name == "providers" else { return [Section(texts.name, texts.place, rows(texts.name, texts))] }
            let shared = Set(texts.lines.map(\.key))
            let all = plugins.first.map { rows($0, texts).filter { shared.contains($0.key) } } ?? []
            let own = plugins.map { plugin in
                Section(
                    plugin, "what 'plugin: \(plugin.dropFirst("providers.".count))' takes besides",
                    rows(plugin, texts).filter { !shared.contains($0.key) })
            }
            return [Section(texts.name, texts.place, all)] + own
        }
    }

    private func rows(_ section: String, _ texts: OptionTexts.Section) -> [Row] {
        (options[section] ?? []).map { option in
            let line = texts.lines.first { $0.key == option.key }
            return Row(
                key: option.key, takes: option.field.kind?.description ?? "",
                standard: line?.standard.shown ?? option.field.standard.map { "default \($0)" } ?? "",
                text: line?.text ?? option.field.text ?? "")
        }
    }
}

private struct Row {
    var key: String
    var takes: String
    var standard: String
    var text: String
}

private struct Section {
    var name: String
    var heading: String
    var rows: [Row]

    init(_ name: String, _ place: String, _ rows: [Row]) {
        self.name = name
        heading = name.isEmpty ? place : "\(name): \(place)"
        self.rows = rows
    }

    /// What a path may call it by: `providers` and `demo` of `providers.demo`.
    var names: [String] { name.split(separator: ".").map(String.init) }

    var text: String { ([heading] + rows.map(shown)).joined(separator: "\n") + "\n" }

    func line(_ key: String) -> String? {
        rows.first { $0.key == key }.map { shown($0) + "\n" }
    }

    private func shown(_ row: Row) -> String {
        let columns = [(row.key, rows.map(\.key)), (row.takes, rows.map(\.takes)), (row.standard, rows.map(\.standard))]
        let line = columns.reduce("  ") { line, column in
            // One long cell widens no other.
            let width = min(36, column.1.map(\.count).max() ?? 0)
            return line + column.0 + String(repeating: " ", count: max(0, width - column.0.count)) + (width == 0 ? "" : "  ")
        }
        return line + row.text
    }
}

/// A policy in which every section stands once, so that a load meets every option.
private struct OneOfEverything: PolicySource {
    let plugins: [String]

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        let shared = "retry: {}, timeouts: {}, limits: {}"
        let text = """
            version: 1
            server: {}
            defaults: { \(shared), breaker: {}, statistics: {}, failover: { 400: stop } }
            providers: { \(plugins.enumerated().map { "p\($0): { plugin: \"\($1)\" }" }.joined(separator: ", ")) }
            models: { m: { price: {} } }
            routes: { r: { try: { select: { max_price: {} } }, fallback_on: {}, hedge: {} } }
            keys: { k: { defaults: {} } }
            tests: [{ request: {}, expect: {} }]
            """
        return Array(text.utf8)
    }

    func environment(_ name: String) -> String? { nil }

    func glob(_ pattern: String) -> [String] { [] }
}
