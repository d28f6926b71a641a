/// Texts in the place of a secret: what documentation shows there.
enum Placeholder {
    static let hint = "write the secret itself, best as a variable: \"${NAME}\""

    /// Whether a text stands for a secret: `sk-...`, `your-api-key`, `<key>`, `xxxx`, `changeme`.
    static func isOne(_ text: String) -> Bool {
        let text = text.lowercased()
        let letters = text.filter { $0.isLetter || $0.isNumber }
        if text.utf8.count >= 3, Set(text.drop { !"x*.#".contains($0) }).count == 1, text.hasSuffix("xxx") || letters.isEmpty {
            return true
        }
        return text.contains("...") || text.contains("xxxx") || text.contains("****") || text.first == "<" && text.last == ">"
            || text.first == "[" && text.last == "]"
            || ["your", "changeme", "replaceme", "insert", "placeholder", "apikeyhere", "keyhere", "enteryour", "todo"].contains {
                letters.hasPrefix($0) || letters.hasPrefix("sk\($0)") || letters.hasSuffix($0)
            }
    }
}
