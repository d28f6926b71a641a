import ConfigTree

/// One line of a file with a caret below it, safe to print anywhere: secrets are masked, control characters are escaped
/// and long lines are cut.
///
/// It shows the text as the file contains it, so the value of a variable never appears. A value in the file is masked
/// if its key, or a key above it, has a sensitive name. A comment that may hold a secret is left out.
struct Excerpt {
    static let maxColumns = 100

    /// Nil if the file has no such line, or if the line is blank or very long. Values at the positions in `plain` are
    /// not masked, whatever their keys are called.
    ///
    /// - Parameters:
    ///   - hidden: the columns of the line that are masked in any case, from 0.
    ///   - mask: masks the policy's secrets wherever they are.
    init?(
        of text: SourceText, at position: SourcePosition, secrets: [SourcePosition], plain: Set<SourcePosition> = [],
        hidden regions: [Range<Int>] = [], mask: SecretMask = SecretMask([])
    ) {
        guard text.isShort(line: position.line), let line = text.line(position.line) else { return nil }
        let scalars = Array(line.unicodeScalars)
        guard scalars.contains(where: { !$0.properties.isWhitespace }) else { return nil }
        let masked = Excerpt.hiddenColumns(
            of: scalars, at: position, isBelowSecret: Excerpt.isBelowSecret(line: position.line, indent: Excerpt.indent(scalars), in: text),
            secrets: secrets, plain: plain, regions: regions, mask: mask)
        cells = []
        let shown = scalars[..<(masked.last.flatMap { Excerpt.isComment($0, of: scalars) ? $0.lowerBound : nil } ?? scalars.count)]
        for (index, scalar) in shown.enumerated().prefix(1 + (shown.lastIndex { !$0.properties.isWhitespace } ?? -1)) {
            if let range = masked.first(where: { $0.contains(index) }) {
                if index == range.lowerBound { cells.append(Cell(text: "<secret>", column: index)) }
            } else {
                cells.append(Cell(text: Excerpt.escaped(scalar), column: index))
            }
        }
        let target = masked.first { $0.contains(position.column - 1) }?.lowerBound ?? position.column - 1
        caret = cells.firstIndex { $0.column >= target } ?? cells.count
    }

    /// The line and, below it, the caret.
    var lines: (String, String) {
        var first = max(0, min(caret - Excerpt.maxColumns / 2, cells.count - Excerpt.maxColumns))
        let last = min(cells.count, first + Excerpt.maxColumns)
        if first < 4 { first = 0 }
        let before = cells[first..<min(caret, last)]
        let head = first > 0 ? "…" : ""
        let line = head + cells[first..<last].map(\.text).joined() + (last < cells.count ? "…" : "")
        return (line, String(repeating: " ", count: before.reduce(head.count) { $0 + width($1.text) }) + "^")
    }

    private struct Cell {
        var text: String
        /// The scalar's index in the file's line.
        var column: Int
    }

    private var cells: [Cell]
    /// Index into `cells`.
    private var caret: Int

    /// The columns of a line that are masked, from 0, in order and apart from each other.
    ///
    /// - Parameters:
    ///   - position: anywhere in the line.
    ///   - isBelowSecret: whether the line is part of the value of a sensitive key above it.
    ///   - secrets: where the file's secrets are.
    ///   - plain: as for `init`.
    ///   - regions: columns that are masked in any case.
    ///   - mask: as for `init`.
    static func hiddenColumns(
        of line: [Unicode.Scalar], at position: SourcePosition, isBelowSecret: Bool, secrets: [SourcePosition],
        plain: Set<SourcePosition>, regions: [Range<Int>], mask: SecretMask
    ) -> [Range<Int>] {
        let hidden = hiddenRange(of: line, at: position, isBelowSecret: isBelowSecret, secrets: secrets, plain: plain)
        return merged((hidden.map { [$0] } ?? []) + regions + CredentialText.ranges(in: line) + mask.hiddenColumns(of: line))
    }

    private static func hiddenRange(
        of line: [Unicode.Scalar], at position: SourcePosition, isBelowSecret: Bool, secrets: [SourcePosition],
        plain: Set<SourcePosition>
    ) -> Range<Int>? {
        var start: Int?
        if isBelowSecret { start = indent(line) }
        let exempt =
            plain.isEmpty
            ? []
            : line.indices.filter { plain.contains(SourcePosition(file: position.file, line: position.line, column: $0 + 1)) }
        if let value = sensitiveValue(in: line, besides: exempt) { start = min(start ?? value, value) }
        for secret in secrets where secret.line == position.line { start = min(start ?? secret.column - 1, secret.column - 1) }
        let address = addressSecret(in: line)
        guard let start, start < line.count, !isReference(line[start...]) else { return address }
        return min(start, address?.lowerBound ?? start)..<line.count
    }

    /// Whether the line is part of the value of a sensitive key, which is on a line above and has less indentation.
    private static func isBelowSecret(line number: Int, indent: Int, in text: SourceText) -> Bool {
        var indent = indent
        var number = number - 1
        while indent > 0, number > 0 {
            if let outer = text.indent(ofLine: number), outer < indent {
                guard text.isShort(line: number) else { return true }
                indent = outer
                if mayHoldSecretBelow(Array((text.line(number) ?? "").unicodeScalars)) { return true }
            }
            number -= 1
        }
        return false
    }

    private static func indent(_ line: [Unicode.Scalar]) -> Int {
        line.firstIndex { $0 != " " && $0 != "\t" } ?? line.count
    }

    /// Whether the columns are a comment behind other text.
    private static func isComment(_ columns: Range<Int>, of line: [Unicode.Scalar]) -> Bool {
        columns.lowerBound > indent(line) && line[columns.lowerBound] == "#" && columns.upperBound == line.count
    }

    /// Whether the value is only `${NAME}` or `${file:path}`, with or without quotes. Such a reference is not a secret,
    /// and shows where the secret should come from.
    static func isReference(_ value: ArraySlice<Unicode.Scalar>) -> Bool {
        let text = String(String.UnicodeScalarView(value)).filter { $0 != "\"" && $0 != "'" && $0 != " " }
        guard text.hasPrefix("${"), text.firstIndex(of: "}") == text.indices.last else { return false }
        let name = text.dropFirst(2).dropLast()
        return name.hasPrefix("file:") ? isFilePath(name.dropFirst("file:".count)) : isVariableName(name)
    }

    /// The range from an address's `user:password` to the end of its query, or the one of the two that is present.
    static func addressSecret(in line: [Unicode.Scalar]) -> Range<Int>? {
        guard let slash = line.indices.dropLast().first(where: { line[$0] == "/" && line[$0 + 1] == "/" }) else { return nil }
        let query = line[slash...].firstIndex(of: "?").map { $0 + 1 }
        let user = line[slash...].lastIndex(of: "@")
        guard let start = user == nil ? query : slash + 2, let end = query == nil ? user : line.count, start < end else { return nil }
        return start..<end
    }
}

/// The ranges in order, those that overlap or touch as one.
func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
    ranges.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) { merged, range in
        if let last = merged.last, last.upperBound >= range.lowerBound {
            merged[merged.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
        } else {
            merged.append(range)
        }
    }
}

extension Excerpt {
    /// The scalar in a form that is safe to print.
    static func escaped(_ scalar: Unicode.Scalar) -> String {
        switch scalar.properties.generalCategory {
        case .control where scalar == "\t": "→"
        // Format characters can reverse the direction of the following text, or hide it.
        case .control, .format, .surrogate, .privateUse, .lineSeparator, .paragraphSeparator: "\\u{\(String(scalar.value, radix: 16))}"
        default: String(scalar)
        }
    }
}

/// The number of terminal cells that the text takes: two for East Asian and emoji characters, none for combining marks.
private func width(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0x1F300...0x1FAFF,
            0x20000...0x3FFFD:
            sum + 2
        default: [.nonspacingMark, .enclosingMark].contains(scalar.properties.generalCategory) ? sum : sum + 1
        }
    }
}
