import Codecs

/// A phrase of error messages, as whole words. An `s` at their end doesn't count. A word without `ed` stands for the
/// one with it too, and `is` for every form of it: `key is revoked` for "keys have been revoked".
///
/// | sign | meaning |
/// |---|---|
/// | `a\|b` | one of these words |
/// | `a*` | a word that begins so |
/// | `_` | at most one run of characters without a blank, such as a model's name |
/// | `…` | at most 12 words, without a comma and without the end of a sentence |
/// | `a ~ b` | the words of both sides in either order, with at most 4 words in between, as with `…` |
/// | `^` | the beginning of the message, or of what follows a comma or a sentence |
/// | `$` | a comma, or the end of a sentence |
/// | `<name>` | one of the words that the table has under this name |
/// | `<feature>`, `<medium>` | the same; alone only at the start of a run |
///
/// At least one word of a match is not quoted: what a message only quotes is the client's. A phrase in Chinese or
/// Japanese, which have no blanks between words, is found anywhere; there `…` is at most 64 bytes, `~` at most 24.
struct Phrase: ExpressibleByStringLiteral, Sendable {
    private enum Part {
        case words(Choices)
        case feature(Choices)
        case run
        case gap(Int)
        case start
        case end

        /// Whether a text has the words of this part anywhere.
        func mayOccur(in text: ErrorText) -> Bool {
            switch self {
            case .words(let choices), .feature(let choices): choices.occur(in: text)
            case .run, .gap, .start, .end: true
            }
        }
    }

    /// One of several words.
    private struct Choices {
        var words: Set<String> = []
        /// What a word may begin with.
        var beginnings: [String] = []

        func contains(_ word: ErrorText.Word) -> Bool {
            words.contains(word.form) || words.contains(word.stem) || beginnings.contains(where: word.form.hasPrefix)
        }

        func occur(in text: ErrorText) -> Bool {
            words.contains(where: text.vocabulary.contains)
                || !beginnings.isEmpty && text.words.contains { word in beginnings.contains(where: word.form.hasPrefix) }
        }
    }

    private static let maxGap = 12
    private static let maxDistance = 4
    private static let maxGapBytes = 64
    private static let maxDistanceBytes = 24

    /// The phrase, or both of its orders; empty for a phrase without blanks between words.
    private let orders: [[Part]]
    /// The alternatives to be found as they are, in this order, or in both.
    private let pieces: [[[[UInt8]]]]
    private let gapBytes: Int

    init(stringLiteral text: String) {
        let sides = text.split(separator: "~").map(String.init), isReversible = sides.count == 2
        // From the radicals of Chinese and Japanese on, but not the syllables of Korean, which has blanks.
        let isVerbatim = text.unicodeScalars.contains { 0x2E80..<0xAC00 ~= $0.value || 0xF900..<0xFB00 ~= $0.value }
        gapBytes = isReversible ? Self.maxDistanceBytes : Self.maxGapBytes
        if isVerbatim {
            let separator: Character = isReversible ? "~" : "…"
            let pieces = text.split(separator: separator).map { piece in
                piece.split(separator: "|").map { TextSearch.lowercased(String($0.trimmingBlanks())) }
            }
            orders = []
            self.pieces = isReversible ? [pieces, pieces.reversed()] : [pieces]
        } else {
            pieces = []
            let parts = sides.map { $0.split(separator: " ").flatMap { Self.parts(String($0)) } }
            orders =
                isReversible ? [parts[0] + [.gap(Self.maxDistance)] + parts[1], parts[1] + [.gap(Self.maxDistance)] + parts[0]] : parts
        }
    }

    private static func parts(_ token: String) -> [Part] {
        switch token {
        case "_": return [.run]
        case "…": return [.gap(maxGap)]
        case "^": return [.start]
        case "$": return [.end]
        case "<feature>", "<medium>": return [.feature(choices(token))]
        default:
            if token.contains("|") || token.contains("*") || token.hasPrefix("<") { return [.words(choices(token))] }
            return ErrorText(TextSearch.lowercased(token)).words.map { .words(Choices(words: [$0.form])) }
        }
    }

    private static func choices(_ token: String) -> Choices {
        token.split(separator: "|").reduce(into: Choices()) { choices, choice in
            if choice.hasPrefix("<") {
                let named = self.choices(ErrorFamily.words[String(choice.dropFirst().dropLast())] ?? "")
                choices.words.formUnion(named.words)
                choices.beginnings += named.beginnings
            } else if choice.hasSuffix("*") {
                choices.beginnings.append(String(choice.dropLast()))
            } else {
                choices.words.formUnion(ErrorText(TextSearch.lowercased(String(choice))).words.map(\.form))
            }
        }
    }

    func occurs(in text: ErrorText) -> Bool {
        pieces.contains { Self.occur($0[...], in: text.bytes, from: 0, gap: nil, next: gapBytes) }
            || orders.contains { parts in
                parts.allSatisfy { $0.mayOccur(in: text) }
                    && text.words.indices.contains { matches(parts[...], text.words, at: $0, isQuoted: true) }
            }
    }

    /// - Parameters:
    ///   - gap: the most bytes before the first piece; nil for any number.
    ///   - next: the most bytes before each of the others.
    private static func occur(_ pieces: ArraySlice<[[UInt8]]>, in text: [UInt8], from start: Int, gap: Int?, next: Int) -> Bool {
        guard let piece = pieces.first else { return true }
        return piece.contains { choice in
            var start = start
            while let found = TextSearch.find(choice, in: text, from: start, gap: gap ?? .max) {
                start = found + choice.count
                if occur(pieces.dropFirst(), in: text, from: start, gap: next, next: next) { return true }
                if gap != nil { return false }
            }
            return false
        }
    }

    /// - Parameter isQuoted: whether all words so far are quoted.
    private func matches(_ parts: ArraySlice<Part>, _ words: [ErrorText.Word], at index: Int, isQuoted: Bool) -> Bool {
        guard let part = parts.first else { return !isQuoted }
        let rest = parts.dropFirst()
        let isAfterClause = index > 0 && words[index - 1].endsClause
        switch part {
        case .words(let choices):
            return index < words.count && choices.contains(words[index])
                && matches(rest, words, at: index + 1, isQuoted: isQuoted && words[index].isQuoted)
        case .feature(let choices):
            return index < words.count && words[index].startsRun && choices.contains(words[index])
                && matches(rest, words, at: index + 1, isQuoted: isQuoted && words[index].isQuoted)
        case .run:
            if matches(rest, words, at: index, isQuoted: isQuoted) { return true }
            guard index < words.count, !isAfterClause else { return false }
            let end = words[(index + 1)...].firstIndex(where: \.startsRun) ?? words.count
            return matches(rest, words, at: end, isQuoted: isQuoted)
        case .gap(let count):
            for next in index...min(index + count, words.count) {
                if next > 0, words[next - 1].endsClause { return false }
                if matches(rest, words, at: next, isQuoted: isQuoted) { return true }
            }
            return false
        case .start:
            return (index == 0 || isAfterClause) && matches(rest, words, at: index, isQuoted: isQuoted)
        case .end:
            return isAfterClause && matches(rest, words, at: index, isQuoted: isQuoted)
        }
    }
}
