/// A JSON value as a tree, for values that are read as a whole or changed. Strings and numbers keep their bytes, so
/// that nothing is lost on the way.
///
/// Where only a few members of a large object are needed, ``JSONCursor`` is faster.
public indirect enum JSONTree: Sendable, Equatable {
    /// The bytes between the quotes, escapes included.
    case string([UInt8])
    /// A number, `true`, `false` or `null`.
    case scalar([UInt8])
    /// A list.
    case array([JSONTree])
    /// An object, with its members in order. A key may occur twice.
    case object([Member])

    /// A member of an object.
    public struct Member: Sendable, Equatable {
        /// The bytes between the quotes, escapes included.
        public var key: [UInt8]
        /// The value.
        public var value: JSONTree

        /// Creates a member.
        public init(key: [UInt8], value: JSONTree) {
            self.key = key
            self.value = value
        }

        /// The key, decoded.
        public var name: String { decoded(key) }

        /// Whether the key is written exactly like this.
        public func hasKey(_ name: StaticString) -> Bool {
            key.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }

        /// Writes the member into an object.
        public func write(to writer: inout JSONWriter) {
            writer.key(escaped: key)
            value.write(to: &writer)
        }
    }

    /// Reads a value. nil if the bytes are not exactly one JSON value.
    public init?(_ bytes: RawSpan) {
        var cursor = JSONCursor()
        do throws(JSONError) {
            self = try JSONTree(&cursor, bytes)
            try cursor.end(bytes)
        } catch {
            return nil
        }
    }

    /// The recursion is as deep as the value, whose depth the cursor limits.
    private init(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        switch try cursor.peekKind(bytes) {
        case .object:
            var members: [Member] = []
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                members.append(Member(key: bytes.inner(key), value: try JSONTree(&cursor, bytes)))
            }
            self = .object(members)
        case .array:
            var elements: [JSONTree] = []
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) { elements.append(try JSONTree(&cursor, bytes)) }
            self = .array(elements)
        case .string:
            self = .string(bytes.inner(try cursor.skipValue(bytes).range))
        case .number, .true, .false, .null:
            let range = try cursor.skipValue(bytes).range
            self = .scalar(bytes.extracting(range).withUnsafeBytes { Array($0) })
        }
    }

    /// Writes the value.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .string(let inner): writer.raw([ASCII.quote] + inner + [ASCII.quote])
        case .scalar(let bytes): writer.raw(bytes)
        case .array(let elements): writer.array { for element in elements { element.write(to: &$0) } }
        case .object(let members): writer.object { for member in members { member.write(to: &$0) } }
        }
    }
}

extension JSONTree {
    /// The value as JSON, without white space.
    public var encoded: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    /// The last member of an object with this key; nil if there is none, or if the value is no object.
    public subscript(name: StaticString) -> JSONTree? {
        members?.last { $0.hasKey(name) || ($0.key.contains(ASCII.backslash) && $0.name == "\(name)") }?.value
    }

    /// The members of an object; nil for any other value.
    public var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// The elements of a list; nil for any other value.
    public var elements: [JSONTree]? { if case .array(let elements) = self { elements } else { nil } }

    /// The text of a string, decoded; nil for any other value.
    public var string: String? { if case .string(let inner) = self { decoded(inner) } else { nil } }

    /// The bytes of a number, `true`, `false` or `null`; nil for any other value.
    public var scalar: [UInt8]? { if case .scalar(let bytes) = self { bytes } else { nil } }

    /// Whether the value is `null`.
    public var isNull: Bool { scalar?.first == UInt8(ascii: "n") }

    /// A boolean; nil for any other value.
    public var bool: Bool? {
        switch scalar?.first {
        case UInt8(ascii: "t"): true
        case UInt8(ascii: "f"): false
        default: nil
        }
    }

    /// A number that is whole and fits, in whatever notation; nil for any other value.
    public var integer: Int? { number.flatMap { JSON.integer($0.value, in: $0.bytes.span.bytes) } }

    /// A number; nil for any other value, and if it exceeds the range of a Double.
    public var double: Double? { number.flatMap { JSON.double($0.value, in: $0.bytes.span.bytes) } }

    private var number: (value: JSONValue, bytes: [UInt8])? {
        guard let scalar, let first = scalar.first, ASCII.isDigit(first) || first == ASCII.minus else { return nil }
        return (JSONValue(range: 0..<scalar.count, kind: .number), scalar)
    }
}

/// The text of the bytes between a string's quotes.
private func decoded(_ inner: [UInt8]) -> String {
    guard inner.contains(ASCII.backslash) else { return String(decoding: inner, as: UTF8.self) }
    let literal = [ASCII.quote] + inner + [ASCII.quote]
    return JSON.string(0..<literal.count, in: literal.span.bytes)
}

extension RawSpan {
    /// The bytes between a string's quotes.
    fileprivate func inner(_ literal: Range<Int>) -> [UInt8] {
        extracting((literal.lowerBound + 1)..<(literal.upperBound - 1)).withUnsafeBytes { Array($0) }
    }
}
