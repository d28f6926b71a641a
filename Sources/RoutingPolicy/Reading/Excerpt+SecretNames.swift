import Codecs
import ConfigTree

/// Finds the secrets of a line by the names before them.
extension Excerpt {
    /// The index at which the first value of a secret's name begins, for example after `{ plugin: x, api_key: `, and at
    /// which everything behind it is hidden too. Nil if there is no such value.
    ///
    /// A `:` or `=` may stand between the name and its value, or nothing but a blank: the colon was forgotten, or the
    /// line is a comment or of another language, such as `export API_KEY …`.
    ///
    /// - Parameters:
    ///   - start: where to begin.
    ///   - exempt: values that begin at these indices don't count.
    ///   - readsProse: whether a name without a colon counts anywhere in the line, not only where a key may stand.
    static func sensitiveValue(
        in line: [Unicode.Scalar], from start: Int = 0, besides exempt: [Int] = [], readsProse: Bool = true
    ) -> Int? {
        var index = start
        while index < line.count {
            let end = line[index...].firstIndex(where: isDelimiter) ?? line.count
            if end > index, let value = value(in: line, ofName: index..<end, readsProse: readsProse), !exempt.contains(value) {
                return value
            }
            index = end + 1
        }
        return nil
    }

    /// Whether a text is the name of a secret and, after a blank, the secret: the colon between them is missing.
    static func hasSecretWithoutColon(_ text: String) -> Bool {
        let text = Array(text.drop { $0 == "\"" || $0 == "'" }.unicodeScalars)
        let end = text.firstIndex(where: isDelimiter) ?? text.count
        return valueWithoutColon(in: text, ofName: 0..<end, readsProse: false) != nil
    }

    /// Whether the lines that belong to a line may be the value of its sensitive key.
    static func mayHoldSecretBelow(_ line: [Unicode.Scalar]) -> Bool {
        let comment = line.indices.first { line[$0] == "#" && ($0 == 0 || line[$0 - 1].properties.isWhitespace) }
        // The value may begin on a line below (`headers:`, `secret: |`), so "x" takes its place.
        return sensitiveValue(in: line[..<(comment ?? line.count)] + ["x"], readsProse: false) != nil
    }

    /// Whether the key's name is sensitive, or may be a misspelling of a sensitive name.
    static func isSensitive(_ key: String) -> Bool {
        let key = key.lowercased()
        return hasSecretEnding(key) || ["auth", "bearer"].contains(key) || nearest(to: key, in: ["token"]) != nil || isSecretName(key)
    }

    /// Whether the value of the key is a secret even if it is a number: `max_token: 4096` is none.
    static func isSecretName(_ key: String) -> Bool {
        nearest(to: key.lowercased(), in: secretNames) != nil
    }

    private static let secretNames = [
        "api_key", "apikey", "secret", "sha256", "headers", "password", "authorization", "x-api-key", "credentials",
    ]

    private static func hasSecretEnding(_ key: String) -> Bool {
        ["token", "secret", "password", "key"].contains { key.hasSuffix($0) }
    }

    private static func value(in line: [Unicode.Scalar], ofName range: Range<Int>, readsProse: Bool) -> Int? {
        let behind = line[range.upperBound...].firstIndex { !" \t\"'".unicodeScalars.contains($0) } ?? line.count
        guard behind < line.count, ":=：".unicodeScalars.contains(line[behind]) else {
            return valueWithoutColon(in: line, ofName: range, readsProse: readsProse)
        }
        guard let value = line[behind...].firstIndex(where: { !$0.properties.isWhitespace && !":=：".unicodeScalars.contains($0) }) else {
            return nil
        }
        let name = String(String.UnicodeScalarView(line[range]))
        // In conditions, `=` follows names such as `tokens`.
        guard line[behind] == "=" ? isSecretWord(name) : isSensitive(name) else { return nil }
        return isSecretName(name) || !isQuantity(firstWord(of: line[value...])) ? value : nil
    }

    private static func valueWithoutColon(in line: [Unicode.Scalar], ofName range: Range<Int>, readsProse: Bool) -> Int? {
        var index = range.upperBound
        if index < line.count, line[index] == "\"" || line[index] == "'" { index += 1 }
        guard let value = line[index...].firstIndex(where: { !$0.properties.isWhitespace }), value > index,
            !":,]}#".unicodeScalars.contains(line[value])
        else { return nil }
        let name = String(String.UnicodeScalarView(line[range]))
        if isKeyPlace(line[..<range.lowerBound]) { return isSensitive(name) ? value : nil }
        // After `&` and the like, the name is one of several in an expression.
        return readsProse && isSecretWord(name) && !"&|!".unicodeScalars.contains(line[value]) ? value : nil
    }

    /// Whether a key may follow a part of a line: at the beginning of a line or inside of brackets.
    private static func isKeyPlace(_ before: ArraySlice<Unicode.Scalar>) -> Bool {
        let last = before.last { !" \t\"'".unicodeScalars.contains($0) }
        return last.map { "{,[".unicodeScalars.contains($0) } ?? true
            || before.allSatisfy { " \t-{[&\"'".unicodeScalars.contains($0) }
    }

    /// Whether a word is a secret's name and not just similar to one.
    private static func isSecretWord(_ word: String) -> Bool {
        let word = word.lowercased()
        return hasSecretEnding(word) || secretNames.contains(word)
    }

    private static func isDelimiter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || "{}[](),\"'#&:=：".unicodeScalars.contains(scalar)
    }

    private static func firstWord(of line: ArraySlice<Unicode.Scalar>) -> String {
        String(String.UnicodeScalarView(line.prefix { !" \t,]}".unicodeScalars.contains($0) }))
    }
}
