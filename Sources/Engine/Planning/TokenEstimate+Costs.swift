/// The cost of each character, depending on its kind and on the text before it. The table is an automaton whose rows
/// are contexts and whose columns are kinds, so that each character takes one lookup.
struct TextCosts {
    struct Step {
        /// The start of the next row.
        var row: UInt16
        /// In hundredths of a token.
        var cost: UInt16
    }

    /// The column of a character, by its first byte.
    let columns: [UInt8]
    /// The steps, by the start of a row plus a column.
    let steps: [Step]

    static let table = TextCosts()

    private init() {
        columns = (0...UInt8.max).map { TextKind(firstByte: $0).rawValue }
        let contexts = TextContext.all
        let rows = Dictionary(uniqueKeysWithValues: contexts.enumerated().map { ($1, UInt16($0 * TextKind.allCases.count)) })
        steps = contexts.flatMap { context in
            TextKind.allCases.map { kind in Step(row: rows[context.next(kind)] ?? 0, cost: context.cost(of: kind)) }
        }
    }
}

extension TextContext {
    /// In hundredths of a token, as are the costs below.
    fileprivate func cost(of kind: TextKind) -> UInt16 {
        switch kind {
        case .inside: 0
        case .lowercase: lowercaseCost
        case .uppercase: uppercaseCost
        case .latin: isLatin ? 214 : 119
        case .vietnamese: isLatin ? 0 : 117
        case .cyrillic: cyrillicCost
        case .digit: digitCost
        case .space: self == .space ? 126 : isBlank ? 1 : isLineStart ? 74 : 0
        case .newline: isLineStart ? 25 : isPunctuation ? 20 : 115
        case .tab: self == .tab ? 52 : 126
        case .punctuation: punctuationCost
        case .apostrophe: isLatin ? 67 : 46
        case .underscore: 31
        case .symbol: self == .symbol ? 38 : 54
        case .letter: self == .letter ? 47 : 94
        case .indic: self == .indic ? 82 : 128
        case .kana: self == .kana ? 60 : 42
        case .han: self == .han ? 65 : 143
        case .hangul: self == .hangul ? 60 : 111
        case .fullwidth: 128
        case .emoji: 202
        }
    }

    /// The first letter accounts for nearly all of a word's cost, because a common word of any length is one token,
    /// together with the space before it.
    private var lowercaseCost: UInt16 {
        if case .word(let length) = self { return length < 4 ? 0 : length < 8 ? 2 : 33 }
        if case .capitals(let length) = self { return length == 1 ? 0 : 121 }
        if case .digits = self { return 74 }
        if isBlank { return 93 }
        if isLineStart { return 106 }
        return isPunctuation ? 108 : 102
    }

    private var uppercaseCost: UInt16 {
        // A capital after one or two letters more often belongs to a key or a hash than to a name.
        if case .word(let length) = self { return length < 3 ? 189 : 96 }
        if case .capitals(let length) = self { return length == 1 ? 0 : 5 }
        if isBlank { return 104 }
        if isLineStart { return 162 }
        return isPunctuation ? 93 : 140
    }

    private var cyrillicCost: UInt16 {
        if case .cyrillic(let length) = self { return length < 3 ? 17 : length < 6 ? 36 : length < 9 ? 9 : 0 }
        return isBlank ? 102 : 107
    }

    /// Vocabularies contain single digits or groups of up to three digits, but hardly ever with a space before them.
    private var digitCost: UInt16 {
        if case .digits(let length) = self { return length < 3 ? 54 : 115 }
        return isBlank ? 181 : 111
    }

    private var punctuationCost: UInt16 {
        if case .punctuation(let length) = self { return length == 1 ? 24 : 4 }
        if self == .space { return 96 }
        return isLatin || isCyrillic ? 86 : 83
    }
}
