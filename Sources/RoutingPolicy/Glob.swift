/// A pattern of names in which `*` stands for any characters.
struct Glob {
    /// What every match begins with: all before the first `*`.
    let start: String
    private let head: [UInt8]
    private let middle: [[UInt8]]
    private let tail: [UInt8]

    /// nil for a text without `*`.
    init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
        guard parts.count > 1, let head = parts.first, let tail = parts.last else { return nil }
        start = String(decoding: head, as: UTF8.self)
        self.head = head
        self.tail = tail
        middle = parts.dropFirst().dropLast().filter { !$0.isEmpty }
    }

    func matches(_ text: String) -> Bool {
        let bytes = text.utf8Span.span
        guard bytes.count >= head.count + tail.count, holds(head, bytes, at: 0), holds(tail, bytes, at: bytes.count - tail.count) else {
            return false
        }
        var place = head.count
        let end = bytes.count - tail.count
        // Each part at its first place: what is left for the next is then the longest.
        for part in middle {
            while place + part.count <= end, !holds(part, bytes, at: place) { place += 1 }
            guard place + part.count <= end else { return false }
            place += part.count
        }
        return true
    }

    private func holds(_ part: [UInt8], _ bytes: Span<UInt8>, at place: Int) -> Bool {
        for index in part.indices where bytes[place + index] != part[index] { return false }
        return true
    }
}
