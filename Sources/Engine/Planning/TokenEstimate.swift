/// Estimates the number of tokens of a text from its bytes in one pass, without a vocabulary and without allocations,
/// in 2 to 2.5 µs per KB.
///
/// Each character adds hundredths of a token, depending on its kind and on the text before it (`TextCosts`). The costs
/// were fitted to the mean count of five vocabularies (OpenAI's o200k_base, and those of Llama 3, Qwen, DeepSeek and
/// Mistral's Tekken) and then raised by 2 %. A slightly high estimate is safer: everything that cannot be counted here
/// (media, a provider's preamble, the template around tools) makes the prompt longer, and some servers silently
/// truncate a prompt that is too long. A much higher estimate would do harm: it could exclude the last model that fits,
/// while a call to a model whose context is too small costs only one attempt before a model with a larger context takes
/// over.
///
/// The table shows the error on texts of 0.3 to 6 KB that were not part of the fit: for all of them together ("all"),
/// the mean error of a single text ("mean"), and the range of nine texts out of ten. The columns after that
/// show the error for all of them together against single vocabularies.
///
/// | texts (count) | all | mean | nine of ten | o200k | Llama 3 | Qwen | DeepSeek | Tekken | cl100k |
/// |---|---|---|---|---|---|---|---|---|---|
/// | English (395) | +2 % | 4 % | -5 to +10 % | +4 | +3 | +1 | +1 | -1 | +3 |
/// | Russian (400) | +5 % | 7 % | -5 to +18 % | +15 | +4 | -3 | +4 | +4 | -24 |
/// | Chinese (258) | +2 % | 5 % | -5 to +10 % | +1 | -3 | +16 | +25 | -16 | -30 |
/// | Swift (285) | +2 % | 4 % | -4 to +9 % | +4 | +4 | +3 | -1 | -1 | +4 |
/// | Python (189) | +3 % | 5 % | -6 to +13 % | +6 | +7 | +4 | 0 | -1 | +7 |
/// | JSON (120) | +3 % | 3 % | -3 to +8 % | +5 | +5 | +3 | +1 | 0 | +5 |
///
/// The English, Russian and Chinese texts are manuals, news, reviews and aphorisms. The worst single texts are tables
/// of characters, at -26 %. For other languages, whose texts were partly in the fit, the error is within 7 %, except
/// for Persian (+9 %), Vietnamese (+11 %), Czech (+15 %) and Ukrainian (-15 %, because its letters cost as much as
/// Russian ones).
package struct TokenEstimate: Sendable {
    /// The frame of a message, including its role: `<|im_start|>role\n…<|im_end|>\n` in ChatML,
    /// `<|start_header_id|>role<|end_header_id|>\n\n…<|eot_id|>` in Llama 3.
    package static let ofMessage = 5
    /// The text that makes the model begin its response: `<|im_start|>assistant\n`.
    package static let ofReply = 3
    /// The overhead of a message's `name`. Source: OpenAI's cookbook, "How to count tokens with tiktoken".
    package static let ofName = 1
    /// The frame around the name and arguments of a tool call: 7 to 12 in the templates of OpenAI, Qwen and Llama 3.
    package static let ofCall = 8

    private var hundredths = 0

    package init() {}

    /// The estimate, rounded up.
    package var tokens: Int { (hundredths &+ 99) / 100 }

    /// Adds tokens that are not part of a text.
    package mutating func add(tokens: Int) { hundredths &+= tokens &* 100 }

    /// Adds a text within valid JSON: the content between a string's quotes, or complete values as they are written. An
    /// escape counts as the character that it represents.
    package mutating func addText(_ range: Range<Int>, of json: RawSpan) {
        let text = json.extracting(range.clamped(to: 0..<json.byteCount))
        hundredths &+= text.withUnsafeBytes { Self.hundredths(of: $0) }
    }

    /// The tokens of a response of which only the length is known: four bytes per token, which is OpenAI's rule of
    /// thumb for English. This is rough, because other scripts need more bytes per token, and the framing of chunks
    /// counts too.
    package static func tokens(ofBytes bytes: Int) -> Int {
        (bytes &+ 3) / 4
    }

    private static func hundredths(of text: UnsafeRawBufferPointer) -> Int {
        let table = TextCosts.table
        return table.columns.withUnsafeBufferPointer { columns in
            table.steps.withUnsafeBufferPointer { steps in
                var sum = 0
                var row = 0
                var i = 0
                while i < text.count {
                    var byte = text[i]
                    i &+= 1
                    if byte == UInt8(ascii: "\\") {
                        byte = firstByte(ofEscape: text, &i)
                    } else if byte >= 0xc0 {
                        i &+= byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
                    }
                    let step = steps[row &+ Int(columns[Int(byte)])]
                    sum &+= Int(step.cost)
                    row = Int(step.row)
                }
                return sum
            }
        }
    }

    /// The first UTF-8 byte of the character that an escape represents, or a continuation byte for the second half of a
    /// surrogate pair. `i` is the position after the backslash.
    private static func firstByte(ofEscape text: UnsafeRawBufferPointer, _ i: inout Int) -> UInt8 {
        guard i < text.count else { return UInt8(ascii: "\\") }
        let letter = text[i]
        i &+= 1
        switch letter {
        case UInt8(ascii: "n"): return 0x0a
        case UInt8(ascii: "r"): return 0x0d
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0c
        case UInt8(ascii: "u"): break
        default: return letter
        }
        var unit: UInt32 = 0
        let end = min(i &+ 4, text.count)
        while i < end {
            let digit = text[i]
            unit = unit << 4 | UInt32(digit < 0x40 ? digit & 0x0f : (digit & 0x07) &+ 9)
            i &+= 1
        }
        switch unit {
        case ..<0x80: return UInt8(truncatingIfNeeded: unit)
        case ..<0x800: return UInt8(truncatingIfNeeded: 0xc0 | unit >> 6)
        case 0xd800..<0xdc00: return 0xf0
        case 0xdc00..<0xe000: return 0x80
        default: return UInt8(truncatingIfNeeded: 0xe0 | unit >> 12)
        }
    }
}
