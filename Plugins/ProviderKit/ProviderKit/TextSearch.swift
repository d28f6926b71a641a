import Codecs

/// The search for words in a message of an upstream, without regard to the case of ASCII letters.
enum TextSearch {
    /// The first 4 KiB of a text as bytes in lower case.
    static func lowercased(_ text: String) -> [UInt8] {
        text.utf8.prefix(4096).map(ASCII.lowercased)
    }

    /// The offset of `part`, which begins at most `gap` bytes after `start`; nil if it is not there.
    static func find(_ part: [UInt8], in text: [UInt8], from start: Int = 0, gap: Int = .max) -> Int? {
        guard let first = part.first, text.count - part.count >= start else { return nil }
        let last = min(text.count - part.count, start + min(gap, text.count))
        return (start...last).first { text[$0] == first && text[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
