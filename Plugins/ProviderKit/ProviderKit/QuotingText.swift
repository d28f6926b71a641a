import Codecs

/// A message that may repeat parts of the request. The words in them are the client's, and must not make an account or
/// a model look refused.
struct QuotingText {
    /// At most 4 KiB in lower case with plain quotation marks, up to where a server repeats the entire input.
    let bytes: [UInt8]

    init(_ text: String) {
        let plain = text.prefix(4096).map { Self.plainMarks[$0] ?? String($0) }.joined()
        let lower = TextSearch.lowercased(plain)
        let echo = Self.echoes.compactMap { TextSearch.find($0, in: lower) }.min()
        bytes = echo.map { Array(lower[..<$0]) } ?? lower
    }

    /// pydantic's errors, which vLLM and FastAPI send.
    private static let echoes = ["'input':", "\"input\":", "input_value="].map { Array($0.utf8) }

    private static let plainMarks: [Character: String] = ["‘": "'", "’": "'", "“": "\"", "”": "\"", "«": "\"", "»": "\""]

    /// The text without what it quotes and without URLs, if it may be about a field or a value of the request.
    ///
    /// A refusal of the account or a limit (401, 402, 403, 429) and a failure of the server aren't, unless they say so.
    func withoutQuotes(status: Int?) -> [UInt8] {
        let words = ErrorText(bytes)
        // A value may contain quotation marks itself, so that only the last mark is known to be outside.
        if Self.complaints.contains(where: { $0.occurs(in: words) }) { return withoutURLs(withoutSpanOfQuotes) }
        guard let status, (400..<500).contains(status), ![401, 402, 403, 429].contains(status) else { return bytes }
        return withoutURLs(withoutPairsOfQuotes)
    }

    /// What servers say of a value: serde's "unknown variant `x`, expected one of …" (DeepSeek), pydantic's "Input
    /// should be 'user' or 'assistant'" (Anthropic, vLLM), Gemini's "Unknown name" and "Invalid value at", OpenAI's
    /// "Invalid value: 'x'. Supported values are: …", Groq's "property 'x' is unsupported".
    private static let complaints: [Phrase] = [
        "unknown variant|name|field|key|property|role|type", "expected one of", "must be one of", "not one of", "one of the following",
        "input should be", "invalid value|type|enum|role|schema|json|input", "supported|allowed|permitted|valid value|role are|is",
        "property", "unexpected value|keyword|role|field", "unsupported value|role|type", "is not a valid", "is not a string",
        "value error",
        "literal error", "failed to deserialize", "validation error", "unrecognized",
    ]

    private var withoutSpanOfQuotes: [UInt8] {
        guard let first = bytes.indices.first(where: opensQuote), let last = bytes.lastIndex(where: Self.isMark) else { return bytes }
        // A quote that nothing closes goes on to the end.
        return Array(bytes[..<first]) + [ASCII.space] + (last > first ? bytes[(last + 1)...] : [])
    }

    private var withoutPairsOfQuotes: [UInt8] {
        var kept: [UInt8] = [], index = 0
        while index < bytes.count {
            guard opensQuote(index), !isMessage(index) else {
                kept.append(bytes[index])
                index += 1
                continue
            }
            let mark = bytes[index]
            let close = bytes[(index + 1)...].indices.first { bytes[$0] == mark && !isWord($0 + 1) } ?? bytes.count
            kept.append(ASCII.space)
            index = close + 1
        }
        return kept
    }

    /// Whether a quotation mark begins a quote. The apostrophe in `don't` does not.
    private func opensQuote(_ index: Int) -> Bool {
        Self.isMark(bytes[index]) && !isWord(index - 1)
    }

    /// Whether a quotation mark begins the message of another provider, as in `{'error': {'message': 'no credits'}}`.
    private func isMessage(_ index: Int) -> Bool {
        ["message': ", "message\": ", "message\":"].contains { bytes[..<index].suffix($0.utf8.count).elementsEqual($0.utf8) }
    }

    private func isWord(_ index: Int) -> Bool {
        guard bytes.indices.contains(index) else { return false }
        return ASCII.isLetter(bytes[index]) || ASCII.isDigit(bytes[index])
    }

    private static func isMark(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == ASCII.quote || byte == UInt8(ascii: "`")
    }

    private func withoutURLs(_ text: [UInt8]) -> [UInt8] {
        var text = text
        while let colon = TextSearch.find(Array("://".utf8), in: text) {
            let start = text[..<colon].lastIndex { !ASCII.isLetter($0) }.map { $0 + 1 } ?? 0
            let end = text[colon...].firstIndex { $0 <= ASCII.space } ?? text.count
            text.removeSubrange(start..<end)
        }
        return text
    }
}
