internal import Codecs

/// A value in a policy file that is being written.
package indirect enum DraftValue: Sendable, Equatable {
    /// Text, whatever it looks like.
    case text(String)
    /// Text in which `${NAME}` stands for a variable.
    case template(String)
    case bool(Bool)
    case int(Int)
    case number(Double)
    case null
    case list([DraftValue])
    case mapping([DraftField])

    /// A list of texts; nil if there are none.
    package static func texts(_ texts: [String]) -> DraftValue? { texts.isEmpty ? nil : .list(texts.map(DraftValue.text)) }

    /// `${NAME}`.
    package static func variable(_ name: String) -> DraftValue { .template("${\(name)}") }

    /// A time as policies write it: `30s`, or `1500ms`. Less than a millisecond counts as one.
    static func seconds(_ seconds: Double) -> DraftValue? {
        guard seconds > 0, seconds <= 86_400 else { return nil }
        let milliseconds = max(1, Int((seconds * 1000).rounded()))
        return .text(milliseconds.isMultiple(of: 1000) ? "\(milliseconds / 1000)s" : "\(milliseconds)ms")
    }

    /// On one line, as it may stand behind a key and inside of brackets.
    package var yaml: String {
        switch self {
        case .text(let text): Self.quoted(text.replacing("${", with: "$${"))
        case .template(let text): Self.quoted(text)
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .number(let value): Self.decimal(value)
        case .null: "null"
        case .list(let values): "[\(values.map(\.yaml).joined(separator: ", "))]"
        case .mapping(let fields): fields.isEmpty ? "{}" : "{ \(fields.map(\.yaml).joined(separator: ", ")) }"
        }
    }

    /// A text, in quotes if it could mean something else without them.
    static func quoted(_ text: String) -> String {
        isPlain(text) ? text : "\"\(text.unicodeScalars.map(escaped).joined())\""
    }

    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, ASCII.isLetter(first) || "/_".utf8.contains(first) || ASCII.isDigit(first) else { return false }
        return text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "-_./@+~:".utf8.contains($0) } && text.last != ":"
            && !isOtherType(text)
    }

    /// Whether YAML or a reader of JSON values would take the text for a number, a truth value or nothing.
    private static func isOtherType(_ text: String) -> Bool {
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"].contains(text.lowercased()) || Double(text) != nil
    }

    private static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"", "\\": "\\\(scalar)"
        case "\n": "\\n"
        case "\t": "\\t"
        case _ where scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}":
            "\\U" + Hex.encoded((0..<4).map { UInt8(truncatingIfNeeded: scalar.value >> (24 - 8 * $0)) })
        default: String(scalar)
        }
    }

    /// A number without an exponent, with at most nine decimal places.
    private static func decimal(_ value: Double) -> String {
        guard abs(value) < 1e9 else { return "\(value)" }
        let (whole, rest) = Int((abs(value) * 1e9).rounded()).quotientAndRemainder(dividingBy: 1_000_000_000)
        var fraction = String(1_000_000_000 + rest).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return (value < 0 ? "-" : "") + (fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)")
    }
}

/// A key with its value.
package struct DraftField: Sendable, Equatable {
    package let key: String
    package let value: DraftValue

    package init(_ key: String, _ value: DraftValue) { (self.key, self.value) = (key, value) }

    var yaml: String { "\(DraftValue.quoted(key)): \(value.yaml)" }
}
