/// Functions that read JSON in place: they check a text and return ranges of it, and build no tree.
///
/// The bytes are a parameter of each call and are never kept. A *scanned* value or key is a range that a ``JSONCursor``
/// or ``members(of:)`` has returned for the same bytes. For any other range the functions return an unspecified value,
/// but never trap.
public enum JSON {
    /// Checks that the bytes are exactly one JSON value, with optional whitespace around it.
    public static func validate(_ bytes: RawSpan) throws(JSONError) {
        var cursor = JSONCursor()
        _ = try cursor.skipValue(bytes)
        try cursor.end(bytes)
    }

    /// The members of an object, in order and including duplicates. The bytes must be exactly one object, and the
    /// whole object is checked, nested values included.
    public static func members(of bytes: RawSpan) throws(JSONError) -> [JSONMember] {
        var cursor = JSONCursor()
        var members: [JSONMember] = []
        members.reserveCapacity(16)
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            members.append(JSONMember(key: key, value: try cursor.skipValue(bytes)))
        }
        try cursor.end(bytes)
        return members
    }

    /// Whether a byte is white space between JSON's tokens.
    public static func isBlank(_ byte: UInt8) -> Bool { JSONGrammar.isWhitespace(byte) }

    /// Valid JSON on one line, for a frame that a line break ends. A line break is only allowed between tokens, where a
    /// space means the same.
    public static func onOneLine(_ json: some Sequence<UInt8>) -> [UInt8] { json.map { isBlank($0) ? ASCII.space : $0 } }

    /// Whether a scanned key is `name`. Escapes are decoded: `"mod\u0065l"` is `model`.
    @inlinable
    public static func isKey(_ key: Range<Int>, _ name: StaticString, in bytes: RawSpan) -> Bool {
        // Most keys differ from most names in their length or their first byte. An escape only makes a literal longer.
        guard key.upperBound &- key.lowerBound >= name.utf8CodeUnitCount &+ 2, key.lowerBound >= 0, key.upperBound <= bytes.byteCount else {
            return false
        }
        let first = bytes.unsafeLoad(fromUncheckedByteOffset: key.lowerBound &+ 1, as: UInt8.self)
        guard first == name.utf8Start.pointee || first == UInt8(ascii: "\\") || name.utf8CodeUnitCount == 0 else { return false }
        return equals(key, name, in: bytes)
    }

    /// - Parameter literal: a range inside the bytes that is at least as long as `name` with quotes.
    @usableFromInline
    static func equals(_ literal: Range<Int>, _ name: StaticString, in bytes: RawSpan) -> Bool {
        let text = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        // A literal with an escape is longer than the text that it encodes.
        if literal.upperBound &- literal.lowerBound == text.count &+ 2 { return bytes.hasPlain(text, at: literal.lowerBound &+ 1) }
        var i = literal.lowerBound &+ 1
        for expected in text {
            let byte = bytes.byte(i)
            if byte == ASCII.backslash { return decodes(literal, to: text, in: bytes) }
            guard byte == expected else { return false }
            i &+= 1
        }
        // No escape encodes an empty text, so the literal must end where the name ends.
        return i &+ 1 == literal.upperBound
    }

    /// Whether a scanned value is a string that is equal to `text` once its escapes are decoded.
    public static func isString(_ value: JSONValue, _ text: StaticString, in bytes: RawSpan) -> Bool {
        value.kind == .string && isKey(value.range, text, in: bytes)
    }

    private static func decodes(_ literal: Range<Int>, to name: UnsafeBufferPointer<UInt8>, in bytes: RawSpan) -> Bool {
        var content = JSONContent(of: literal, in: bytes)
        var rest = name[...]
        while let part = content.next(bytes) {
            switch part {
            case .plain(let range):
                for i in range where rest.popFirst() != bytes.byte(i) { return false }
            case .escaped(let scalar):
                for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter where rest.popFirst() != byte { return false }
            }
        }
        return rest.isEmpty
    }
}
