/// Where a JSON text stops being one, and what it needed there.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Of the first byte that can't be; the count of the bytes where they end too early.
    public var offset: Int
    /// In words: `a value`, `',' or '}'`.
    public var expected: String

    public init(offset: Int, expected: String) {
        self.offset = offset
        self.expected = expected
    }

    public var description: String { "expected \(expected) at byte \(offset)" }

    /// Line and column of the place, both from 1, in the bytes that were read. A column is a character (a Unicode scalar).
    public func position(in bytes: RawSpan) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for i in 0..<max(0, min(offset, bytes.byteCount)) {
            let byte = bytes.byte(i)
            if byte == ASCII.lineFeed {
                line += 1
                column = 1
            } else if byte & 0xc0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }
}
