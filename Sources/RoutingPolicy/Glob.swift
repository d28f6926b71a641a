/// A pattern of names in which `*` stands for any characters.
struct Glob {
    private let parts: [[UInt8]]
    /// What every match begins with: all before the first `*`.
    let start: String

    /// nil for a text without `*`.
    init?(_ text: String) {
        guard text.utf8.contains(UInt8(ascii: "*")) else { return nil }
        parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(Array.init)
        start = String(text.prefix { $0 != "*" })
    }

    func matches(_ text: String) -> Bool {
        text.utf8.withContiguousStorageIfAvailable(matches) ?? Array(text.utf8).withUnsafeBufferPointer(matches)
    }

    private func matches(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = parts.first, let last = parts.last, bytes.count >= first.count + last.count, bytes.starts(with: first) else { return false }
        guard bytes.suffix(last.count).elementsEqual(last) else { return false }
        var rest = bytes[first.count..<(bytes.count - last.count)]
        // Each part at its first place: what is left for the next is then the longest.
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let found = rest.firstRange(of: part) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }
}
