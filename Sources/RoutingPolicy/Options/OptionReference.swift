import ConfigTree
package import ProviderKit

/// The whole language of routes.yaml, one line for each option: `llm-router help config`.
package struct OptionReference {
    struct Section {
        var name: String
        var about: String
        var rows: [Row]
        /// Keys of later versions.
        var reserved: [String] = []
    }

    struct Row {
        var key: String
        var kind: FieldKind?
        var absence: OptionAbsence
        var help: String
    }

    let sections: [Section]

    package init(plugins: [any ProviderPlugin.Type]) {
        let providers = ProviderDefinition.section.reference
        let own = plugins.map { Self.section(of: $0) }.sorted { $0.name < $1.name }
        sections =
            [
                RoutingPolicy.section.reference, ListenerDefinition.section.reference, ListenerTLS.section.reference,
                ServerSettings.section.reference, LogSettings.section.reference, AccessLogSettings.section.reference,
                TelemetrySettings.section.reference, OTLPSettings.section.reference,
                PolicyDefaults.section.reference,
            ]
            + [
                Timeouts.section.reference, Retry.section.reference, BreakerSettings.section.reference, Limits.section.reference,
                Failover.section.reference, StatisticsSettings.section.reference, providers,
            ] + own
            + [
                ModelDefinition.section.reference, Price.section.reference, RouteDefinition.section.reference,
                StepOptions.section.reference, Selector.section.reference, MaxPrice.section.reference, FallbackChains.section.reference,
                HedgeOptions.section.reference, RouteCondition.section.reference, Sticky.section.reference, KeyDefinition.section.reference,
                Budget.section.reference, RoutingOverrides.section.reference, StateSettings.section.reference,
                RoutingExpectation.section.reference, ExpectedRequest.section.reference,
                RoutingExpectation.Expected.section.reference,
            ]
    }

    /// The options that a plugin reads besides those of every provider.
    private static func section(of plugin: any ProviderPlugin.Type) -> Section {
        var fields = FieldReader([], at: SourcePosition(file: "", line: 1, column: 1))
        plugin.readOptionNames(&fields)
        return Section(
            name: "providers.\(plugin.name)", about: "what 'plugin: \(plugin.name)' takes in addition",
            rows: fields.known.map { field in
                Row(
                    key: printable(field.key), kind: printable(field.kind),
                    absence: field.defaultText.map { .value(printable($0)) } ?? .unstated, help: printable(field.text ?? ""))
            })
    }

    private static func printable(_ kind: FieldKind?) -> FieldKind? {
        switch kind {
        case .word(let words): .word(words.map(printable))
        case .words(let words): .words(words.map(printable))
        case .other(let words): .other(printable(words))
        case .integer(let range, let unit): .integer(range, unit: unit.map(printable))
        case .number(let range, let unit): .number(range, unit: unit.map(printable))
        case .text, .texts, .bool, .money, .duration, .size, .address, nil: kind
        }
    }

    /// A plugin's text, which is one from outside, without control characters.
    private static func printable(_ text: String) -> String {
        let isPlain = text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        return isPlain ? text : String(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : Character($0) })
    }

    /// All options, section by section; or those that `path` means: a section (`retry`), an option (`weight`), or both
    /// (`models.weight`, `defaults.retry.jitter`). nil if it means none.
    ///
    /// - Parameter width: the columns of the terminal; nil for lines of any length.
    package func text(_ path: String? = nil, width: Int? = nil) -> String? {
        let width = width.map { max($0, 40) } ?? .max
        func text(_ section: Section) -> String { section.text(width) }
        guard let path else { return sections.map(text).joined(separator: "\n") }
        // A section, with those below it: `providers` with each plugin's own options.
        let named = sections.filter { !path.isEmpty && "\($0.name).".hasPrefix("\(path).") }
        if !named.isEmpty { return named.map(text).joined(separator: "\n") }
        let parts = path.split(separator: ".").map(String.init)
        guard let last = parts.last else { return nil }
        let whole = sections.filter { $0.names.last == last }.map(text)
        // Names of models, routes and so on may be in between.
        let owner = parts.dropLast().last { part in sections.contains { $0.names.contains(part) } }
        if owner == nil, !whole.isEmpty { return whole.joined(separator: "\n") }
        let lines = sections.filter { section in owner.map(section.names.contains) ?? true }.compactMap { section in
            section.line(last, width).map { "\(section.heading(width))\n\($0)" }
        }
        return lines.isEmpty ? nil : (lines + whole).joined(separator: "\n")
    }

    /// The names of the options that a plugin reads besides those of every provider.
    package func options(ofPlugin name: String) -> [String] {
        sections.first { $0.name == "providers.\(name)" }?.rows.map(\.key) ?? []
    }

    /// The section or option that a path without a meaning may stand for.
    package func suggestion(for path: String) -> String? {
        let names = sections.flatMap { [$0.name] + $0.rows.map(\.key) }
        return path.split(separator: ".").last.flatMap { nearest(to: String($0), in: names) }
    }
}

extension ProviderPlugin {
    /// Declares the plugin's options in a reader without any.
    fileprivate static func readOptionNames(_ fields: inout FieldReader) {
        _ = readOptions(&fields)
    }
}

extension OptionReference.Row {
    fileprivate var takes: String { kind?.description ?? "" }

    /// What applies if the option is absent.
    fileprivate var applies: String { absence.shown ?? "" }
}

extension OptionReference.Section {
    fileprivate func heading(_ width: Int) -> String {
        (name.isEmpty ? about : "\(name): \(about)").wrapped(indent: 4, width: width)
    }

    /// The names that a path may use: `providers` and `demo` of `providers.demo`.
    fileprivate var names: [String] { name.split(separator: ".").map(String.init) }

    fileprivate func text(_ width: Int) -> String {
        ([heading(width)] + rows.map { shown($0, width) }).joined(separator: "\n") + "\n"
    }

    fileprivate func line(_ key: String, _ width: Int) -> String? {
        rows.first { $0.key == key }.map { shown($0, width) + "\n" }
    }

    private func shown(_ row: OptionReference.Row, _ width: Int) -> String {
        let columns = [(row.key, rows.map(\.key)), (row.takes, rows.map(\.takes)), (row.applies, rows.map(\.applies))]
        let line = columns.reduce("  ") { line, column in
            // One long cell must not widen the others.
            let width = min(36, column.1.map(\.count).max() ?? 0)
            return line + column.0 + String(repeating: " ", count: max(0, width - column.0.count)) + (width == 0 ? "" : "  ")
        }
        // Beside wide columns, the help would be a tower of words.
        guard line.count + 24 <= width || line.count + row.help.count <= width else {
            let cells = [row.takes, row.applies].filter { !$0.isEmpty }.joined(separator: "; ")
            let key = "  \(row.key)" + String(repeating: " ", count: max(2, 14 - row.key.count))
            return cells.wrapped(after: key, indent: 16, width: width) + "\n"
                + row.help.wrapped(after: String(repeating: " ", count: 16), indent: 16, width: width)
        }
        return row.help.wrapped(after: line, indent: line.count, width: width)
    }
}
