import Codecs

/// A message of an upstream, as words that phrases are compared with: in lower case, without punctuation and endings,
/// and with one form for each negation. "The model's limits aren't supported" is `the model s limit are not support`.
struct ErrorText {
    struct Word {
        /// The word without the endings `s` and `ed`.
        let stem: String
        /// Whether a blank is before the word, or nothing.
        var startsRun: Bool
        /// Whether a comma or the end of a sentence follows.
        var endsClause = false
        /// Whether the word is in a quote, which may be the client's.
        var isQuoted = false
    }

    private(set) var words: [Word] = []
    /// The stems, so that most phrases are dismissed without a search.
    let vocabulary: Set<String>
    /// The text in lower case, for the phrases of languages without blanks between words.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - bytes: a text in lower case, with plain apostrophes.
    ///   - quotes: what the text quotes from the request.
    init(_ bytes: [UInt8], quotes: [Range<Int>] = []) {
        self.bytes = bytes
        var start = 0
        var startsRun = true
        for index in 0...bytes.count {
            let byte = index < bytes.count ? bytes[index] : ASCII.space
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte >= 0x80 { continue }
            if start < index {
                let isNegation =
                    byte == UInt8(ascii: "'") && bytes[index - 1] == UInt8(ascii: "n") && bytes[index...].starts(with: "'t".utf8)
                let isQuoted = quotes.contains { $0.contains(start) }
                words += Self.words(bytes[start..<index], isNegation: isNegation, startsRun: startsRun, isQuoted: isQuoted)
                startsRun = false
            }
            start = index + 1
            let isBlank = byte <= ASCII.space
            if isBlank { startsRun = true }
            let next = start < bytes.count ? bytes[start] : ASCII.space
            if ".,;!?".utf8.contains(byte), next <= ASCII.space, !words.isEmpty { words[words.count - 1].endsClause = true }
        }
        if !words.isEmpty { words[words.count - 1].endsClause = true }
        vocabulary = Set(words.map(\.stem))
    }

    /// The words of a run of letters: `isn`, which `'t` follows, is `is not`, and `cannot` is `can not`. The `t` alone
    /// is no word.
    private static func words(_ letters: ArraySlice<UInt8>, isNegation: Bool, startsRun: Bool, isQuoted: Bool) -> [Word] {
        let text = String(decoding: letters, as: UTF8.self)
        if text == "t" { return [] }
        let isNegated = isNegation || text == "cannot"
        let word = isNegated ? text == "cannot" || text == "can" ? "can" : String(text.dropLast()) : text
        let first = Word(stem: stem(word), startsRun: startsRun, isQuoted: isQuoted)
        return [first] + (isNegated ? [Word(stem: "not", startsRun: true, isQuoted: isQuoted)] : [])
    }

    /// A word without `s` and `ed` at its end, if at least three and five letters remain: `use` and `used`, `exceed`.
    private static func stem(_ word: String) -> String {
        var stem = word[...]
        if stem.hasSuffix("s"), !stem.hasSuffix("ss"), stem.utf8.count > 3 { stem.removeLast() }
        return String(stem.hasSuffix("ed") && stem.utf8.count >= 7 ? stem.dropLast(2) : stem)
    }
}

/// A phrase of error messages, as whole words, whose endings don't count.
///
/// | sign | meaning |
/// |---|---|
/// | `a\|b` | one of these words |
/// | `_` | at most one run of characters without a blank, such as a model's name |
/// | `…` | at most 12 words, without a comma and without the end of a sentence |
/// | `^` | the beginning of the message, or of what follows a comma or a sentence |
/// | `$` | a comma, or the end of a sentence |
/// | `<feature>` | a part of a request that a model may not support, at the start of a run |
/// | `<medium>` | a medium, at the start of a run; as one of several words anywhere |
///
/// At least one word of a match is not quoted: what a message only quotes is the client's. A phrase in a language
/// without blanks between words is found anywhere.
struct Phrase: ExpressibleByStringLiteral, Sendable {
    private enum Part {
        case words(Set<String>)
        case term(Set<String>)
        case run
        case gap
        case start
        case end
    }

    private static let maxGap = 12

    private let parts: [Part]
    /// The bytes to be found as they are; empty for a phrase of words.
    private let bytes: [UInt8]

    init(stringLiteral text: String) {
        let lower = TextSearch.lowercased(text)
        let isVerbatim = text.replacing("…", with: "").utf8.contains { $0 >= 0x80 }
        bytes = isVerbatim ? lower : []
        parts =
            isVerbatim
            ? []
            : text.split(separator: " ").flatMap { token -> [Part] in
                switch token {
                case "_": return [.run]
                case "…": return [.gap]
                case "^": return [.start]
                case "$": return [.end]
                case "<feature>": return [.term(Self.features)]
                case "<medium>": return [.term(Self.media)]
                default:
                    let choices = token.split(separator: "|").map { choice in
                        choice == "<medium>" ? Array(Self.media) : ErrorText(TextSearch.lowercased(String(choice))).words.map(\.stem)
                    }
                    if choices.count > 1 { return [.words(Set(choices.joined()))] }
                    return choices.joined().map { .words([$0]) }
                }
            }
    }

    func occurs(in text: ErrorText) -> Bool {
        guard bytes.isEmpty else { return TextSearch.find(bytes, in: text.bytes) != nil }
        for part in parts {
            if case .words(let choices) = part, !choices.contains(where: text.vocabulary.contains) { return false }
            if case .term(let choices) = part, choices.isDisjoint(with: text.vocabulary) { return false }
        }
        return text.words.indices.contains { matches(parts[...], text.words, at: $0, isQuoted: true) }
    }

    /// - Parameter isQuoted: whether all words so far are quoted.
    private func matches(_ parts: ArraySlice<Part>, _ words: [ErrorText.Word], at index: Int, isQuoted: Bool) -> Bool {
        guard let part = parts.first else { return !isQuoted }
        let rest = parts.dropFirst()
        let isAfterClause = index > 0 && words[index - 1].endsClause
        switch part {
        case .words(let choices):
            return index < words.count && choices.contains(words[index].stem)
                && matches(rest, words, at: index + 1, isQuoted: isQuoted && words[index].isQuoted)
        case .term(let choices):
            return index < words.count && words[index].startsRun && choices.contains(words[index].stem)
                && matches(rest, words, at: index + 1, isQuoted: isQuoted && words[index].isQuoted)
        case .run:
            if matches(rest, words, at: index, isQuoted: isQuoted) { return true }
            guard index < words.count, !isAfterClause else { return false }
            let end = words[(index + 1)...].firstIndex(where: \.startsRun) ?? words.count
            return matches(rest, words, at: end, isQuoted: isQuoted)
        case .gap:
            for next in index...min(index + Self.maxGap, words.count) {
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

extension Phrase {
    /// What a model may not support of a request, as stems.
    static let features = media.union([
        "tool", "function", "vision", "multimodal", "modality", "system", "developer", "assistant", "stream", "streaming", "temperature",
        "top", "response", "json", "schema", "structur", "reasoning", "thinking", "logprob", "logit", "seed", "stop", "frequency",
        "presence", "parallel", "prefill", "grammar", "guided", "budget", "caching", "search", "speech",
    ])

    /// The media of a message's parts, as stems.
    static let media: Set<String> = ["image", "audio", "video", "file", "document", "pdf", "picture"]
}
