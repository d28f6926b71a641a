import ConfigTree

/// A character outside ASCII where only ASCII is allowed. Most look like another one, which the author of a file most
/// likely meant: a letter or a digit of another alphabet, a typographic quotation mark or dash, a space other than the
/// usual one, or a character without a width.
struct LookAlike {
    /// The column, from 1.
    let column: Int
    let scalar: Unicode.Scalar
    /// Whether it is part of a word in another alphabet, in which it stands for itself.
    private let isPartOfWord: Bool

    /// The first one in a line that may be the cause of an issue.
    ///
    /// - Parameters:
    ///   - place: the column of the issue, from 1; nil if the cause may be anywhere in the line. Then a character
    ///     counts only if it looks like another.
    ///   - isName: whether a word is a name of the language. A word that is spelled entirely in another alphabet is
    ///     only suspicious if it looks like such a name.
    init?(in line: [Unicode.Scalar], at place: Int?, isName: (String) -> Bool) {
        guard line.contains(where: { !$0.isASCII }) else { return nil }
        for word in LookAlike.words(of: line) {
            if let place, !(word.startIndex...word.endIndex).contains(place - 1) { continue }
            let looks = LookAlike.plain(String(String.UnicodeScalarView(word)))
            let letters = word.filter { $0.properties.isAlphabetic }
            let isForeign = !letters.isEmpty && letters.allSatisfy { !$0.isASCII }
            let first = word.firstIndex { LookAlike.meant($0) != nil }
            // A word in another alphabet is no misspelling of one in ASCII, unless all of it looks like one.
            let isWord =
                isForeign && first.map { word[$0].properties.isAlphabetic } != false
                && (place == nil ? !isName(String(looks.prefix { $0 != ":" })) : !looks.utf8.allSatisfy { $0 < 0x80 })
            if isWord, place == nil { continue }
            guard let index = isWord ? word.firstIndex(where: { !$0.isASCII }) : first ?? word.firstIndex(where: { !$0.isASCII }),
                place != nil || LookAlike.meant(word[index]) != nil
            else { continue }
            isPartOfWord = isWord
            self.column = index + 1
            self.scalar = word[index]
            return
        }
        return nil
    }

    /// What a report says about it. One character is named even if it is part of a secret.
    var hint: String {
        let code = String(scalar.value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
        let name = scalar.properties.name.map { " (\($0))" } ?? ""
        let meant =
            switch isPartOfWord ? nil : LookAlike.meant(scalar) {
            case ""?: "is invisible: remove it"
            case " "?: "looks like a space: write a space"
            case let text?: "looks like '\(text)': write '\(text)'"
            case nil: "is not ASCII: names, numbers and variables consist of ASCII characters"
            }
        return "column \(column) has U+\(padded)\(name), which \(meant)"
    }

    /// The parts of a line between ASCII spaces and brackets, without a comment. A text in quotes is one part.
    private static func words(of line: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
        var words: [ArraySlice<Unicode.Scalar>] = []
        var start = 0
        while start < line.count {
            if line[start] == "#", start == 0 || line[start - 1] == " " { break }
            var end = start
            if line[start] == "\"" || line[start] == "'", let close = line[(start + 1)...].firstIndex(of: line[start]) { end = close }
            if line[start] == "$", start + 1 < line.count, line[start + 1] == "{", let close = line[start...].firstIndex(of: "}") {
                end = close + 1
            }
            end = line[end...].firstIndex { " \t,[]{}".unicodeScalars.contains($0) } ?? line.count
            if end > start { words.append(line[start..<end]) }
            start = end + 1
        }
        return words
    }

    /// The text with what a person takes its characters for.
    static func plain(_ text: String) -> String {
        text.unicodeScalars.map { meant($0) ?? String($0) }.joined()
    }

    /// What a person takes a character for; empty for one without a width, nil for one that is like no other.
    static func meant(_ scalar: Unicode.Scalar) -> String? {
        guard !scalar.isASCII else { return nil }
        if let letter = letters[scalar] { return String(letter) }
        switch scalar.value {
        case 0xFF01...0xFF5E: return Unicode.Scalar(scalar.value - 0xFEE0).map { String($0) }
        // Mathematical letters, in groups of 26 capitals and 26 small letters.
        case 0x1D400...0x1D6A3:
            let index = UInt8((scalar.value - 0x1D400) % 52)
            return String(Unicode.Scalar(index < 26 ? 0x41 + index : 0x61 + index - 26))
        case 0x24B6...0x24CF: return String(Unicode.Scalar(UInt8(scalar.value - 0x24B6) + 0x41))
        case 0x24D0...0x24E9: return String(Unicode.Scalar(UInt8(scalar.value - 0x24D0) + 0x61))
        case 0x2010...0x2015, 0x2212, 0xFE58, 0xFE63: return "-"
        case 0x2018...0x201B, 0x2032, 0x00B4: return "'"
        case 0x201C...0x201F, 0x00AB, 0x00BB, 0x2033: return "\""
        // Without a width; those from U+202A and U+2066 on set the direction of the text.
        case 0x00AD, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2064, 0x2066...0x2069, 0xFEFF: return ""
        case 0x3001, 0x060C, 0xFE50, 0xFE51: return ","
        case 0x3002: return "."
        case 0x3010, 0x3014: return "["
        case 0x3011, 0x3015: return "]"
        case 0xA789, 0x2236, 0x02D0: return ":"
        default:
            if scalar.properties.numericType == .decimal { return scalar.properties.numericValue.map { "\(Int($0))" } }
            return scalar.properties.generalCategory == .spaceSeparator ? " " : nil
        }
    }

    /// Letters that most fonts draw as an ASCII letter. Source: Unicode's confusables.txt, the entries of Cyrillic,
    /// Greek and Armenian letters.
    private static let letters: [Unicode.Scalar: Unicode.Scalar] = {
        let pairs = [
            ("аɑα", "a"), ("ϲсⅽ", "c"), ("ԁⅾ", "d"), ("еҽ", "e"), ("ɡց", "g"), ("һհ", "h"), ("іıɩι", "i"), ("јϳ", "j"), ("κк", "k"),
            ("ӏⅼ", "l"),
            ("ո", "n"), ("оοօ", "o"), ("рρ", "p"), ("ԛգ", "q"), ("ѕ", "s"), ("т", "t"), ("υս", "u"), ("νѵⅴ", "v"), ("ԝѡ", "w"),
            ("хχⅹ", "x"), ("уγү", "y"), ("м", "m"), ("в", "b"), ("н", "h"), ("АΑ", "A"), ("ВΒ", "B"), ("СϹ", "C"), ("ЕΕ", "E"), ("НΗ", "H"),
            ("ІΙӀ", "I"), ("Ј", "J"), ("КΚ", "K"), ("МΜ", "M"), ("Ν", "N"), ("ОΟ", "O"), ("РΡ", "P"), ("Ѕ", "S"), ("ТΤ", "T"), ("ХΧ", "X"),
            ("ҮΥ", "Y"), ("Ζ", "Z"),
        ]
        return Dictionary(pairs.flatMap { pair in pair.0.unicodeScalars.map { ($0, pair.1.unicodeScalars.first ?? "?") } }) { first, _ in
            first
        }
    }()
}
