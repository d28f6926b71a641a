import ConfigTree

/// The reference of routes.yaml as a document: `docs/reference.md`.
extension OptionReference {
    package var markdown: String {
        let introduction = """
            # The options of routes.yaml

            <!-- Made by 'make reference' from the descriptors in Sources/RoutingPolicy. Don't edit it. -->

            Every option of a policy file, section by section, as `llm-router help config` prints them.
            [policy.md](policy.md) explains the language, and [routes.yaml](../routes.yaml) shows it.

            """
        return introduction + sections.map(\.markdown).joined()
    }
}

extension OptionReference.Section {
    fileprivate var markdown: String {
        let rows = rows.map { row in
            let cells = [
                "`\(row.key)`", Self.cell(row.kind?.description ?? ""), Self.cell(row.absence.written), Self.cell(row.help),
            ]
            return "| \(cells.joined(separator: " | ")) |\n"
        }
        let title = name.isEmpty ? "Top level" : "`\(name)`"
        let text = name.isEmpty ? "" : "\(about.prefix(1).uppercased())\(about.dropFirst()).\n\n"
        return "\n## \(title)\n\n\(text)| option | takes | default | meaning |\n|---|---|---|---|\n\(rows.joined())"
    }

    /// A text in a cell of a table, without what Markdown would take for markup.
    private static func cell(_ text: String) -> String {
        String(text.flatMap { "|<>*_\\`".contains($0) ? "\\\($0)" : "\($0)" })
    }
}

extension OptionAbsence {
    /// As a column of defaults shows it.
    fileprivate var written: String {
        switch self {
        case .required: "required"
        case .value(let text), .words(let text): text
        case .unstated: ""
        }
    }
}
