/// The kind of a character, as far as its first byte determines it.
enum TextKind: UInt8, CaseIterable {
    case lowercase, uppercase, digit, space, newline, tab, apostrophe, underscore
    /// All other ASCII.
    case punctuation
    /// Not the first byte of a character: the second half of an escaped surrogate pair.
    case inside
    /// U+0080 to U+00BF and U+2000 to U+2FFF: quotes, dashes, arrows, box drawing.
    case symbol
    /// Latin letters with diacritics, up to U+027F.
    case latin
    /// U+1000 to U+1FFF, where most texts are Vietnamese.
    case vietnamese
    case cyrillic
    /// Greek, Hebrew, Arabic and the other two-byte scripts.
    case letter
    /// U+0800 to U+0FFF: Indic scripts and Thai.
    case indic
    /// U+3000 to U+3FFF, which includes Chinese punctuation.
    case kana
    case han, hangul, fullwidth
    /// All characters of four bytes.
    case emoji

    init(firstByte byte: UInt8) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): self = .lowercase
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): self = .uppercase
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self = .digit
        case UInt8(ascii: " "): self = .space
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"): self = .newline
        case UInt8(ascii: "\t"): self = .tab
        case UInt8(ascii: "'"): self = .apostrophe
        case UInt8(ascii: "_"): self = .underscore
        case ..<0x80: self = .punctuation
        case ..<0xc0: self = .inside
        case 0xc2, 0xe2: self = .symbol
        case ..<0xca: self = .latin
        case 0xd0...0xd3: self = .cyrillic
        case ..<0xe0: self = .letter
        case 0xe0: self = .indic
        case 0xe1: self = .vietnamese
        case 0xe3: self = .kana
        case ..<0xea: self = .han
        case ..<0xef: self = .hangul
        case 0xef: self = .fullwidth
        default: self = .emoji
        }
    }
}

/// The text before a character, as far as the character's cost depends on it. An associated number is the length of the
/// run that ends there, up to the length from which on the cost no longer changes.
enum TextContext: Hashable {
    case start, space, spaces, newline, indent, tab
    case digits(Int), punctuation(Int)
    /// A run of Latin letters, which may begin with one or two capitals.
    case word(Int)
    case capitals(Int)
    case cyrillic(Int)
    case symbol, letter, indic, kana, han, hangul, other

    /// From this length on, every further letter costs the same.
    static let longestWord = 9

    static let all: [TextContext] =
        [.start, .space, .spaces, .newline, .indent, .tab, .symbol, .letter, .indic, .kana, .han, .hangul, .other]
        + (1...3).map { .digits($0) } + (1...2).map { .punctuation($0) } + (1...longestWord).map { .word($0) }
        + (1...2).map { .capitals($0) }
        + (1...10).map { .cyrillic($0) }

    func next(_ kind: TextKind) -> TextContext {
        switch kind {
        case .inside: return self
        case .lowercase, .latin, .vietnamese:
            if case .word(let length) = self { return .word(min(length + 1, Self.longestWord)) }
            if case .capitals(let length) = self { return .word(length + 1) }
            return .word(1)
        case .uppercase:
            if case .capitals = self { return .capitals(2) }
            return .capitals(1)
        case .cyrillic:
            if case .cyrillic(let length) = self { return .cyrillic(min(length + 1, 10)) }
            return .cyrillic(1)
        case .digit:
            if case .digits(let length) = self { return .digits(length % 3 + 1) }
            return .digits(1)
        case .punctuation:
            if case .punctuation = self { return .punctuation(2) }
            return .punctuation(1)
        case .space:
            if isLineStart || self == .indent { return .indent }
            return isBlank ? .spaces : .space
        case .newline: return .newline
        case .tab: return .tab
        case .symbol: return .symbol
        case .letter: return .letter
        case .indic: return .indic
        case .kana: return .kana
        case .han: return .han
        case .hangul: return .hangul
        case .apostrophe, .underscore, .fullwidth, .emoji: return .other
        }
    }

    var isLineStart: Bool { self == .start || self == .newline }

    var isBlank: Bool { [.space, .spaces, .indent, .tab].contains(self) }

    var isPunctuation: Bool { if case .punctuation = self { true } else { false } }

    /// Whether the character before is a Latin letter.
    var isLatin: Bool {
        if case .word = self { return true }
        if case .capitals = self { return true }
        return false
    }

    var isCyrillic: Bool { if case .cyrillic = self { true } else { false } }
}
