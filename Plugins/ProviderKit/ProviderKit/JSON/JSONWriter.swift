/// Builds a JSON text at the end of `bytes`. Commas come by themselves; that what begins also ends is the caller's part.
public struct JSONWriter: Sendable {
    public var bytes: [UInt8]
    @usableFromInline var needsComma = false

    public init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    /// Room for so many bytes from the start.
    public init(capacity: Int) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    @inlinable
    public mutating func beginObject() {
        separate()
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    @inlinable
    public mutating func endObject() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    @inlinable
    public mutating func beginArray() {
        separate()
        bytes.append(UInt8(ascii: "["))
        needsComma = false
    }

    @inlinable
    public mutating func endArray() {
        bytes.append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// A member's key, which has no character that JSON escapes; its value is what is written next.
    @inlinable
    public mutating func key(_ key: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member's key, whatever it holds.
    public mutating func key(escaping key: String) {
        separate()
        appendLiteral(key)
        bytes.append(Ascii.colon)
        needsComma = false
    }

    public mutating func string(_ value: String) {
        separate()
        appendLiteral(value)
        needsComma = true
    }

    public mutating func integer(_ value: Int) {
        separate()
        if value < 0 { bytes.append(Ascii.minus) }
        appendDigits(value.magnitude)
        needsComma = true
    }

    /// `value` divided by a thousand, as a decimal: 1500 is written `1.500`, 2000 `2`. Not for negative values.
    public mutating func thousandths(_ value: Int) {
        integer(value / 1000)
        let rest = value.magnitude % 1000
        guard rest > 0 else { return }
        bytes.append(Ascii.dot)
        for divisor: UInt in [100, 10, 1] { bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest / divisor % 10)) }
    }

    /// The shortest digits that mean `value`; `null` for infinities and NaN, which JSON doesn't have.
    public mutating func double(_ value: Double) {
        text(value.isFinite ? value.description : "null")
    }

    public mutating func bool(_ value: Bool) {
        text(value ? "true" : "false")
    }

    public mutating func null() {
        text("null")
    }

    /// One value that is JSON already.
    public mutating func raw(_ json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// One value that is JSON already, at `range` of `source`.
    public mutating func raw(_ range: Range<Int>, of source: RawSpan) {
        separate()
        bytes.append(range, of: source)
        needsComma = true
    }

    @inlinable
    mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func appendDigits(_ value: UInt) {
        var divisor: UInt = 1
        while value / divisor >= 10 { divisor &*= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }

    private mutating func text(_ token: String) {
        separate()
        bytes.append(contentsOf: token.utf8)
        needsComma = true
    }

    private mutating func appendLiteral(_ text: String) {
        bytes.append(Ascii.quote)
        let source = text.utf8Span.span.bytes
        var plainStart = 0
        var i = 0
        while i < source.byteCount {
            i = source.firstMark(from: i, JSONGrammar.stops)
            let length = Self.lengthToEscape(source, i)
            guard length > 0 else {
                repeat { i &+= 1 } while source.byte(i) >= 0x80 && source.byte(i) != 0xe2
                continue
            }
            bytes.append(plainStart..<i, of: source)
            appendEscape(source, i)
            i &+= length
            plainStart = i
        }
        bytes.append(plainStart..<source.byteCount, of: source)
        bytes.append(Ascii.quote)
    }

    /// 1 for what JSON wants escaped, 3 for U+2028 and U+2029, which end a line in old JavaScript, 0 for all else.
    private static func lengthToEscape(_ source: RawSpan, _ i: Int) -> Int {
        switch source.byte(i) {
        case Ascii.quote, Ascii.backslash: 1
        case ..<0x20: i < source.byteCount ? 1 : 0
        case 0xe2 where source.byte(i &+ 1) == 0x80 && source.byte(i &+ 2) & 0xfe == 0xa8: 3
        default: 0
        }
    }

    private mutating func appendEscape(_ source: RawSpan, _ i: Int) {
        let byte = source.byte(i)
        bytes.append(Ascii.backslash)
        switch byte {
        case Ascii.quote, Ascii.backslash: bytes.append(byte)
        case Ascii.lineFeed: bytes.append(UInt8(ascii: "n"))
        case Ascii.carriageReturn: bytes.append(UInt8(ascii: "r"))
        case Ascii.tab: bytes.append(UInt8(ascii: "t"))
        case 0xe2: bytes.append(contentsOf: source.byte(i &+ 2) == 0xa8 ? "u2028".utf8 : "u2029".utf8)
        default:
            bytes.append(contentsOf: byte < 0x10 ? "u000".utf8 : "u001".utf8)
            let low = byte & 0x0f
            bytes.append(low < 10 ? UInt8(ascii: "0") &+ low : UInt8(ascii: "a") &+ low &- 10)
        }
    }
}
