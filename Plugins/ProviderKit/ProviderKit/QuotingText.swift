import Codecs

/// A message that may repeat parts of the request. The words in them are the client's, and must not make an account or
/// a model look refused.
struct QuotingText {
    /// At most 4 KiB in lower case with plain quotation marks and Latin letters without accents, up to where a server
    /// repeats the entire input.
    let bytes: [UInt8]

    init(_ text: String) {
        let lower = Self.plain(text)
        let echo = Self.echoes.compactMap { TextSearch.find($0, in: lower) }.min()
        bytes = echo.map { Array(lower[..<$0]) } ?? lower
    }

    /// pydantic's errors, which vLLM and FastAPI send.
    private static let echoes = ["'input':", "\"input\":", "input_value="].map { Array($0.utf8) }

    /// At most 4 KiB of a text in lower case, with plain marks and letters.
    static func plain(_ text: String) -> [UInt8] {
        TextSearch.lowercased(text.prefix(4096).lowercased().map { plainForms[$0] ?? String($0) }.joined())
    }

    private static let plainForms: [Character: String] = {
        let marks = [("‘’‚", "'"), ("“”„«»", "\""), ("—–…\u{A0}\u{202F}", " "), ("。！？", ". "), ("，、；", ", "), ("：", ": ")]
        let letters = [
            ("àáâãäå", "a"), ("ç", "c"), ("èéêë", "e"), ("ìíîï", "i"), ("ñ", "n"), ("òóôõö", "o"), ("ùúûü", "u"), ("ß", "ss"), ("œ", "oe"),
            ("ё", "е"),
        ]
        let pairs = (marks + letters).flatMap { characters, plain in characters.map { ($0, plain) } }
        return Dictionary(uniqueKeysWithValues: pairs)
    }()

    /// The text without what it quotes, if it may be about a field or a value of the request.
    ///
    /// A refusal of the account or a limit (401, 402, 403, 429) and a failure of the server aren't, unless they say so.
    func withoutQuotes(status: Int) -> ErrorText {
        // A value may contain quotation marks itself, so that only the last mark is known to be outside.
        if isComplaint { return ErrorText(withoutValues(Self.withoutURLs(withoutSpanOfQuotes))) }
        guard Self.isAboutRequest(status) else { return ErrorText(Self.refusals.contains(status) ? bytes : Self.withoutURLs(bytes)) }
        let text = Self.withoutURLs(bytes)
        return ErrorText(Self.removing(Self.quotes(in: text), from: text))
    }

    /// The text in which what it quotes is marked, under the same condition.
    func withQuotes(status: Int) -> ErrorText {
        guard isComplaint || Self.isAboutRequest(status) else { return withoutQuotes(status: status) }
        let text = Self.withoutURLs(bytes)
        return ErrorText(text, quotes: Self.quotes(in: text) + (isComplaint ? Self.values(in: text).map { $0.first } : []))
    }

    /// The statuses of a refusal of the account and of a limit. Only their links say something, such as Gemini's to the
    /// page about limits.
    private static let refusals: Set = [401, 402, 403, 429]

    private static func isAboutRequest(_ status: Int) -> Bool {
        (400..<500).contains(status) && !refusals.contains(status)
    }

    private var isComplaint: Bool {
        let words = ErrorText(bytes)
        return Self.complaints.contains { $0.occurs(in: words) }
    }

    /// What servers say of a value: serde's "unknown variant `x`, expected one of …" (DeepSeek), pydantic's "Input
    /// should be 'user' or 'assistant'" (Anthropic, vLLM), Gemini's "Unknown name" and "Invalid value at", OpenAI's
    /// "Invalid value: 'x'. Supported values are: …", Groq's "property 'x' is unsupported".
    private static let complaints: [Phrase] = [
        "unknown variant|name|field|key|property|role|type", "unknown part|block|item|message type", "expected one of", "must be one of",
        "not one of", "one of the following",
        "input should be", "invalid value|type|enum|role|schema|json|input", "supported|allowed|permitted|valid value|role are|is",
        "property", "unexpected value|keyword|role|field", "unsupported value|role|type", "is not a valid", "is not a string",
        "value error",
        "literal error", "failed to deserialize", "validation error", "unrecognized",
    ]

    private var withoutSpanOfQuotes: [UInt8] {
        guard let first = bytes.indices.first(where: { Self.opensQuote(bytes, $0) }), let last = bytes.lastIndex(where: Self.isMark) else {
            return bytes
        }
        // A quote that nothing closes goes on to the end.
        return Array(bytes[..<first]) + [ASCII.space] + (last > first ? bytes[(last + 1)...] : [])
    }

    /// The ranges between pairs of quotation marks.
    private static func quotes(in text: [UInt8]) -> [Range<Int>] {
        var quotes: [Range<Int>] = [], index = 0
        while index < text.count {
            guard opensQuote(text, index), !isMessage(text, index) else {
                index += 1
                continue
            }
            let mark = text[index]
            let close = text[(index + 1)...].indices.first { text[$0] == mark && !isWord(text, $0 + 1) } ?? text.count
            quotes.append(index..<min(close + 1, text.count))
            index = close + 1
        }
        return quotes
    }

    private static func removing(_ ranges: [Range<Int>], from text: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = [], start = 0
        for range in ranges {
            kept += text[start..<range.lowerBound] + [ASCII.space]
            start = range.upperBound
        }
        return kept + text[start...]
    }

    /// The values without quotation marks, as in `Invalid role: x`: up to the next blank, and up to the end of the
    /// sentence.
    private static func values(in text: [UInt8]) -> [(first: Range<Int>, whole: Range<Int>)] {
        fields.flatMap { field -> [(first: Range<Int>, whole: Range<Int>)] in
            var values: [(first: Range<Int>, whole: Range<Int>)] = [], start = 0
            while let found = TextSearch.find(field, in: text, from: start) {
                start = found + field.count
                guard found == 0 || !isWord(text, found - 1) else { continue }
                let blank = text[start...].firstIndex { $0 <= ASCII.space } ?? text.count
                let end =
                    text[start...].indices.first { ".,;".utf8.contains(text[$0]) && ($0 + 1 == text.count || text[$0 + 1] <= ASCII.space) }
                    ?? text.count
                values.append((start..<blank, start..<end))
            }
            return values
        }
    }

    /// What precedes the value that a complaint is about.
    private static let fields = ["role", "value", "type", "enum", "name", "key", "variant"].map { Array("\($0): ".utf8) }

    private func withoutValues(_ text: [UInt8]) -> [UInt8] {
        let values = Self.values(in: text).map { $0.whole }.sorted { $0.lowerBound < $1.lowerBound }
        var end = 0
        let separate = values.filter { value in
            defer { end = max(end, value.upperBound) }
            return value.lowerBound >= end
        }
        return Self.removing(separate, from: text)
    }

    /// Whether a quotation mark begins a quote. The apostrophe in `don't` does not.
    private static func opensQuote(_ text: [UInt8], _ index: Int) -> Bool {
        isMark(text[index]) && !isWord(text, index - 1)
    }

    /// Whether a quotation mark begins the message of another provider, as in `{'error': {'message': 'no credits'}}`.
    private static func isMessage(_ text: [UInt8], _ index: Int) -> Bool {
        messages.contains { text[..<index].suffix($0.utf8.count).elementsEqual($0.utf8) }
    }

    private static let messages = ["message", "msg", "error", "detail"].flatMap { ["\($0)': ", "\($0)\": ", "\($0)\":"] }

    private static func isWord(_ text: [UInt8], _ index: Int) -> Bool {
        guard text.indices.contains(index) else { return false }
        return ASCII.isLetter(text[index]) || ASCII.isDigit(text[index])
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == ASCII.quote || byte == UInt8(ascii: "`")
    }

    /// The text with the word `url` in the place of each URL.
    private static func withoutURLs(_ text: [UInt8]) -> [UInt8] {
        var text = text
        while let colon = TextSearch.find(Array("://".utf8), in: text) {
            let start = text[..<colon].lastIndex { !ASCII.isLetter($0) }.map { $0 + 1 } ?? 0
            let end = text[colon...].firstIndex { $0 <= ASCII.space || isMark($0) || ")>]".utf8.contains($0) } ?? text.count
            text.replaceSubrange(start..<end, with: "url".utf8)
        }
        return text
    }
}
