/// What the names of providers, models, routes and keys may be.
package enum PolicyName {
    /// Why a text can't be a name, as a message continues; nil if it can.
    package static func problem(with text: String, mayHaveSlash: Bool = false, mayBeWildcard: Bool = false) -> String? {
        let literal = mayBeWildcard && text.hasSuffix("*") ? String(text.dropLast()) : text
        if text.isEmpty { return "is empty" }
        if !text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) { return "contains a space or another character outside visible ASCII" }
        if let mark = literal.first(where: { "*?,!&\"'\\".contains($0) }) {
            return mayBeWildcard && mark == "*"
                ? "has a '*' that is not at its end" : "contains '\(mark)', which has a special meaning in patterns, expressions or lists"
        }
        if text.contains("/"), !mayHaveSlash { return "contains '/', which separates a provider from its model" }
        if text.hasPrefix("tag:") { return "begins with 'tag:', which is the prefix of tags" }
        if text.utf8.count > 128 { return "is longer than 128 characters" }
        return nil
    }

    package static let hint = "use letters, digits, '-', '_', '.' and ':'"
}
