import Codecs
import ConfigTree

/// The language of routes.yaml as a JSON Schema, for editors.
///
/// A schema knows no variables in place of numbers and no names of other sections, so `llm-router check` reports more.
/// Source: JSON Schema 2020-12.
extension OptionReference {
    package var jsonSchema: [UInt8] {
        var writer = JSONWriter()
        writer.object { schema in
            schema.member("$schema", "https://json-schema.org/draft/2020-12/schema")
            schema.member("title", "The policy of llm-router")
            writeBody(of: sections[0], into: &schema)
            schema.key("$defs")
            schema.object { definitions in
                for section in sections.dropFirst() where pluginName(section) == nil {
                    definitions.key(escaping: section.name)
                    definitions.object {
                        section.name == "providers" ? writeProviders(section, into: &$0) : writeBody(of: section, into: &$0)
                    }
                }
            }
        }
        return writer.bytes
    }

    private func pluginName(_ section: Section) -> String? {
        section.name.hasPrefix("providers.") ? String(section.name.dropFirst("providers.".count)) : nil
    }

    private func writeBody(of section: Section, into schema: inout JSONWriter) {
        // An included file has only a part of the top.
        let required = section.name.isEmpty ? [] : section.rows.filter(\.isRequired).map(\.key)
        Self.writeMapping(mayBeEmpty: required.isEmpty, into: &schema)
        schema.member("description", section.about)
        schema.key("properties")
        schema.object { writeProperties(section.rows, into: &$0) }
        if let status = section.rows.first(where: { $0.key == Self.statusKey }) {
            schema.key("patternProperties")
            schema.object { patterns in
                patterns.key("^[45][0-9][0-9]$")
                patterns.object { write(status, into: &$0) }
            }
        }
        if !required.isEmpty {
            schema.key("required")
            schema.array { for key in required { $0.string(key) } }
        }
        schema.member("additionalProperties", false)
    }

    /// The row that stands for every status of a response.
    private static let statusKey = "400 to 599"

    private func writeProperties(_ rows: [Row], into schema: inout JSONWriter) {
        for row in rows where row.key != Self.statusKey {
            schema.key(escaping: row.key)
            schema.object { write(row, into: &$0) }
        }
    }

    /// The plugin decides which options a provider has.
    private func writeProviders(_ section: Section, into schema: inout JSONWriter) {
        let plugins = sections.compactMap { own in pluginName(own).map { (name: $0, rows: own.rows) } }
        schema.member("type", "object")
        schema.member("description", section.about)
        schema.key("properties")
        schema.object { properties in
            properties.key("plugin")
            properties.object { plugin in
                plugin.member("description", section.rows.first { $0.key == "plugin" }?.help ?? "")
                // Editors offer those that are built in. `plugins` may load others, whose options are theirs.
                Self.writeAny(&plugin, [{ Self.writeWords(plugins.map(\.name), into: &$0) }, { $0.member("type", "string") }])
            }
        }
        schema.key("required")
        schema.array { $0.string("plugin") }
        schema.key("allOf")
        schema.array { cases in
            for own in plugins {
                cases.object { rule in
                    rule.key("if")
                    rule.object { condition in
                        condition.key("properties")
                        condition.object { properties in
                            properties.key("plugin")
                            properties.object { $0.member("const", own.name) }
                        }
                    }
                    rule.key("then")
                    rule.object { body in
                        body.key("properties")
                        body.object { writeProperties(section.rows + own.rows, into: &$0) }
                        body.member("additionalProperties", false)
                    }
                }
            }
        }
    }

    // MARK: One option

    private func write(_ row: Row, into schema: inout JSONWriter) {
        let absence = row.absence.shown.map { " (\($0))" } ?? ""
        schema.member("description", row.help + absence)
        guard let kind = row.kind else { return }
        write(kind, into: &schema)
    }

    private func write(_ kind: FieldKind, into schema: inout JSONWriter) {
        switch kind {
        case .text, .address: writeScalar(&schema)
        case .texts: writeOneOrMore(&schema) { self.writeScalar(&$0) }
        case .bool: writeValueOrVariable(&schema) { $0.member("type", "boolean") }
        case .word(let words): writeValueOrVariable(&schema) { Self.writeWords(words, into: &$0) }
        case .words(let words): writeOneOrMore(&schema) { item in self.writeValueOrVariable(&item) { Self.writeWords(words, into: &$0) } }
        case .integer(let range, _):
            writeValueOrVariable(&schema) { number in
                number.member("type", "integer")
                number.member("minimum", range.lowerBound)
                if range.upperBound < countRange.upperBound { number.member("maximum", range.upperBound) }
            }
        case .number(let range, _), .money(let range):
            writeValueOrVariable(&schema) { number in
                number.member("type", "number")
                number.key("minimum")
                number.double(range.lowerBound)
                number.key("maximum")
                number.double(range.upperBound)
            }
        case .duration: writeValueOrVariable(&schema) { Self.writePattern("^[0-9]+(ms|s|m|h)$", into: &$0) }
        case .size: writeValueOrVariable(&schema) { Self.writePattern("^[0-9]+(B|KiB|MiB|GiB)$", into: &$0) }
        case .other(let words): write(words, into: &schema)
        }
    }

    /// The words before `see SECTION` say how the section is written, and a number is the only value. Everything
    /// else is left to `llm-router check`.
    private func write(_ words: String, into schema: inout JSONWriter) {
        if let number = Int(words) { return writeValueOrVariable(&schema) { $0.member("const", number) } }
        guard let see = words.firstRange(of: "see ") else { return }
        let rest = words[see.upperBound...]
        let name = String(rest.prefix { $0 != "," })
        guard sections.contains(where: { $0.name == name }) else { return }
        func reference(_ schema: inout JSONWriter) { schema.member("$ref", "#/$defs/\(name)") }
        switch String(words[..<see.lowerBound]) {
        case "":
            guard let word = rest.firstRange(of: ", or ").map({ String(rest[$0.upperBound...]) }) else { return reference(&schema) }
            Self.writeAny(&schema, [reference, { Self.writeWords([word], into: &$0) }])
        case "by name; ":
            Self.writeMapping(mayBeEmpty: true, into: &schema)
            schema.key("additionalProperties")
            schema.object(reference)
        case "list; ", "a list; ":
            writeOneOrMore(&schema, reference)
        case "a step or a list of steps; ", "an address or a list; ":
            writeOneOrMore(&schema) { step in Self.writeAny(&step, [{ self.writeScalar(&$0) }, reference]) }
        case "US dollars, or ":
            Self.writeAny(&schema, [{ $0.member("type", "number") }, reference])
        default:
            break
        }
    }

    /// A text. YAML takes some texts for numbers or truth values; here the option says that they are texts.
    private func writeScalar(_ schema: inout JSONWriter) {
        schema.key("type")
        schema.array { for type in ["string", "number", "boolean"] { $0.string(type) } }
    }

    private func writeOneOrMore(_ schema: inout JSONWriter, _ item: @escaping (inout JSONWriter) -> Void) {
        Self.writeAny(
            &schema,
            [
                item,
                { list in
                    list.member("type", "array")
                    list.key("items")
                    list.object(item)
                },
            ])
    }

    private func writeValueOrVariable(_ schema: inout JSONWriter, _ value: @escaping (inout JSONWriter) -> Void) {
        Self.writeAny(&schema, [value, { Self.writePattern("\\$\\{", into: &$0) }])
    }

    private static func writeAny(_ schema: inout JSONWriter, _ choices: [(inout JSONWriter) -> Void]) {
        schema.key("anyOf")
        schema.array { for choice in choices { $0.object(choice) } }
    }

    private static func writePattern(_ pattern: String, into schema: inout JSONWriter) {
        schema.member("type", "string")
        schema.member("pattern", pattern)
    }

    /// A key without a value stands for an empty mapping.
    private static func writeMapping(mayBeEmpty: Bool, into schema: inout JSONWriter) {
        guard mayBeEmpty else { return schema.member("type", "object") }
        schema.key("type")
        schema.array { for type in ["object", "null"] { $0.string(type) } }
    }

    /// YAML 1.1 takes `on` and `off` for truth values.
    private static func writeWords(_ words: [String], into schema: inout JSONWriter) {
        schema.key("enum")
        schema.array { list in
            for word in words { list.string(word) }
            if words.contains("on") { list.bool(true) }
            if words.contains("off") { list.bool(false) }
        }
    }
}

extension OptionReference.Row {
    fileprivate var isRequired: Bool { if case .required = absence { true } else { false } }
}
