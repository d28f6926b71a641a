import ConfigTree

/// A character that looks like another one, which the author of a file most likely meant: a letter of another alphabet,
/// a typographic quotation mark or dash, a space other than the usual one, or a character without a width.
struct LookAlike {
    /// The column, from 1.
    let column: Int
    let scalar: Unicode.Scalar

    /// The first one in a line that may be the cause of an issue.
    ///
    /// - Parameters:
    ///   - place: the column of the issue, from 1; nil if the cause may be anywhere in the line.
    ///   - isName: whether a word is a name of the language. A word that is spelled entirely in another alphabet is
    ///     only suspicious if it looks like such a name.
    init?(in line: [Unicode.Scalar], at place: Int?, isName: (String) -> Bool) {
        guard line.contains(where: { !$0.isASCII }) else { return nil }
        for word in LookAlike.words(of: line) {
            if let place, !(word.startIndex...word.endIndex).contains(place - 1) { continue }
            guard let index = word.indices.first(where: { LookAlike.meant(word[$0]) != nil }) else { continue }
            let letters = word.filter { $0.properties.isAlphabetic }
            let isForeign = !letters.isEmpty && letters.allSatisfy { !$0.isASCII }
            let looks = word.map { LookAlike.meant($0) ?? String($0) }.joined()
            let isLetter = word[index].properties.isAlphabetic
            if isForeign, isLetter, !isName(String(looks.prefix { $0 != ":" })) { continue }
            self.column = index + 1
            self.scalar = word[index]
            return
        }
        return nil
    }

    /// What a report says about it.
    ///
    /// - Parameter isHidden: whether the character is part of something that may be a secret.
    func hint(isHidden: Bool) -> String {
        guard !isHidden || !scalar.properties.isAlphabetic else {
            return "column \(column) has a character outside ASCII, which is easily mistaken for another: type it again"
        }
        let code = String(scalar.value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
        let name = scalar.properties.name.map { " (\($0))" } ?? ""
        let meant =
            switch LookAlike.meant(scalar) {
            case ""?: "is invisible: remove it"
            case " "?: "looks like a space: write a space"
            case let text?: "looks like '\(text)': write '\(text)'"
            case nil: ""
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
            end = line[end...].firstIndex { " \t,[]{}".unicodeScalars.contains($0) } ?? line.count
            if end > start { words.append(line[start..<end]) }
            start = end + 1
        }
        return words
    }

    /// What a person takes a character for; empty for one without a width, nil for one that is like no other.
    static func meant(_ scalar: Unicode.Scalar) -> String? {
        guard !scalar.isASCII else { return nil }
        if let letter = letters[scalar] { return String(letter) }
        switch scalar.value {
        case 0xFF01...0xFF5E: return Unicode.Scalar(scalar.value - 0xFEE0).map { String($0) }
        case 0x2010...0x2015, 0x2212, 0xFE58, 0xFE63: return "-"
        case 0x2018...0x201B, 0x2032, 0x00B4: return "'"
        case 0x201C...0x201F, 0x00AB, 0x00BB, 0x2033: return "\""
        case 0x00AD, 0x200B...0x200F, 0x2060, 0xFEFF: return ""
        case 0xA789, 0x2236, 0x02D0: return ":"
        default: return scalar.properties.generalCategory == .spaceSeparator ? " " : nil
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
