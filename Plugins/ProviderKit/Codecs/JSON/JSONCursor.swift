/// A place in a JSON text, moved by pulling. It checks what it passes against RFC 8259, UTF-8 included, and holds no bytes:
/// each call gets the same ones. Nothing is allocated, no byte is read twice, and nesting ends at 128 levels.
///
/// ```swift
/// try cursor.enterObject(bytes)
/// while let key = try cursor.nextKey(bytes) {
///     if JSON.isKey(key, "id", in: bytes) { … } else { try cursor.skipValue(bytes) }
/// }
/// try cursor.end(bytes)
/// ```
public struct JSONCursor: Sendable {
    public static let maxDepth = 128

    public var offset: Int
    /// Containers entered and not yet left.
    private(set) var depth = 0
    /// Nothing was read yet of the container that was entered last.
    private var isFresh = false

    public init(at offset: Int = 0) {
        self.offset = offset
    }

    /// The kind of the value that follows, by its first byte alone. Afterwards the cursor stands on that byte.
    @inline(__always)
    public mutating func peekKind(_ bytes: RawSpan) throws(JSONError) -> JSONKind {
        JSONGrammar.skipWhitespace(bytes, &offset)
        guard let kind = JSONGrammar.kind(bytes.byte(offset)) else { throw JSONError(offset: offset, expected: "a value") }
        return kind
    }

    public mutating func enterObject(_ bytes: RawSpan) throws(JSONError) {
        try enter(bytes, ASCII.openBrace, expected: "'{'")
    }

    /// The next member's key, with its quotes; nil: the object has ended, and the cursor stands behind it.
    /// After a key the cursor stands before its value, which has to be skipped or entered.
    public mutating func nextKey(_ bytes: RawSpan) throws(JSONError) -> Range<Int>? {
        guard try advance(bytes, until: ASCII.closeBrace, expected: "',' or '}'") else { return nil }
        var i = offset
        JSONGrammar.skipWhitespace(bytes, &i)
        let start = i
        guard bytes.byte(i) == ASCII.quote else { throw JSONError(offset: i, expected: "a key in quotes") }
        i = bytes.firstMark(from: i &+ 1, JSONGrammar.stops)
        if bytes.byte(i) == ASCII.quote {
            i &+= 1
        } else {
            i = start
            try JSONGrammar.passString(bytes, &i)
        }
        let end = i
        try JSONGrammar.passColon(bytes, &i)
        offset = i
        return start..<end
    }

    public mutating func enterArray(_ bytes: RawSpan) throws(JSONError) {
        try enter(bytes, ASCII.openBracket, expected: "'['")
    }

    /// Whether another element follows, which has to be skipped or entered. If not, the cursor stands behind the array.
    public mutating func nextElement(_ bytes: RawSpan) throws(JSONError) -> Bool {
        try advance(bytes, until: ASCII.closeBracket, expected: "',' or ']'")
    }

    /// Passes one value with all that is in it.
    @discardableResult
    public mutating func skipValue(_ bytes: RawSpan) throws(JSONError) -> JSONValue {
        let kind = try peekKind(bytes)
        let start = offset
        switch kind {
        case .string: try JSONGrammar.passString(bytes, &offset)
        case .number: try JSONGrammar.passNumber(bytes, &offset)
        case .true, .false, .null: try JSONGrammar.passLiteral(bytes, &offset, kind)
        case .object, .array: try JSONGrammar.passContainer(bytes, &offset, isObject: kind == .object, outerDepth: depth)
        }
        return JSONValue(range: start..<offset, kind: kind)
    }

    /// Checks that only whitespace follows.
    public mutating func end(_ bytes: RawSpan) throws(JSONError) {
        JSONGrammar.skipWhitespace(bytes, &offset)
        guard offset == bytes.byteCount else { throw JSONError(offset: offset, expected: "the end of the text") }
    }

    @inline(__always)
    private mutating func enter(_ bytes: RawSpan, _ opener: UInt8, expected: String) throws(JSONError) {
        JSONGrammar.skipWhitespace(bytes, &offset)
        guard bytes.byte(offset) == opener else { throw JSONError(offset: offset, expected: expected) }
        guard depth < Self.maxDepth else { throw JSONGrammar.tooDeep(offset) }
        offset &+= 1
        depth &+= 1
        isFresh = true
    }

    /// Passes a comma, or the container's end.
    @inline(__always)
    private mutating func advance(_ bytes: RawSpan, until closer: UInt8, expected: String) throws(JSONError) -> Bool {
        JSONGrammar.skipWhitespace(bytes, &offset)
        let byte = bytes.byte(offset)
        if byte == closer {
            offset &+= 1
            depth = max(0, depth &- 1)
            isFresh = false
            return false
        }
        if isFresh {
            isFresh = false
            return true
        }
        guard byte == ASCII.comma else { throw JSONError(offset: offset, expected: expected) }
        offset &+= 1
        return true
    }
}
