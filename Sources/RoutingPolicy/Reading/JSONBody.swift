import Codecs
import ConfigTree

/// Encodes values of a policy that become part of a request's body as JSON. No schema gives these values a type, so
/// their form decides it, and an ambiguous value is an error.
struct JSONBody {
    private var issues: [ConfigIssue] = []

    mutating func takeIssues() -> [ConfigIssue] {
        defer { issues = [] }
        return issues
    }

    /// Nil, with an issue, if the value is ambiguous.
    mutating func encoded(_ node: ConfigNode) -> [UInt8]? {
        var bytes: [UInt8] = []
        append(node, to: &bytes)
        return issues.isEmpty ? bytes : nil
    }

    private mutating func append(_ node: ConfigNode, to bytes: inout [UInt8]) {
        switch node.content {
        case .scalar(let scalar):
            if scalar.style == .quoted {
                append(scalar.text, to: &bytes)
            } else if let literal = literal(scalar, at: node.position) {
                bytes += literal.utf8
            } else {
                append(scalar.text, to: &bytes)
            }
        case .sequence(let nodes):
            bytes.append(UInt8(ascii: "["))
            for (index, node) in nodes.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(node, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .mapping(let entries):
            bytes.append(UInt8(ascii: "{"))
            for (index, entry) in entries.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(entry.key.text, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                append(entry.value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// The JSON literal that an unquoted scalar means, or nil if it is text. Reports an ambiguous scalar.
    private mutating func literal(_ scalar: ConfigScalar, at position: SourcePosition) -> String? {
        let text = scalar.text
        if scalar.isNull { return "null" }
        if text == "true" || text == "false" || isJSONNumber(text) { return text }
        let word = text.lowercased()
        if ["true", "false", "yes", "no", "on", "off", "null"].contains(word) {
            let value = word == "null" ? "null" : ["true", "yes", "on"].contains(word) ? "true" : "false"
            issues.append(
                ConfigIssue(
                    at: position, "'\(abbreviated(scalar.source))' is ambiguous: it could be text or \(value)",
                    hint: "write \(value), or '\"\(abbreviated(scalar.source))\"' for the text"))
        } else if looksLikeNumber(word) {
            let hint = "write a decimal number such as 12, 0.5 or 1e-3, or put it in quotes for text"
            issues.append(ConfigIssue(at: position, "'\(abbreviated(scalar.source))' is not a JSON number", hint: hint))
        }
        return nil
    }

    /// Source: RFC 8259, section 6.
    private func isJSONNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let integer = rest.prefix(while: ASCII.isDigit)
        guard !integer.isEmpty, integer.count == 1 || integer.first != UInt8(ascii: "0") else { return false }
        rest = rest.dropFirst(integer.count)
        if rest.first == UInt8(ascii: ".") {
            let fraction = rest.dropFirst().prefix(while: ASCII.isDigit)
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(fraction.count + 1)
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            return !rest.isEmpty && rest.allSatisfy(ASCII.isDigit)
        }
        return rest.isEmpty
    }

    /// Whether YAML's core schema reads the text as a number: `+1`, `.5`, `0x1F`, `0o7`, `.inf`, `.nan`, `007`.
    private func looksLikeNumber(_ word: String) -> Bool {
        let digits = word.drop { $0 == "+" || $0 == "-" }
        if digits == ".inf" || digits == ".nan" { return true }
        if digits.hasPrefix("0x") || digits.hasPrefix("0o") { return digits.dropFirst(2).allSatisfy(\.isHexDigit) && digits.count > 2 }
        guard let first = digits.first, first.isASCIIDigit || first == "." else { return false }
        return digits.allSatisfy { $0.isASCIIDigit || ".e+-".contains($0) } && Double(digits) != nil
    }

    private func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x20...: bytes.append(byte)
            default: bytes += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
