import Codecs
import ConfigTree

/// The text of a policy's file with `<secret>` in the place of whatever may be a secret. It is valid YAML with the same
/// structure and the same number of lines: a scalar is replaced as a whole, between its quotes, and a comment keeps its
/// `#`.
///
/// Under `keys`, `providers` and `telemetry`, only what can't be a secret is shown: names of options, references such
/// as `${NAME}`, and values that are harmless in their place. Elsewhere, only secrets are hidden: those that the
/// language knows, values under names such as `api_key` in parts of requests, and texts that have or look like one.
struct MaskedFile {
    let file: String
    let vocabulary: Vocabulary
    /// The names that the policy defines.
    let known: Set<String>
    /// Where the secrets are that the language knows.
    let secrets: Set<SourcePosition>
    /// Where values are that are no secrets, although their keys look like it.
    let plain: Set<SourcePosition>
    /// Whether a text shows a secret of the policy.
    let masks: [SecretMask]

    /// A longer scalar or comment was not written by a person, and is hidden.
    private static let maxScalarBytes = 4096

    private var lines: [[Unicode.Scalar]] = []
    private var edits: [Edit] = []
    /// The columns of each line that are parts of scalars, from 0.
    private var scalars: [Int: [Range<Int>]] = [:]
    /// The lines that are parts of sections, mappings and lists with secrets, and those on which a scalar is hidden.
    private var hiddenLines: [ClosedRange<Int>] = []
    /// The line at which the section with secrets begins that the current key at the top of the file is in; nil: none.
    private var regionStart: Int?
    /// How many names have been replaced, in all files.
    private var hiddenNames = 0

    /// A part of the text that is replaced: from a column of a line, from 0, to a column of the same or a later line.
    private struct Edit {
        var start: (line: Int, column: Int)
        var end: (line: Int, column: Int)
        var text: String
    }

    /// What is known of a scalar's place.
    private struct Place {
        /// The number of keys above.
        var depth = 0
        /// The key at the top of the file.
        var section = ""
        /// The nearest key above.
        var option = ""
        /// Whether the names above are those of the language, and not parts of a request.
        var isOfLanguage = true
        /// Whether a key above has the name of a secret, and whether one has it so clearly that even a number is one.
        var isSensitive = false
        var isSecret = false

        var isInRegion = false
    }

    init(
        file: String, vocabulary: Vocabulary, known: Set<String>, secrets: [SourcePosition], plain: Set<SourcePosition>, masks: [SecretMask]
    ) {
        self.file = file
        self.vocabulary = vocabulary
        self.known = known
        self.secrets = Set(secrets)
        self.plain = plain
        self.masks = masks
    }

    /// - Parameters:
    ///   - text: valid YAML.
    ///   - names: the number of the last name that was replaced in another file.
    mutating func masked(_ text: SourceText, names: inout Int) -> String {
        hiddenNames = names
        lines = (1...max(1, text.lineCount)).map { Array((text.line($0) ?? "").unicodeScalars) }
        do throws(ConfigIssue) {
            let events = try YAMLEvents(of: text, file: file)
            while true {
                let event = try events.next()
                switch event.kind {
                case .streamEnd:
                    hideComments()
                    names = hiddenNames
                    return result()
                case .documentStart, .documentEnd: continue
                default: try value(event, events, Place())
                }
            }
        } catch {
            return lines.map { $0.isEmpty ? "" : "# <secret>" }.joined(separator: "\n")
        }
    }

    // MARK: The tree

    private mutating func value(_ event: YAMLEvents.Event, _ events: borrowing YAMLEvents, _ place: Place) throws(ConfigIssue) {
        switch event.kind {
        case .scalar(let text, let isPlain):
            let start = start(of: event)
            cover(event, from: start)
            if !text.isEmpty, isHidden(text, at: event.position, in: place) {
                hide(event, from: start, isPlain: isPlain, by: "<secret>")
            }
        case .sequenceStart:
            while true {
                let item = try events.next()
                if case .end = item.kind { return hideLines(from: event, to: item, place) }
                try value(item, events, place)
            }
        case .mappingStart:
            while true {
                let key = try events.next()
                if case .end = key.kind { return hideLines(from: event, to: key, place) }
                let inner = name(key, in: place)
                let value = try events.next()
                if place.depth == 0 { enter(key, isRegion: inner.isInRegion) }
                let count = edits.count
                try self.value(value, events, inner)
                // A comment between a secret's name and the secret.
                if inner.isSensitive || value.end != nil && edits.count > count {
                    hiddenLines.append(key.position.line - 1...max(key.position.line, value.position.line) - 1)
                }
            }
        case .alias, .streamEnd, .documentStart, .documentEnd, .end: return
        }
    }

    /// Hides a key if it may be a secret. Returns the place of its value.
    private mutating func name(_ event: YAMLEvents.Event, in place: Place) -> Place {
        guard case .scalar(let name, let isPlain) = event.kind else { return place }
        let start = start(of: event)
        cover(event, from: start)
        // What `<<` adds belongs to the mapping around it.
        if name == "<<" { return place }
        var inner = place
        inner.depth += 1
        inner.option = name
        if place.depth == 0 {
            inner.section = name
            inner.isInRegion = Vocabulary.secretSections.contains(name) || !vocabulary.isTopLevel(name)
        }
        let isDefined = place.depth == 1 && vocabulary.form(ofNamed: place.section) != nil || known.contains(name)
        let isOption = place.isOfLanguage && vocabulary.isOwnOption(name)
        if vocabulary.takesOtherNames(name) { inner.isOfLanguage = false }
        if !isDefined, place.depth > 0, place.isInRegion || !isOption {
            inner.isSensitive = place.isSensitive || Excerpt.isSensitive(name)
            inner.isSecret = place.isSecret || Excerpt.isSecretName(name)
        }
        let isHidden =
            place.isInRegion && !vocabulary.isPlainName(name) || isTelling(name) || Excerpt.hasSecretWithoutColon(name)
        if isHidden, !isDefined, !isOption {
            hiddenNames += 1
            hide(event, from: start, isPlain: isPlain, by: hiddenNames == 1 ? "<secret>" : "<secret-\(hiddenNames)>")
        }
        return inner
    }

    private func isHidden(_ text: String, at position: SourcePosition, in place: Place) -> Bool {
        if Excerpt.isReference(Array(text.unicodeScalars)[...]) { return false }
        if secrets.contains(position) || text.utf8.count > Self.maxScalarBytes { return true }
        if place.isInRegion {
            if place.isSecret || !vocabulary.isHarmless(text, of: place.option, known: known) { return true }
        } else if !plain.contains(position), place.isSecret || place.isSensitive && !isQuantity(text) {
            return true
        }
        return !known.contains(text) && !vocabulary.isWord(text) && isTelling(text)
    }

    /// Whether a text shows a secret, or looks as if it did.
    private func isTelling(_ text: String) -> Bool {
        guard text.utf8.count <= Self.maxScalarBytes else { return true }
        let scalars = Array(text.unicodeScalars)
        return !CredentialText.ranges(in: scalars).isEmpty || Excerpt.addressSecret(in: scalars) != nil
            || masks.contains { !$0.hiddenColumns(of: scalars).isEmpty }
    }

    // MARK: Places in the text

    /// Where a scalar itself begins, behind its anchor and its tag.
    private func start(of event: YAMLEvents.Event) -> (line: Int, column: Int) {
        var line = event.position.line - 1, column = event.position.column - 1
        guard event.anchor != nil || event.tag != nil, let end = event.end else { return (line, column) }
        while line < end.line - 1 || line == end.line - 1 && column < end.column - 1 {
            guard column < lines[line].count, lines[line][column] != "#" else {
                (line, column) = (line + 1, 0)
                continue
            }
            switch lines[line][column] {
            case " ", "\t": column += 1
            case "&", "!": column = lines[line][column...].firstIndex { $0 == " " || $0 == "\t" } ?? lines[line].count
            default: return (line, column)
            }
        }
        return (line, column)
    }

    /// Notes the columns of a scalar, in which a `#` begins no comment.
    private mutating func cover(_ event: YAMLEvents.Event, from start: (line: Int, column: Int)) {
        guard let end = event.end else { return }
        for line in start.line...max(start.line, end.line - 1) where lines.indices.contains(line) {
            let first = line == start.line ? start.column : 0
            var last = line == end.line - 1 ? end.column - 1 : lines[line].count
            if line == start.line, isBlock(start) { last = endOfWord(start) }
            if first < last { scalars[line, default: []].append(first..<last) }
        }
    }

    private func isBlock(_ start: (line: Int, column: Int)) -> Bool {
        start.column < lines[start.line].count && (lines[start.line][start.column] == "|" || lines[start.line][start.column] == ">")
    }

    private func endOfWord(_ start: (line: Int, column: Int)) -> Int {
        lines[start.line][start.column...].firstIndex { $0 == " " || $0 == "\t" } ?? lines[start.line].count
    }

    // MARK: Hiding

    private mutating func hide(_ event: YAMLEvents.Event, from start: (line: Int, column: Int), isPlain: Bool, by text: String) {
        guard let position = event.end else { return }
        let end = (line: position.line - 1, column: position.column - 1)
        hiddenLines.append(start.line...max(start.line, end.line))
        // What follows a scalar of several lines keeps its place.
        let breaks =
            end.line > start.line ? String(repeating: "\n", count: end.line - start.line) + String(repeating: " ", count: end.column) : ""
        guard !isBlock(start) || isPlain else {
            // The lines of a block scalar: the text is in the first of them that isn't blank.
            let body = start.line + 1..<max(start.line + 1, min(end.line, lines.count))
            guard let first = body.first(where: { line in lines[line].contains { $0 != " " && $0 != "\t" } }) else { return }
            let indent = lines[first].prefix { $0 == " " }.count
            let rest = String(repeating: "\n", count: end.line - first)
            edits.append(Edit(start: (first, indent), end: end, text: text + rest))
            return
        }
        let quote = isPlain ? "" : String(Character(lines[start.line][start.column]))
        edits.append(Edit(start: start, end: end, text: quote + text + quote + breaks))
    }

    private mutating func hideLines(from start: YAMLEvents.Event, to end: YAMLEvents.Event, _ place: Place) {
        if place.isSensitive { hiddenLines.append(start.position.line - 1...end.position.line - 1) }
    }

    /// A section with secrets ends in front of the next key at the top of the file.
    private mutating func enter(_ key: YAMLEvents.Event, isRegion: Bool) {
        let line = key.position.line - 1
        if let start = regionStart, !isRegion { hiddenLines.append(start...max(start, line - 1)) }
        regionStart = isRegion ? regionStart ?? line : nil
    }

    private mutating func hideComments() {
        if let regionStart { hiddenLines.append(regionStart...lines.count) }
        var hidden = Array(repeating: false, count: lines.count + 1)
        for range in hiddenLines { for line in range where line < hidden.count { hidden[line] = true } }
        // The lines above that the current one belongs to, from the outermost to the innermost: what belongs to a line
        // with a secret may be the secret that was there before.
        var outer: [(indent: Int, isHidden: Bool)] = []
        for (number, line) in lines.enumerated() {
            guard let indent = line.firstIndex(where: { $0 != " " && $0 != "\t" }) else { continue }
            while let last = outer.last, last.indent >= indent { outer.removeLast() }
            if outer.last?.isHidden == true { hidden[number] = true }
            outer.append((indent, hidden[number]))
            guard let start = comment(in: line, number) else { continue }
            for range in hiddenColumns(of: Array(line[start...]), isHidden: hidden[number]) {
                edits.append(
                    Edit(start: (number, start + range.lowerBound), end: (number, start + range.upperBound), text: "<secret>"))
            }
        }
    }

    /// The columns of a comment that are hidden.
    private func hiddenColumns(of comment: [Unicode.Scalar], isHidden: Bool) -> [Range<Int>] {
        guard let first = comment.firstIndex(where: { !"# \t".unicodeScalars.contains($0) }) else { return [] }
        if isHidden || comment.count > Self.maxScalarBytes { return [first..<comment.count] }
        let place = SourcePosition(file: file, line: 1, column: 1)
        let ranges = masks.flatMap {
            Excerpt.hiddenColumns(of: comment, at: place, isBelowSecret: false, secrets: [], plain: [], regions: [], mask: $0)
        }
        return merged(ranges)
    }

    private func comment(in line: [Unicode.Scalar], _ number: Int) -> Int? {
        let covered = scalars[number] ?? []
        return line.indices.first { index in
            line[index] == "#" && (index == 0 || line[index - 1] == " " || line[index - 1] == "\t")
                && !covered.contains { $0.contains(index) }
        }
    }

    private func result() -> String {
        var result = "", position = (line: 0, column: 0)
        func copy(to end: (line: Int, column: Int)) {
            while position.line < end.line, position.line < lines.count {
                result.unicodeScalars.append(contentsOf: lines[position.line][min(position.column, lines[position.line].count)...])
                if position.line + 1 < lines.count { result += "\n" }
                position = (position.line + 1, 0)
            }
            guard position.line < lines.count else { return }
            let upper = min(end.column, lines[position.line].count)
            if position.column < upper { result.unicodeScalars.append(contentsOf: lines[position.line][position.column..<upper]) }
            position.column = max(position.column, end.column)
        }
        for edit in edits.sorted(by: { ($0.start.line, $0.start.column) < ($1.start.line, $1.start.column) }) {
            copy(to: edit.start)
            result += edit.text
            position = edit.end
        }
        copy(to: (lines.count, 0))
        return result
    }
}
