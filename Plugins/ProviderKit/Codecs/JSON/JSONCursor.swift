/// A position in a JSON text that moves forward value by value: a pull parser.
///
/// The cursor checks everything that it passes against RFC 8259, UTF-8 included. It keeps no bytes: pass the same bytes
/// to each call. Nothing is allocated, and nesting is limited to ``maxDepth`` levels.
///
/// After ``nextKey(_:)`` or ``nextElement(_:)`` the cursor is before a value. Skip that value with ``skipValue(_:)``,
/// or enter it with ``enterObject(_:)`` or ``enterArray(_:)`` and iterate to its end. This reads the `id` of an object:
///
/// ```swift
/// var cursor = JSONCursor()
/// var id: String?
/// try cursor.enterObject(bytes)
/// while let key = try cursor.nextKey(bytes) {
///     let value = try cursor.skipValue(bytes)
///     if JSON.isKey(key, "id", in: bytes), value.kind == .string {
///         id = JSON.string(value.range, in: bytes)
///     }
/// }
/// try cursor.end(bytes)
/// ```
public struct JSONCursor: Sendable {
    /// The number of objects and arrays that may contain each other. A deeper text is an error.
    public static let maxDepth = 128

    /// The offset of the next byte to read.
    public var offset: Int
    /// The number of containers that were entered and not left yet.
    private(set) var depth = 0
    /// Whether nothing of the container that was entered last has been read yet.
    private var isFresh = false

    /// Creates a cursor at an offset, which must be at the start of a value or of whitespace before it.
    public init(at offset: Int = 0) {
        self.offset = offset
    }

    /// The kind of the next value, judged by its first byte alone. Whitespace before the value is skipped, and the
    /// value is not.
    @inline(__always)
    public mutating func peekKind(_ bytes: RawSpan) throws(JSONError) -> JSONKind {
        JSONGrammar.skipWhitespace(bytes, &offset)
        guard let kind = JSONGrammar.kind(bytes.byte(offset)) else { throw JSONError(offset: offset, expected: "a value") }
        return kind
    }

    /// Enters the object that is the next value. Its members follow with ``nextKey(_:)``.
    ///
    /// Throws if the next value is not an object, or is nested too deeply.
    public mutating func enterObject(_ bytes: RawSpan) throws(JSONError) {
        try enter(bytes, ASCII.openBrace, expected: "'{'")
    }

    /// The range of the next member's key, quotes included; nil if the object has ended.
    ///
    /// After a key the cursor is before the member's value, which the caller must skip or enter. After nil it is after
    /// the object.
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

    /// Enters the array that is the next value. Its elements follow with ``nextElement(_:)``.
    ///
    /// Throws if the next value is not an array, or is nested too deeply.
    public mutating func enterArray(_ bytes: RawSpan) throws(JSONError) {
        try enter(bytes, ASCII.openBracket, expected: "'['")
    }

    /// Whether the array has another element.
    ///
    /// If so, the cursor is before the element, which the caller must skip or enter. If not, it is after the array.
    public mutating func nextElement(_ bytes: RawSpan) throws(JSONError) -> Bool {
        try advance(bytes, until: ASCII.closeBracket, expected: "',' or ']'")
    }

    /// Moves past the next value, nested values included, and returns its range and kind.
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

    /// Checks that nothing but whitespace follows.
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

    /// Moves past a comma or past the end of the container.
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
