import Codecs

/// A message of an upstream, as words that phrases are compared with: in lower case, without punctuation and endings,
/// and with one form for each negation and for all forms of "to be". "The model's limits haven't been reached" is
/// `the model s limit is not reach`.
struct ErrorText {
    struct Word {
        /// The word without `s` at its end.
        fileprivate(set) var form: String
        /// The word without the endings `s` and `ed`.
        fileprivate(set) var stem: String
        /// Whether a blank is before the word, or nothing.
        let startsRun: Bool
        /// Whether a comma or the end of a sentence follows.
        fileprivate(set) var endsClause = false
        /// Whether the word is in a quote, which may be the client's.
        let isQuoted: Bool

        fileprivate init(_ text: String, startsRun: Bool, isQuoted: Bool) {
            form = ErrorText.form(text)
            stem = form.hasSuffix("ed") && form.utf8.count >= 6 ? String(form.dropLast(2)) : form
            (self.startsRun, self.isQuoted) = (startsRun, isQuoted)
        }
    }

    private(set) var words: [Word] = []
    /// The forms and stems, so that most phrases are dismissed without a search.
    let vocabulary: Set<String>
    /// The text in lower case, for the phrases of languages without blanks between words.
    let bytes: [UInt8]

    /// - Parameters:
    ///   - bytes: a text in lower case, with plain apostrophes, and without accents.
    ///   - quotes: what the text quotes from the request.
    init(_ bytes: [UInt8], quotes: [Range<Int>] = []) {
        self.bytes = bytes
        var words: [Word] = [], start = 0, startsRun = true
        for index in 0...bytes.count {
            let byte = index < bytes.count ? bytes[index] : ASCII.space
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte >= 0x80 { continue }
            if start < index {
                let isNegation =
                    byte == UInt8(ascii: "'") && bytes[index - 1] == UInt8(ascii: "n") && bytes[index...].starts(with: "'t".utf8)
                let isQuoted = quotes.contains { $0.contains(start) }
                Self.add(bytes[start..<index], isNegation: isNegation, startsRun: startsRun, isQuoted: isQuoted, to: &words)
                startsRun = false
            }
            start = index + 1
            let isBlank = byte <= ASCII.space
            if isBlank { startsRun = true }
            let next = start < bytes.count ? bytes[start] : ASCII.space
            if ".,;!?".utf8.contains(byte), next <= ASCII.space, !words.isEmpty { words[words.count - 1].endsClause = true }
        }
        if !words.isEmpty { words[words.count - 1].endsClause = true }
        self.words = words
        vocabulary = Set(words.flatMap { [$0.form, $0.stem] })
    }

    /// Adds the words of a run of letters: `isn`, which `'t` follows, is `is not`, `cannot` is `can not`, `has been` is
    /// `is`. The `t` alone is no word.
    private static func add(
        _ letters: ArraySlice<UInt8>, isNegation: Bool, startsRun: Bool, isQuoted: Bool, to words: inout [Word]
    ) {
        let text = String(decoding: letters, as: UTF8.self)
        if text == "t" { return }
        if text == "been" {
            let auxiliary = words.last?.form == "not" ? words.count - 2 : words.count - 1
            if auxiliary >= 0, ["has", "have", "had"].contains(words[auxiliary].form) {
                (words[auxiliary].form, words[auxiliary].stem) = ("is", "is")
                return
            }
        }
        let isNegated = isNegation || text == "cannot"
        let word = isNegated ? text == "cannot" || text == "can" ? "can" : String(text.dropLast()) : text
        words.append(Word(word, startsRun: startsRun, isQuoted: isQuoted))
        if isNegated { words.append(Word("not", startsRun: true, isQuoted: isQuoted)) }
    }

    /// A word without `s` at its end, if at least three letters remain, and with `y` for `ies`.
    private static func form(_ word: String) -> String {
        if ["are", "was", "were", "been"].contains(word) { return "is" }
        if word.hasSuffix("ies"), word.utf8.count > 4 { return String(word.dropLast(3)) + "y" }
        return word.hasSuffix("s") && !word.hasSuffix("ss") && word.utf8.count > 3 ? String(word.dropLast()) : word
    }
}
