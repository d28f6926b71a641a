/// The kind of a JSON value. Its first byte decides it.
public enum JSONKind: UInt8, Sendable {
    /// An object, `{…}`.
    case object
    /// An array, `[…]`.
    case array
    /// A string.
    case string
    /// A number.
    case number
    /// The literal `true`.
    case `true`
    /// The literal `false`.
    case `false`
    /// The literal `null`.
    case null
}

/// The place of a value in the bytes that were scanned.
public struct JSONValue: Sendable, Equatable {
    /// The range of the value, without whitespace around it. The range of a string includes its quotes.
    public var range: Range<Int>
    /// The kind of the value.
    public var kind: JSONKind

    /// Creates a value.
    public init(range: Range<Int>, kind: JSONKind) {
        self.range = range
        self.kind = kind
    }
}

/// The place of an object's member in the bytes that were scanned.
public struct JSONMember: Sendable, Equatable {
    /// The range of the key, quotes included.
    public var key: Range<Int>
    /// The value.
    public var value: JSONValue

    /// Creates a member.
    public init(key: Range<Int>, value: JSONValue) {
        self.key = key
        self.value = value
    }

    /// The range from the key's first quote to the end of the value.
    public var range: Range<Int> { key.lowerBound..<max(key.lowerBound, value.range.upperBound) }
}
