/// An incremental decoder for a JSON array whose elements arrive one after another.
///
/// Only elements that are objects or arrays are returned. The decoder finds where they end, and doesn't check whether
/// they are valid JSON. The bytes may arrive in chunks of any size; the caller keeps them, as for ``NDJSONDecoder``,
/// and no byte is scanned twice.
public struct JSONArrayDecoder: Sendable {
    /// Whether the array's end was seen. What follows it is ignored.
    public private(set) var isClosed = false
    /// Where the element begins that is not complete yet; nil between two elements.
    private var start: Int?
    private var scanned = 0
    /// The number of open brackets and braces, the array's own included.
    private var depth = 0
    private var isInString = false
    private var isEscaped = false

    /// Creates a decoder.
    public init() {}

    /// The range of the next complete element; nil if none is complete yet.
    ///
    /// - Parameter bytes: all bytes that are not consumed yet. They may only grow until the next ``consume()``.
    public mutating func nextElement(_ bytes: RawSpan) -> Range<Int>? {
        while !isClosed, scanned < bytes.byteCount {
            let byte = bytes.byte(scanned)
            scanned &+= 1
            if isInString {
                passString(byte)
                continue
            }
            switch byte {
            case ASCII.quote: isInString = true
            case ASCII.openBrace, ASCII.openBracket:
                depth &+= 1
                if depth == 2 { start = scanned &- 1 }
            case ASCII.closeBrace, ASCII.closeBracket:
                depth &-= 1
                if depth <= 0 { isClosed = true }
                guard depth == 1, let start else { continue }
                self.start = nil
                return start..<scanned
            default: break
            }
        }
        return nil
    }

    /// The number of bytes at the front that are no longer needed. The caller removes them, and all later ranges count
    /// from the new start.
    public mutating func consume() -> Int {
        let count = start ?? scanned
        scanned &-= count
        if start != nil { start = 0 }
        return count
    }

    private mutating func passString(_ byte: UInt8) {
        if isEscaped {
            isEscaped = false
        } else if byte == ASCII.backslash {
            isEscaped = true
        } else if byte == ASCII.quote {
            isInString = false
        }
    }
}
