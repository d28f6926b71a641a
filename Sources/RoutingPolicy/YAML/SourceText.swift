import ConfigTree

/// A file's text, split into lines, for excerpts and for the positions of invalid bytes.
struct SourceText: Sendable {
    let bytes: [UInt8]
    /// The offset at which each line begins. LF, CR and CR LF end a line, as in YAML.
    private let starts: [Int]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var starts = [0]
        var previous: UInt8 = 0
        for (offset, byte) in bytes.enumerated() {
            if byte == UInt8(ascii: "\n"), previous == UInt8(ascii: "\r") {
                starts[starts.count - 1] = offset + 1
            } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                starts.append(offset + 1)
            }
            previous = byte
        }
        self.starts = starts
    }

    var lineCount: Int { starts.count }

    var hasByteOrderMark: Bool { bytes.starts(with: [0xEF, 0xBB, 0xBF]) }

    /// A line without its line break. The first line is 1. Bytes that are not valid UTF-8 become U+FFFD.
    func line(_ number: Int) -> String? {
        guard starts.indices.contains(number - 1) else { return nil }
        let end = number < starts.count ? starts[number] : bytes.count
        var line = bytes[starts[number - 1]..<end]
        while line.last == UInt8(ascii: "\n") || line.last == UInt8(ascii: "\r") { line.removeLast() }
        if number == 1, hasByteOrderMark { line = line.dropFirst(3) }
        return String(decoding: line, as: UTF8.self)
    }

    /// Whether a line is short enough for an excerpt. A longer line was not written by a person.
    func isShort(line number: Int) -> Bool {
        guard starts.indices.contains(number - 1) else { return false }
        return (number < starts.count ? starts[number] : bytes.count) - starts[number - 1] <= 4096
    }

    /// The number of spaces and tabs at the start of a line. Nil for a blank line.
    func indent(ofLine number: Int) -> Int? {
        guard starts.indices.contains(number - 1) else { return nil }
        let line = bytes[starts[number - 1]...]
        guard let first = line.firstIndex(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }) else { return nil }
        return bytes[first] == UInt8(ascii: "\n") || bytes[first] == UInt8(ascii: "\r") ? nil : first - line.startIndex
    }

    /// The position after each `?` that may start a key or a value and has no space after it.
    func ambiguousKeys(in file: String) -> Set<SourcePosition> {
        guard bytes.contains(UInt8(ascii: "?")) else { return [] }
        var positions: Set<SourcePosition> = []
        for (index, start) in starts.enumerated() {
            var column = index == 0 && hasByteOrderMark ? 0 : 1
            var previous = UInt8(ascii: " ")
            for offset in start..<(index + 1 < starts.count ? starts[index + 1] : bytes.count) {
                let byte = bytes[offset]
                let next = offset + 1 < bytes.count ? bytes[offset + 1] : UInt8(ascii: "\n")
                if byte == UInt8(ascii: "?"), " \t[{,".utf8.contains(previous), !" \t\r\n".utf8.contains(next) {
                    positions.insert(SourcePosition(file: file, line: index + 1, column: column + 1))
                }
                // The continuation bytes of a character are not columns.
                if byte & 0xC0 != 0x80 { column += 1 }
                previous = byte
            }
        }
        return positions
    }

    func position(ofByte offset: Int, in file: String) -> SourcePosition {
        let index = max(0, starts.partitioningIndex { $0 > offset } - 1)
        let before = bytes[starts[index]..<max(starts[index], min(offset, bytes.count))]
        let hidden = index == 0 && hasByteOrderMark && offset >= 3 ? 1 : 0
        return SourcePosition(
            file: file, line: index + 1, column: String(decoding: before, as: UTF8.self).unicodeScalars.count + 1 - hidden)
    }

    /// The first invalid content, even if YAML allows it. Nil for valid text.
    func problem(in file: String) -> ConfigIssue? {
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            return ConfigIssue(
                at: position(ofByte: error.byteOffsets.lowerBound, in: file), "this is not valid UTF-8", hint: "save the file as UTF-8")
        }
        for offset in bytes.indices {
            guard let scalar = forbiddenCharacter(at: offset) else { continue }
            let code = String(scalar, radix: 16, uppercase: true)
            let escape = "\\u" + String(repeating: "0", count: 4 - code.count) + code
            let hint = "remove it; if a value needs it, write \(escape) in double quotes"
            return ConfigIssue(
                at: position(ofByte: offset, in: file), "the invisible character U+\(escape.dropFirst(2)) is not allowed", hint: hint)
        }
        return nil
    }

    /// The character that begins at an offset of valid UTF-8, if no policy may contain it: a control character, or
    /// U+0085, U+2028 or U+2029. YAML 1.1, and therefore libyaml, ends a line at these three, but editors don't, so
    /// positions would be wrong.
    private func forbiddenCharacter(at offset: Int) -> UInt32? {
        switch bytes[offset] {
        case UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): nil
        case 0..<0x20, 0x7F: UInt32(bytes[offset])
        case 0xC2 where bytes[offset + 1] < 0xA0: UInt32(bytes[offset + 1])
        case 0xE2 where bytes[offset + 1] == 0x80 && bytes[offset + 2] & 0xFE == 0xA8: 0x2000 | UInt32(bytes[offset + 2] & 0x3F)
        default: nil
        }
    }
}

extension Array {
    /// The index of the first element that fulfils `predicate`. All elements after it must fulfil it too.
    func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
