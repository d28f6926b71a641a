/// Reading JSON where it lies: checks and ranges, no tree. The bytes are a parameter of each call and never kept.
public enum JSON {
    /// Checks that the bytes are exactly one value.
    public static func validate(_ bytes: RawSpan) throws(JSONError) {
        var cursor = JSONCursor()
        _ = try cursor.skipValue(bytes)
        try cursor.end(bytes)
    }

    /// The members of the one object that the bytes are, in order, duplicates included. All of it is checked.
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

    /// Whether a scanned key means `name`: `"mod\u0065l"` is `model`.
    @inlinable
    public static func isKey(_ key: Range<Int>, _ name: StaticString, in bytes: RawSpan) -> Bool {
        // Most keys differ from most names in their length or their first byte; an escape only makes a literal longer.
        guard key.upperBound &- key.lowerBound >= name.utf8CodeUnitCount &+ 2, key.lowerBound >= 0, key.upperBound <= bytes.byteCount else {
            return false
        }
        let first = bytes.unsafeLoad(fromUncheckedByteOffset: key.lowerBound &+ 1, as: UInt8.self)
        guard first == name.utf8Start.pointee || first == UInt8(ascii: "\\") || name.utf8CodeUnitCount == 0 else { return false }
        return equals(key, name, in: bytes)
    }

    /// - Parameter literal: at least as long as `name` with quotes, and within the bytes.
    @usableFromInline
    static func equals(_ literal: Range<Int>, _ name: StaticString, in bytes: RawSpan) -> Bool {
        let text = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        // With an escape a literal is longer than what it means.
        if literal.upperBound &- literal.lowerBound == text.count &+ 2 { return bytes.hasPlain(text, at: literal.lowerBound &+ 1) }
        var i = literal.lowerBound &+ 1
        for expected in text {
            let byte = bytes.byte(i)
            if byte == ASCII.backslash { return means(literal, text, in: bytes) }
            guard byte == expected else { return false }
            i &+= 1
        }
        // No escape means nothing at all, so the name has to end with the literal.
        return i &+ 1 == literal.upperBound
    }

    /// Whether a scanned value is a string that means `text`.
    public static func isString(_ value: JSONValue, _ text: StaticString, in bytes: RawSpan) -> Bool {
        value.kind == .string && isKey(value.range, text, in: bytes)
    }

    private static func means(_ literal: Range<Int>, _ name: UnsafeBufferPointer<UInt8>, in bytes: RawSpan) -> Bool {
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
