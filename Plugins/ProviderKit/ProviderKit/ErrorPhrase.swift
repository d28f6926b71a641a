import Codecs

/// A message of an upstream, as words that phrases are compared with: in lower case, without punctuation and endings,
/// and with one form for each negation. "The model's limits aren't supported" is `the model s limit are not support`.
struct ErrorText {
    struct Word {
        /// The word without `s` at its end.
        let form: String
        /// The word without the endings `s` and `ed`.
        let stem: String
        /// Whether a blank is before the word, or nothing.
        var startsRun: Bool
        /// Whether a comma or the end of a sentence follows.
        var endsClause = false
        /// Whether the word is in a quote, which may be the client's.
        var isQuoted = false

        func isOne(of choices: Set<String>) -> Bool { choices.contains(form) || choices.contains(stem) }
    }

    private(set) var words: [Word] = []
    /// The forms and stems, so that most phrases are dismissed without a search.
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
        vocabulary = Set(words.flatMap { [$0.form, $0.stem] })
    }

    /// The words of a run of letters: `isn`, which `'t` follows, is `is not`, and `cannot` is `can not`. The `t` alone
    /// is no word.
    private static func words(_ letters: ArraySlice<UInt8>, isNegation: Bool, startsRun: Bool, isQuoted: Bool) -> [Word] {
        let text = String(decoding: letters, as: UTF8.self)
        if text == "t" { return [] }
        let isNegated = isNegation || text == "cannot"
        let word = isNegated ? text == "cannot" || text == "can" ? "can" : String(text.dropLast()) : text
        let form = form(word)
        let stem = form.hasSuffix("ed") && form.utf8.count >= 7 ? String(form.dropLast(2)) : form
        let first = Word(form: form, stem: stem, startsRun: startsRun, isQuoted: isQuoted)
        return [first] + (isNegated ? [Word(form: "not", stem: "not", startsRun: true, isQuoted: isQuoted)] : [])
    }

    /// A word without `s` at its end, if at least three letters remain.
    private static func form(_ word: String) -> String {
        word.hasSuffix("s") && !word.hasSuffix("ss") && word.utf8.count > 3 ? String(word.dropLast()) : word
    }
}

/// A phrase of error messages, as whole words. An `s` at their end doesn't count. A word without `ed` stands for the
/// one with it too: `exceed` for `exceeded`, but `blocked` not for the `block` of a message's content.
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
/// without blanks between words is found anywhere; there `…` is at most 64 bytes.
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
    private static let maxGapBytes = 64

    private let parts: [Part]
    /// The bytes to be found as they are, in this order; empty for a phrase of words.
    private let pieces: [[UInt8]]

    init(stringLiteral text: String) {
        let isVerbatim = text.replacing("…", with: "").utf8.contains { $0 >= 0x80 }
        pieces = isVerbatim ? text.split(separator: "…").map { TextSearch.lowercased(String($0.trimmingBlanks())) } : []
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
                        choice == "<medium>" ? Array(Self.media) : ErrorText(TextSearch.lowercased(String(choice))).words.map(\.form)
                    }
                    if choices.count > 1 { return [.words(Set(choices.joined()))] }
                    return choices.joined().map { .words([$0]) }
                }
            }
    }

    func occurs(in text: ErrorText) -> Bool {
        guard pieces.isEmpty else { return occursVerbatim(in: text.bytes) }
        for part in parts {
            if case .words(let choices) = part, !choices.contains(where: text.vocabulary.contains) { return false }
            if case .term(let choices) = part, choices.isDisjoint(with: text.vocabulary) { return false }
        }
        return text.words.indices.contains { matches(parts[...], text.words, at: $0, isQuoted: true) }
    }

    private func occursVerbatim(in text: [UInt8]) -> Bool {
        guard let first = pieces.first, var end = TextSearch.find(first, in: text).map({ $0 + first.count }) else { return false }
        for piece in pieces.dropFirst() {
            guard let next = TextSearch.find(piece, in: text, from: end, gap: Self.maxGapBytes) else { return false }
            end = next + piece.count
        }
        return true
    }

    /// - Parameter isQuoted: whether all words so far are quoted.
    private func matches(_ parts: ArraySlice<Part>, _ words: [ErrorText.Word], at index: Int, isQuoted: Bool) -> Bool {
        guard let part = parts.first else { return !isQuoted }
        let rest = parts.dropFirst()
        let isAfterClause = index > 0 && words[index - 1].endsClause
        switch part {
        case .words(let choices):
            return index < words.count && words[index].isOne(of: choices)
                && matches(rest, words, at: index + 1, isQuoted: isQuoted && words[index].isQuoted)
        case .term(let choices):
            return index < words.count && words[index].startsRun && words[index].isOne(of: choices)
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
    /// What a model may not support of a request, without `s`.
    static let features = media.union([
        "tool", "function", "vision", "multimodal", "modality", "system", "developer", "assistant", "stream", "streaming", "temperature",
        "top", "response", "json", "schema", "structured", "reasoning", "thinking", "logprob", "logit", "seed", "stop", "frequency",
        "presence", "parallel", "prefill", "grammar", "guided", "budget", "caching", "search", "speech",
    ])

    /// The media of a message's parts, without `s`.
    static let media: Set<String> = ["image", "audio", "video", "file", "document", "pdf", "picture"]
}
