import Codecs
import ConfigTree

/// The parts of a file in which a mistake may put a secret anywhere: everything under `keys`, `providers` and
/// `telemetry`, and under names at the top of the file that the language doesn't have, such as another program's
/// `virtual_keys`.
///
/// In them, only what can't be a secret is shown: names of options, references such as `${NAME}`, and values that are
/// harmless in their place. The text is read leniently, word by word, so that it doesn't matter whether it is valid
/// YAML. Outside of them, the secrets are found that go on in further lines: quoted ones, and those in brackets.
struct SecretRegions {
    /// The hidden columns of each line, from 0, in order.
    private(set) var hidden: [Int: [Range<Int>]] = [:]
    /// The columns of each line that lie in a region, from 0.
    private var covered: [Int: Range<Int>] = [:]

    /// Whether a position is in a region. A column behind the last one of its line counts as the last.
    func contains(_ position: SourcePosition) -> Bool {
        covered[position.line].map { $0.lowerBound < position.column && position.column <= $0.upperBound + 1 } ?? false
    }

    /// - Parameters:
    ///   - known: the names that the policy defines. They are no secrets as values of an option.
    ///   - shown: where names of keys are that can't be secrets.
    init(of text: SourceText, file: String, vocabulary: Vocabulary, known: Set<String>, shown: Set<SourcePosition>) {
        var scanner = Scanner(file: file, vocabulary: vocabulary, known: known, shown: shown)
        for number in 1...max(1, text.lineCount) {
            guard let line = text.line(number) else { continue }
            scanner.scan(Array(line.unicodeScalars), line: number)
            if let covered = scanner.covered { self.covered[number] = covered }
            if !scanner.hidden.isEmpty { hidden[number] = scanner.hidden }
        }
    }
}

/// Reads a file line by line. Brackets and indentation tell where a region ends; in doubt it goes on.
private struct Scanner {
    private struct Region {
        /// Whether the names directly inside are those of providers, which may be shown.
        var isProviders: Bool
        /// Whether the section is one that the language doesn't have. Its numbers are no secrets.
        var isForeign: Bool
        var indent: Int
        var depth: Int
    }

    let file: String
    let vocabulary: Vocabulary
    let known: Set<String>
    let shown: Set<SourcePosition>

    /// Of the current line.
    private(set) var hidden: [Range<Int>] = []
    private(set) var covered: Range<Int>?

    private var region: Region?
    /// The open brackets, each with the option that it is the value of.
    private var brackets: [(isList: Bool, option: String)] = []
    /// The last key.
    private var option = ""
    /// Whether a value of `option` may follow.
    private var expectsValue = false
    /// Whether a key may follow.
    private var expectsKey = true
    /// Where the names directly under the region's key begin; nil before the first one.
    private var nameColumn: Int?
    /// The quote of a secret that goes on in the next line, in a region or not.
    private var openQuote: Unicode.Scalar?
    private var line: [Unicode.Scalar] = []
    private var number = 0

    init(file: String, vocabulary: Vocabulary, known: Set<String>, shown: Set<SourcePosition>) {
        self.file = file
        self.vocabulary = vocabulary
        self.known = known
        self.shown = shown
    }

    mutating func scan(_ line: [Unicode.Scalar], line number: Int) {
        (self.line, self.number) = (line, number)
        hidden = []
        covered = region == nil ? nil : 0..<line.count
        expectsKey = true
        if line.starts(with: "---".unicodeScalars) || line.starts(with: "...".unicodeScalars) {
            leave(at: 0)
            brackets = []
        }
        var index = 0
        if let quote = openQuote {
            let end = end(of: quote, from: 0)
            index = end ?? line.count
            hidden = index > 0 ? [0..<index] : []
            if end != nil { openQuote = nil }
        }
        if openQuote == nil { openQuote = quoteOfOpenSecret(from: index) }
        while index < line.count { index = next(index) }
        if region != nil, let start = covered?.lowerBound { covered = start..<line.count }
    }

    /// Reads what begins at an index, and returns the index after it.
    private mutating func next(_ index: Int) -> Int {
        switch line[index] {
        case " ", "\t": return index + 1
        case "#" where index == 0 || line[index - 1].properties.isWhitespace:
            hide(index..<line.count)
            return line.count
        case "{", "[":
            brackets.append((line[index] == "[", option))
            expectsKey = true
            expectsValue = line[index] == "[" && expectsValue
            return index + 1
        case "}", "]":
            if !brackets.isEmpty { brackets.removeLast() }
            if let region, brackets.count < region.depth { leave(at: index) }
            (expectsKey, expectsValue) = (false, false)
            return index + 1
        case "," where !brackets.isEmpty:
            expectsKey = true
            expectsValue = brackets.last?.isList == true
            if let option = brackets.last?.option { self.option = option }
            return index + 1
        case "-" where expectsKey && isBlank(index + 1):
            expectsValue = true
            return index + 1
        case "?" where expectsKey && isBlank(index + 1), "|" where expectsValue && !expectsKey, ">" where expectsValue && !expectsKey:
            return line[index...].firstIndex { $0.properties.isWhitespace } ?? line.count
        default: return word(index)
        }
    }

    private mutating func word(_ start: Int) -> Int {
        let isQuoted = line[start] == "\"" || line[start] == "'"
        var end = isQuoted ? endOfQuotes(start) : endOfWord(start)
        var text = String(String.UnicodeScalarView(line[start..<end]))
        if isQuoted { text = String(text.dropFirst().dropLast()) }
        // `secret:hunter2` is one word to YAML.
        if !isQuoted, expectsKey, let colon = text.unicodeScalars.firstIndex(of: ":") {
            let name = String(text.unicodeScalars[..<colon])
            if vocabulary.isOption(name) { (text, end) = (name, start + name.unicodeScalars.count) }
        }
        let after = line[end...].firstIndex { $0 != " " && $0 != "\t" } ?? line.count
        if after < line.count, line[after] == ":", isQuoted || isDelimiter(after + 1) || (end == after && vocabulary.isOption(text)) {
            key(text, start..<end, isNearMapping: opensMapping(after + 1))
            return after + 1
        }
        // The colon of a section's key may be missing.
        if region == nil, start == 0, isSection(text, at: start, hasColon: false) {
            key(text, start..<end, isNearMapping: true)
        } else {
            value(text, start..<end, after)
        }
        return end
    }

    private mutating func key(_ text: String, _ range: Range<Int>, isNearMapping: Bool) {
        if let region, vocabulary.isTopLevel(text), brackets.count == region.depth, range.lowerBound <= region.indent || region.depth > 0 {
            leave(at: range.lowerBound)
        }
        (option, expectsValue, expectsKey) = (text, true, false)
        if let region {
            let isName = isName(in: region, range.lowerBound)
            let isShown =
                vocabulary.isPlainName(text)
                || region.isProviders && isNearMapping && (isName || hasSecretInside(range.upperBound))
                || shown.contains(SourcePosition(file: file, line: number, column: range.lowerBound + 1))
            if !isShown { hide(range) }
        } else if isSection(text, at: range.lowerBound) {
            nameColumn = nil
            region = Region(
                isProviders: nearest(to: text, in: ["providers"]) != nil,
                isForeign: nearest(to: text, in: ["keys", "providers"]) == nil, indent: range.lowerBound, depth: brackets.count)
            covered = (covered?.lowerBound ?? range.lowerBound)..<line.count
        }
    }

    private mutating func value(_ text: String, _ range: Range<Int>, _ after: Int) {
        defer { (expectsValue, expectsKey) = (false, false) }
        guard let region else { return hide(range) }
        let isNumber = isQuantity(text) || text.unicodeScalars.allSatisfy { "0123456789._-".unicodeScalars.contains($0) }
        if region.isForeign, expectsValue, isNumber { return }
        let isAlone = after == line.count || ",]}#".unicodeScalars.contains(line[after])
        if expectsValue, isAlone, Excerpt.isReference(line[range]) { return }
        if expectsValue, isAlone, vocabulary.isHarmless(text, of: option, known: known) { return }
        if expectsKey, !expectsValue, vocabulary.isOption(text) {
            option = text
            return
        }
        hide(range)
    }

    /// Whether the place is inside of brackets that are a secret's value, such as the list of `api_key: [`.
    private var isInSecret: Bool { brackets.contains { Excerpt.isSecretName($0.option) } }

    /// The quote of the line's secret that isn't closed in the line.
    private func quoteOfOpenSecret(from start: Int) -> Unicode.Scalar? {
        var start = start
        while let value = Excerpt.sensitiveValue(in: line, from: start, readsProse: false) {
            guard line[value] == "\"" || line[value] == "'" else {
                start = value + 1
                continue
            }
            guard let end = end(of: line[value], from: value + 1) else { return line[value] }
            start = end
        }
        return nil
    }

    /// Whether a name is that of a section with secrets. An unknown name at the top of the file counts as one, unless
    /// it is a misspelling of another section's.
    private func isSection(_ text: String, at column: Int, hasColon: Bool = true) -> Bool {
        if Vocabulary.secretSections.contains(text) { return true }
        let isTop = brackets.isEmpty ? column == 0 : brackets.count == 1 && brackets[0].option.isEmpty
        guard isTop, !vocabulary.isTopLevel(text) else { return false }
        return hasColon ? vocabulary.mayHoldSecrets(text) : nearest(to: text, in: ["keys", "providers"]) != nil
    }

    private mutating func leave(at index: Int) {
        region = nil
        if let start = covered?.lowerBound { covered = start < index ? start..<index : nil }
    }

    /// Hides a part of the line. Parts with only blanks between them become one.
    private mutating func hide(_ range: Range<Int>) {
        guard region != nil || isInSecret else { return }
        if let last = hidden.last, line[last.upperBound..<range.lowerBound].allSatisfy({ $0 == " " || $0 == "\t" }) {
            hidden[hidden.count - 1] = last.lowerBound..<range.upperBound
        } else {
            hidden.append(range)
        }
    }

    /// Whether a key directly under the region's key begins at a column.
    private mutating func isName(in region: Region, _ column: Int) -> Bool {
        guard brackets.count == region.depth else { return nameColumn == nil && brackets.count == region.depth + 1 }
        if nameColumn == nil { nameColumn = column }
        return nameColumn == column
    }

    /// Whether the rest of the line has a key that holds a secret, so that the key before it can't be one.
    private func hasSecretInside(_ index: Int) -> Bool {
        Excerpt.sensitiveValue(in: Array(line[index...]), readsProse: false) != nil
    }

    private func isBlank(_ index: Int) -> Bool { index >= line.count || line[index].properties.isWhitespace }

    /// Whether a plain key or value ends before an index.
    private func isDelimiter(_ index: Int) -> Bool {
        isBlank(index) || !brackets.isEmpty && ",[]{}".unicodeScalars.contains(line[index])
    }

    /// Whether a mapping may begin at an index: in braces, or on the next line.
    private func opensMapping(_ index: Int) -> Bool {
        let next = line[min(index, line.count)...].first { $0 != " " && $0 != "\t" }
        return next == nil || next == "{" || next == "#" || next == "&"
    }

    private func endOfQuotes(_ start: Int) -> Int { end(of: line[start], from: start + 1) ?? line.count }

    /// The index behind the next closing quote. Nil if the line has none.
    private func end(of quote: Unicode.Scalar, from start: Int) -> Int? {
        var index = start
        while index < line.count {
            if quote == "\"", line[index] == "\\" {
                index += 2
            } else if line[index] == quote {
                guard quote == "'", index + 1 < line.count, line[index + 1] == "'" else { return index + 1 }
                index += 2
            } else {
                index += 1
            }
        }
        return nil
    }

    private func endOfWord(_ start: Int) -> Int {
        var index = start
        while index < line.count {
            if line[index] == "$", index + 1 < line.count, line[index + 1] == "{", let close = line[index...].firstIndex(of: "}") {
                index = close + 1
            } else if index > start, isDelimiter(index) || line[index] == ":" && isDelimiter(index + 1) {
                return index
            } else {
                index += 1
            }
        }
        return line.count
    }
}
