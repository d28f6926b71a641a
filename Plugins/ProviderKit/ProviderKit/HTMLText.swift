import Codecs

/// The text of a page of HTML on one line, as a browser would show it: each text between two blocks once, so that a
/// page whose title and heading are the same says so once.
struct HTMLText {
    /// `Error: Invalid API key`, for a title and a paragraph.
    let text: String

    /// The most bytes that are read.
    private static let maxBytes = 8192

    /// nil if the page has no text.
    init?(_ body: RawSpan) {
        let page = Array(copying: 0..<min(body.byteCount, Self.maxBytes), of: body)
        var blocks: [String] = [], block: [UInt8] = [], index = 0
        func end() {
            let words = Self.withoutEntities(String(decoding: block, as: UTF8.self)).split {
                $0.isWhitespace || $0.asciiValue.map { $0 < 0x20 || $0 == 0x7F } ?? false
            }
            let text = words.joined(separator: " ")
            if !text.isEmpty, !blocks.contains(text) { blocks.append(text) }
            block = []
        }
        while index < page.count {
            guard page[index] == UInt8(ascii: "<") else {
                block.append(page[index])
                index += 1
                continue
            }
            let name = String(
                decoding: page[(index + 1)...].prefix { $0 > ASCII.space && $0 != UInt8(ascii: ">") }.map(ASCII.lowercased), as: UTF8.self)
            if Self.inlineTags.contains(name.drop { $0 == "/" }.description) { block.append(ASCII.space) } else { end() }
            let close = Self.ends[name].flatMap { TextSearch.find(Array($0.utf8), in: page.map(ASCII.lowercased), from: index) } ?? index
            index = page[close...].firstIndex(of: UInt8(ascii: ">")).map { $0 + 1 } ?? page.count
        }
        end()
        guard !blocks.isEmpty else { return nil }
        text = blocks.joined(separator: ": ")
    }

    private static let inlineTags: Set = ["a", "b", "strong", "i", "em", "code", "span", "small", "u", "tt", "font", "wbr"]

    /// Where what begins with a tag that shows nothing ends.
    private static let ends = ["script": "</script", "style": "</style", "!--": "--"]

    private static let entities: [Substring: String] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "rsquo": "'", "lsquo": "'", "ldquo": "\"",
        "rdquo": "\"", "ndash": "-", "mdash": "-", "hellip": "…",
    ]

    private static func withoutEntities(_ text: String) -> String {
        var parts = text.split(separator: "&", omittingEmptySubsequences: false)
        var result = String(parts.removeFirst())
        for part in parts {
            guard let end = part.firstIndex(of: ";"), let character = character(part[..<end]) else {
                result += "&" + part
                continue
            }
            result += character + part[part.index(after: end)...]
        }
        return result
    }

    /// The text of `amp`, `#39` or `#x27`; nil if it is unknown.
    private static func character(_ entity: Substring) -> String? {
        guard entity.first == "#" else { return entities[entity] }
        let digits = entity.dropFirst()
        let isHex = digits.first == "x" || digits.first == "X"
        guard digits.utf8.count < 9,
            let scalar = UInt32(isHex ? digits.dropFirst() : digits, radix: isHex ? 16 : 10).flatMap(Unicode.Scalar.init)
        else {
            return nil
        }
        return String(Character(scalar))
    }
}
