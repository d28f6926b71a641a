/// A builder for a JSON text. It writes commas and colons by itself.
///
/// It does not check the structure: each object or array that is begun must be ended, and each key must be followed by
/// one value. ``object(_:)`` and ``array(_:)`` end what they begin.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object {
///     $0.member("model", "gpt-5")
///     $0.key("stop")
///     $0.array { $0.string("\n") }
/// }
/// let json = writer.bytes  // {"model":"gpt-5","stop":["\n"]}
/// ```
///
/// A writer has one owner and its own memory, so that writing a member costs no more than copying its bytes.
public struct JSONWriter: ~Copyable, @unchecked Sendable {  // its memory has no other reference
    private var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var count = 0
    private var needsComma = false

    /// Creates a writer with an empty text.
    ///
    /// - Parameter capacity: the number of bytes to reserve. The text may grow beyond it.
    public init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        start = .allocate(capacity: self.capacity)
    }

    deinit { start.deallocate() }

    /// Begins another text in the same memory.
    public mutating func removeAll() { (count, needsComma) = (0, false) }

    /// A copy of the text so far.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    /// Calls `body` with the text so far, without a copy. The bytes are valid only during that call.
    public borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    // MARK: Containers

    /// Begins an object, which ``endObject()`` must end.
    public mutating func beginObject() { begin(ASCII.openBrace) }
    /// Ends the object that was begun last.
    public mutating func endObject() { end(ASCII.closeBrace) }
    /// Begins an array, which ``endArray()`` must end.
    public mutating func beginArray() { begin(ASCII.openBracket) }
    /// Ends the array that was begun last.
    public mutating func endArray() { end(ASCII.closeBracket) }

    /// Writes the key of a member; the next call must write its value. The key is not escaped, so it must not contain a
    /// quote, a backslash or a control character.
    public mutating func key(_ key: StaticString) {
        let to = beginValue(atMost: key.utf8CodeUnitCount &+ 3)
        to.pointee = ASCII.quote
        Self.copy(key.utf8Start, count: key.utf8CodeUnitCount, to: to + 1)
        endKey(to + 1 + key.utf8CodeUnitCount)
    }

    /// Writes the key of a member, with escapes if it needs them; the next call must write its value.
    public mutating func key(escaping key: String) {
        string(key)
        append(ASCII.colon)
        needsComma = false
    }

    /// Writes a key whose characters are escaped already.
    public mutating func key(escaped key: [UInt8]) {
        raw([ASCII.quote] + key + [ASCII.quote])
        append(ASCII.colon)
        needsComma = false
    }

    // MARK: Values

    /// Writes a string, with escapes if it needs them.
    public mutating func string(_ value: String) {
        value.utf8.span.withUnsafeBufferPointer { literal($0) }
    }

    private mutating func literal(_ text: UnsafeBufferPointer<UInt8>) {
        let to = beginValue(atMost: text.count &+ 2)
        to.pointee = ASCII.quote
        guard Self.copyPlain(text, to: to + 1) else {
            count &+= 1
            appendEscaped(text.span.bytes)
            return append(ASCII.quote)
        }
        to[text.count &+ 1] = ASCII.quote
        endValue(to + (text.count &+ 2))
    }

    /// Writes an integer.
    public mutating func integer(_ value: Int) {
        let to = beginValue(atMost: 20)
        if value < 0 { to.pointee = ASCII.minus }
        endValue(Self.write(value.magnitude, to: value < 0 ? to + 1 : to))
    }

    /// Writes `value` divided by a thousand as a decimal number: 1500 as `1.500`, and 2000 as `2`.
    ///
    /// - Parameter value: at least 0. The sign of a negative value is lost.
    public mutating func thousandths(_ value: Int) {
        let (whole, rest) = value.magnitude.quotientAndRemainder(dividingBy: 1000)
        var to = Self.write(whole, to: beginValue(atMost: 24))
        if rest > 0 {
            to[0] = ASCII.dot
            to[1] = ASCII.zero &+ UInt8(truncatingIfNeeded: rest / 100)
            to[2] = ASCII.zero &+ UInt8(truncatingIfNeeded: rest / 10 % 10)
            to[3] = ASCII.zero &+ UInt8(truncatingIfNeeded: rest % 10)
            to += 4
        }
        endValue(to)
    }

    /// Writes a number with the fewest digits that read back as `value`. Infinities and NaN, which JSON doesn't have,
    /// are written as `null`.
    public mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        let digits = Array(value.description.utf8)
        raw(digits)
    }

    /// Writes a string of the hexadecimal digits of numbers, 16 for each.
    public mutating func hexadecimal<let count: Int>(_ numbers: InlineArray<count, UInt64>) {
        var to = beginValue(atMost: 16 * count + 2)
        to.pointee = ASCII.quote
        to += 1
        for index in numbers.indices {
            let digits = Hex.digits(of: numbers[index]), raw = UnsafeMutableRawPointer(to)
            raw.storeBytes(of: digits.high.bigEndian, as: UInt64.self)
            raw.storeBytes(of: digits.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            to += 16
        }
        to.pointee = ASCII.quote
        endValue(to + 1)
    }

    /// Writes a string with an integer in it, as formats have it whose numbers are longer than JSON's.
    public mutating func quoted(_ value: Int) {
        beginValue(atMost: 1).pointee = ASCII.quote
        count &+= 1
        needsComma = false
        integer(value)
        append(ASCII.quote)
    }

    /// Writes a string that needs no escapes.
    public mutating func plain(_ value: StaticString) {
        plain(value.utf8Start, count: value.utf8CodeUnitCount)
    }

    /// Writes a string that needs no escapes, given as UTF-8.
    public mutating func plain(_ value: RawSpan) {
        value.withUnsafeBytes { value in
            value.withMemoryRebound(to: UInt8.self) { if let start = $0.baseAddress { plain(start, count: $0.count) } }
        }
    }

    private mutating func plain(_ text: UnsafePointer<UInt8>, count: Int) {
        let to = beginValue(atMost: count &+ 2)
        to.pointee = ASCII.quote
        Self.copy(text, count: count, to: to + 1)
        to[count &+ 1] = ASCII.quote
        endValue(to + (count &+ 2))
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) { token(value ? "true" : "false") }

    /// Writes `null`.
    public mutating func null() { token("null") }

    /// Writes a value that is JSON already. It is not checked.
    public mutating func raw(_ json: [UInt8]) {
        raw(0..<json.count, of: json.span.bytes)
    }

    /// Writes a value that is JSON already, at `range` of `source`. It is not checked, and the range is clamped to the
    /// bytes.
    public mutating func raw(_ range: Range<Int>, of source: RawSpan) {
        source.extracting(range.clamped(to: 0..<source.byteCount)).withUnsafeBytes { json in
            let to = beginValue(atMost: json.count)
            if let bytes = json.baseAddress { UnsafeMutableRawPointer(to).copyMemory(from: bytes, byteCount: json.count) }
            endValue(to + json.count)
        }
    }

    // MARK: Storage

    /// A pointer to the end of the text, with room for `more` bytes.
    private mutating func room(for more: Int) -> UnsafeMutablePointer<UInt8> {
        if capacity &- count < more { grow(by: more) }
        return start + count
    }

    @inline(never)
    private mutating func grow(by more: Int) {
        capacity = max(2 &* capacity, count + more)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        grown.update(from: start, count: count)
        start.deallocate()
        start = grown
    }

    /// A pointer to which a value of at most `bytes` bytes can be written, after the comma that separates it from the
    /// value before.
    private mutating func beginValue(atMost bytes: Int) -> UnsafeMutablePointer<UInt8> {
        let to = room(for: bytes &+ 1)
        guard needsComma else { return to }
        to.pointee = ASCII.comma
        count &+= 1
        return to + 1
    }

    private mutating func endValue(_ end: UnsafeMutablePointer<UInt8>) {
        count = end - start
        needsComma = true
    }

    private mutating func endKey(_ end: UnsafeMutablePointer<UInt8>) {
        end[0] = ASCII.quote
        end[1] = ASCII.colon
        count = (end + 2) - start
        needsComma = false
    }

    private mutating func begin(_ opener: UInt8) {
        beginValue(atMost: 1).pointee = opener
        count &+= 1
        needsComma = false
    }

    private mutating func end(_ closer: UInt8) {
        append(closer)
        needsComma = true
    }

    mutating func append(_ byte: UInt8) {
        room(for: 1).pointee = byte
        count &+= 1
        needsComma = true
    }

    mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        room(for: bytes.count).update(from: source, count: bytes.count)
        count &+= bytes.count
    }

    private mutating func token(_ token: StaticString) {
        let to = beginValue(atMost: token.utf8CodeUnitCount)
        Self.copy(token.utf8Start, count: token.utf8CodeUnitCount, to: to)
        endValue(to + token.utf8CodeUnitCount)
    }

    /// Writes a number without leading zeros, and returns a pointer past its last digit.
    private static func write(_ value: UInt, to start: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
        if value < 10 {
            start.pointee = ASCII.zero &+ UInt8(truncatingIfNeeded: value)
            return start + 1
        }
        var digits = 1
        var power: UInt = 10
        while value >= power, digits < 20 {
            digits &+= 1
            let (next, overflow) = power.multipliedReportingOverflow(by: 10)
            power = overflow ? .max : next
        }
        var rest = value
        var i = digits
        while i > 0 {
            i &-= 1
            start[i] = ASCII.zero &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return start + digits
    }
}
