public enum JSONKind: UInt8, Sendable {
    case object, array, string, number, `true`, `false`, null
}

/// Where a value stands in the bytes that were scanned.
public struct JSONValue: Sendable, Equatable {
    /// A string's has its quotes in it.
    public var range: Range<Int>
    public var kind: JSONKind

    public init(range: Range<Int>, kind: JSONKind) {
        self.range = range
        self.kind = kind
    }
}

/// Where a member of an object stands in the bytes that were scanned.
public struct JSONMember: Sendable, Equatable {
    /// With its quotes.
    public var key: Range<Int>
    public var value: JSONValue

    public init(key: Range<Int>, value: JSONValue) {
        self.key = key
        self.value = value
    }

    /// From the key's first quote to the value's last byte.
    public var range: Range<Int> { key.lowerBound..<max(key.lowerBound, value.range.upperBound) }
}
