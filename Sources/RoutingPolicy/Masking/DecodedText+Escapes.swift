import Codecs

/// An escaped character in a text.
private enum Escape {
    /// The character, and the number of bytes that it takes.
    case character(UInt32, length: Int)
    /// The text ends within the escape.
    case cut
}

extension DecodedText {
    /// Whether a text may have escapes, or hexadecimal digits with `0x` before each byte.
    static func hasEscapes(_ text: [UInt8]) -> Bool {
        text.contains(where: beginsEscape) || zip(text, text.dropFirst()).contains { $0 == ASCII.zero && $1 | 0x20 == UInt8(ascii: "x") }
    }

    /// The text with one level of all escapes resolved; nil if it has none.
    var unescaped: DecodedText? {
        guard bytes.contains(where: Self.beginsEscape) else { return nil }
        var text = DecodedText(decoding: self, isFromDigits: false)
        var index = 0, isChanged = false
        while index < count {
            switch Self.beginsEscape(bytes[index]) ? escape(at: index) : nil {
            case .character(let value, let length):
                for byte in Self.utf8(value) { text.append(byte, from: index..<(index + length), of: self) }
                index += length
                isChanged = true
            case .cut:
                text.extendLast(to: count, of: self)
                return isChanged ? text : nil
            case nil:
                text.append(bytes[index], from: index..<(index + 1), of: self)
                index += 1
            }
        }
        return isChanged ? text : nil
    }

    private static func beginsEscape(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "%") || byte == ASCII.backslash || byte == UInt8(ascii: "&")
    }

    private static func utf8(_ value: UInt32) -> [UInt8] {
        value < 0x80 ? [UInt8(truncatingIfNeeded: value)] : Array(String(Unicode.Scalar(value) ?? "\u{FFFD}").utf8)
    }

    private func escape(at index: Int) -> Escape? {
        switch bytes[index] {
        case UInt8(ascii: "%"): percent(at: index)
        case UInt8(ascii: "&"): entity(at: index)
        default: backslash(at: index)
        }
    }

    private func byte(_ index: Int) -> UInt8? { index < count ? bytes[index] : nil }

    /// `%41`. Source: RFC 3986, 2.1. `%u0041`. Source: ECMAScript, `escape`.
    private func percent(at index: Int) -> Escape? {
        guard let next = byte(index + 1) else { return .cut }
        return next | 0x20 == UInt8(ascii: "u") ? digits(at: index, after: 2, count: 4) : digits(at: index, after: 1, count: 2)
    }

    /// `\u0041` and `\/`. Source: RFC 8259, section 7. `\x41`, `\u{41}`, `\U00000041` and `\101` are those of
    /// programming languages.
    private func backslash(at index: Int) -> Escape? {
        guard let next = byte(index + 1) else { return .cut }
        switch next {
        case UInt8(ascii: "u"), UInt8(ascii: "U"), UInt8(ascii: "x"), UInt8(ascii: "X"):
            if byte(index + 2) == ASCII.openBrace { return digits(at: index, after: 3, count: 1...8, end: ASCII.closeBrace) }
            return digits(at: index, after: 2, count: next == UInt8(ascii: "U") ? 8 : next == UInt8(ascii: "u") ? 4 : 2)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            let octal = bytes[(index + 1)...].prefix(3).prefix { 0x30...0x37 ~= $0 }
            return .character(octal.reduce(0) { $0 << 3 | UInt32($1 & 7) }, length: 1 + octal.count)
        case UInt8(ascii: "n"): return .character(0x0A, length: 2)
        case UInt8(ascii: "r"): return .character(0x0D, length: 2)
        case UInt8(ascii: "t"): return .character(0x09, length: 2)
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return .character(UInt32(next), length: 2)
        default: return nil
        }
    }

    /// `&#65;`, `&#x41;` and `&amp;`. Source: the HTML standard, "Character references"; the `;` may be missing.
    private func entity(at index: Int) -> Escape? {
        guard let next = byte(index + 1) else { return .cut }
        guard next == UInt8(ascii: "#") else { return namedEntity(at: index) }
        guard let next = byte(index + 2) else { return .cut }
        if next | 0x20 == UInt8(ascii: "x") {
            return digits(at: index, after: 3, count: 1...12, end: UInt8(ascii: ";"), isEndOptional: true)
        }
        return digits(at: index, after: 2, count: 1...12, radix: 10, end: UInt8(ascii: ";"), isEndOptional: true)
    }

    private func namedEntity(at index: Int) -> Escape? {
        let name = bytes[(index + 1)...].prefix(Self.maxNameBytes).prefix { ASCII.isLetter($0) }
        guard name.endIndex < count else { return .cut }
        guard bytes[name.endIndex] == UInt8(ascii: ";"), let character = Self.names[String(decoding: name, as: UTF8.self)] else {
            return nil
        }
        return .character(character.value, length: name.count + 2)
    }

    /// The names of the ASCII characters that HTML has names for. Source: the HTML standard, "Named character
    /// references".
    private static let names: [String: Unicode.Scalar] = [
        "amp": "&", "AMP": "&", "lt": "<", "LT": "<", "gt": ">", "GT": ">", "quot": "\"", "QUOT": "\"", "apos": "'", "sol": "/",
        "bsol": "\\",
        "plus": "+", "equals": "=", "period": ".", "comma": ",", "colon": ":", "semi": ";", "lowbar": "_", "UnderBar": "_", "num": "#",
        "percnt": "%", "excl": "!", "quest": "?", "dollar": "$", "ast": "*", "midast": "*", "lpar": "(", "rpar": ")", "lsqb": "[",
        "lbrack": "[", "rsqb": "]", "rbrack": "]", "lcub": "{", "lbrace": "{", "rcub": "}", "rbrace": "}", "verbar": "|", "vert": "|",
        "VerticalLine": "|", "grave": "`", "DiacriticalGrave": "`", "commat": "@", "Hat": "^",
    ]
    private static let maxNameBytes = 16

    /// An escape that is a number.
    ///
    /// - Parameters:
    ///   - index: the start of the escape.
    ///   - prefix: the number of bytes before the digits.
    ///   - end: the byte after the digits; nil if there is none.
    private func digits(
        at index: Int, after prefix: Int, count digits: ClosedRange<Int>, radix: UInt32 = 16, end: UInt8? = nil, isEndOptional: Bool = false
    ) -> Escape? {
        let run = bytes[min(index + prefix, count)...].prefix(digits.upperBound).prefix {
            (radix == 10 ? ASCII.digit : ASCII.hexDigit)($0) != nil
        }
        let isCut = run.endIndex == count && run.count < digits.upperBound
        guard run.count >= digits.lowerBound else { return isCut ? .cut : nil }
        var value: UInt32 = 0
        for digit in run { value = value &* radix &+ UInt32(ASCII.hexDigit(digit) ?? 0) }
        guard let end else { return .character(value, length: prefix + run.count) }
        if byte(run.endIndex) == end { return .character(value, length: prefix + run.count + 1) }
        if run.endIndex == count, !isEndOptional { return .cut }
        return isEndOptional ? .character(value, length: prefix + run.count) : nil
    }

    private func digits(at index: Int, after prefix: Int, count digits: Int) -> Escape? {
        self.digits(at: index, after: prefix, count: digits...digits)
    }
}
