/// A pattern for names, in which `*` matches any characters, including none.
struct Glob: Sendable, Equatable {
    let text: String
    /// The text before the first `*`. Every match begins with it.
    let start: String
    private let head: [UInt8]
    private let middle: [[UInt8]]
    private let tail: [UInt8]

    /// Nil if the text has no `*`.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
        guard parts.count > 1, let head = parts.first, let tail = parts.last else { return nil }
        self.text = text
        start = String(decoding: head, as: UTF8.self)
        self.head = head
        self.tail = tail
        middle = parts.dropFirst().dropLast().filter { !$0.isEmpty }
    }

    func matches(_ text: String) -> Bool {
        let bytes = text.utf8Span.span
        guard bytes.count >= head.count + tail.count, occurs(head, in: bytes, at: 0), occurs(tail, in: bytes, at: bytes.count - tail.count)
        else {
            return false
        }
        var offset = head.count
        let end = bytes.count - tail.count
        // Each part matches at its first occurrence, which leaves the longest rest for the next part.
        for part in middle {
            while offset + part.count <= end, !occurs(part, in: bytes, at: offset) { offset += 1 }
            guard offset + part.count <= end else { return false }
            offset += part.count
        }
        return true
    }

    private func occurs(_ part: [UInt8], in bytes: Span<UInt8>, at offset: Int) -> Bool {
        for index in part.indices where bytes[offset + index] != part[index] { return false }
        return true
    }
}
