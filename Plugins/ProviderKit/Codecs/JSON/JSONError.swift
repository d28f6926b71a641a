/// A mistake in a JSON text: its place, and what was expected there.
public struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The offset of the first wrong byte. If the text ends too early, it is the number of bytes.
    public var offset: Int
    /// What was expected at the offset, in words: `a value`, `',' or '}'`.
    public var expected: String

    /// What is expected where bytes are not UTF-8.
    static let validUTF8 = "valid UTF-8"

    /// Whether the bytes at the offset are not UTF-8.
    public var isInvalidUTF8: Bool { expected == Self.validUTF8 }

    /// Creates an error.
    public init(offset: Int, expected: String) {
        self.offset = offset
        self.expected = expected
    }

    /// The error in words: `expected a value at byte 7`.
    public var description: String { "expected \(expected) at byte \(offset)" }

    /// The line and the column of the error, both counted from 1. A column is one Unicode scalar.
    ///
    /// - Parameter bytes: the bytes that were read.
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
