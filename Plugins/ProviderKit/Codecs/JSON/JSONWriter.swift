/// Builds a JSON text. Commas come by themselves; that what begins also ends is the client's part.
///
/// It has one owner and memory of its own, so that a member costs no more than its bytes.
public struct JSONWriter: ~Copyable, @unchecked Sendable {  // nobody else knows where its memory is
    private var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private var count = 0
    private var needsComma = false

    /// - Parameter capacity: room for so many bytes from the start.
    public init(capacity: Int = 256) {
        self.capacity = max(capacity, 16)
        start = .allocate(capacity: self.capacity)
    }

    deinit { start.deallocate() }

    /// The text so far.
    public var bytes: [UInt8] { withBytes { Array($0) } }

    /// The text so far, where it lies.
    public borrowing func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    // MARK: containers

    public mutating func beginObject() { begin(ASCII.openBrace) }
    public mutating func endObject() { end(ASCII.closeBrace) }
    public mutating func beginArray() { begin(ASCII.openBracket) }
    public mutating func endArray() { end(ASCII.closeBracket) }

    /// A member's key, which has no character that JSON escapes; its value is what is written next.
    public mutating func key(_ key: StaticString) {
        let to = beginValue(atMost: key.utf8CodeUnitCount &+ 3)
        to.pointee = ASCII.quote
        Self.copy(key.utf8Start, key.utf8CodeUnitCount, to: to + 1)
        endKey(to + 1 + key.utf8CodeUnitCount)
    }

    /// A member's key, whatever it holds.
    public mutating func key(escaping key: String) {
        string(key)
        append(ASCII.colon)
        needsComma = false
    }

    // MARK: values

    public mutating func string(_ value: String) {
        value.utf8.span.withUnsafeBufferPointer { literal($0) }
    }

    private mutating func literal(_ text: UnsafeBufferPointer<UInt8>) {
        let to = beginValue(atMost: text.count &+ 2)
        to.pointee = ASCII.quote
        guard Self.isPlain(text) else {
            count &+= 1
            escape(text.span.bytes)
            return append(ASCII.quote)
        }
        if let source = text.baseAddress { Self.copy(source, text.count, to: to + 1) }
        to[text.count &+ 1] = ASCII.quote
        endValue(to + (text.count &+ 2))
    }

    public mutating func integer(_ value: Int) {
        let to = beginValue(atMost: 20)
        if value < 0 { to.pointee = ASCII.minus }
        endValue(Self.write(value.magnitude, to: value < 0 ? to + 1 : to))
    }

    /// `value` divided by a thousand, as a decimal: 1500 is written `1.500`, 2000 `2`. Not for negative values.
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

    /// The shortest digits that mean `value`; `null` for infinities and NaN, which JSON doesn't have.
    public mutating func double(_ value: Double) {
        guard value.isFinite else { return null() }
        let digits = Array(value.description.utf8)
        raw(digits)
    }

    public mutating func bool(_ value: Bool) { token(value ? "true" : "false") }

    public mutating func null() { token("null") }

    /// One value that is JSON already.
    public mutating func raw(_ json: [UInt8]) {
        raw(0..<json.count, of: json.span.bytes)
    }

    /// One value that is JSON already, at `range` of `source`.
    public mutating func raw(_ range: Range<Int>, of source: RawSpan) {
        source.extracting(range.clamped(to: 0..<source.byteCount)).withUnsafeBytes { json in
            let to = beginValue(atMost: json.count)
            if let bytes = json.baseAddress { UnsafeMutableRawPointer(to).copyMemory(from: bytes, byteCount: json.count) }
            endValue(to + json.count)
        }
    }

    // MARK: bytes

    /// Most keys and texts are so short that a call of `memcpy` would cost more than they do.
    @inline(__always)
    private static func copy(_ source: UnsafePointer<UInt8>, _ count: Int, to place: UnsafeMutablePointer<UInt8>) {
        guard (4...16).contains(count) else { return place.update(from: source, count: count) }
        let from = UnsafeRawPointer(source), to = UnsafeMutableRawPointer(place)
        // Its beginning and its end, which may overlap.
        if count >= 8 {
            let end = from.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            to.storeBytes(of: from.loadUnaligned(as: UInt64.self), as: UInt64.self)
            to.storeBytes(of: end, toByteOffset: count &- 8, as: UInt64.self)
        } else {
            let end = from.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            to.storeBytes(of: from.loadUnaligned(as: UInt32.self), as: UInt32.self)
            to.storeBytes(of: end, toByteOffset: count &- 4, as: UInt32.self)
        }
    }

    /// Where so many more bytes have their place.
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

    /// Separates it from the value before; the comma's byte is asked for too.
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

    private mutating func append(_ byte: UInt8) {
        room(for: 1).pointee = byte
        count &+= 1
        needsComma = true
    }

    private mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let source = bytes.baseAddress else { return }
        room(for: bytes.count).update(from: source, count: bytes.count)
        count &+= bytes.count
    }

    private mutating func token(_ token: StaticString) {
        let to = beginValue(atMost: token.utf8CodeUnitCount)
        to.update(from: token.utf8Start, count: token.utf8CodeUnitCount)
        endValue(to + token.utf8CodeUnitCount)
    }

    /// The digits, without a zero before them; returns where they end.
    private static func write(_ value: UInt, to start: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
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

    // MARK: escapes

    /// Whether all of it is ASCII that means itself between quotes.
    private static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let bytes = text.span.bytes
        var i = 0
        while let word = bytes.word(i) {
            guard JSONGrammar.stops(word) == 0 else { return false }
            i &+= 8
        }
        while i < text.count {
            let byte = text[i]
            guard byte >= 0x20, byte < 0x80, byte != ASCII.quote, byte != ASCII.backslash else { return false }
            i &+= 1
        }
        return true
    }

    private mutating func escape(_ source: RawSpan) {
        var plainStart = 0
        var i = 0
        while i < source.byteCount {
            i = source.firstMark(from: i, JSONGrammar.stops)
            let length = Self.lengthToEscape(source, i)
            guard length > 0 else {
                repeat { i &+= 1 } while source.byte(i) >= 0x80 && source.byte(i) != 0xe2
                continue
            }
            append(plainStart..<min(i, source.byteCount), of: source)
            appendEscape(source, i)
            i &+= length
            plainStart = i
        }
        append(min(plainStart, source.byteCount)..<source.byteCount, of: source)
    }

    private mutating func append(_ range: Range<Int>, of source: RawSpan) {
        source.extracting(range).withUnsafeBytes { $0.withMemoryRebound(to: UInt8.self) { append($0) } }
    }

    /// 1 for what JSON wants escaped, 3 for U+2028 and U+2029, which end a line in old JavaScript, 0 for all else.
    private static func lengthToEscape(_ source: RawSpan, _ i: Int) -> Int {
        switch source.byte(i) {
        case ASCII.quote, ASCII.backslash: 1
        case ..<0x20: i < source.byteCount ? 1 : 0
        case 0xe2 where source.byte(i &+ 1) == 0x80 && source.byte(i &+ 2) & 0xfe == 0xa8: 3
        default: 0
        }
    }

    private mutating func appendEscape(_ source: RawSpan, _ i: Int) {
        let byte = source.byte(i)
        append(ASCII.backslash)
        switch byte {
        case ASCII.quote, ASCII.backslash: append(byte)
        case ASCII.lineFeed: append(UInt8(ascii: "n"))
        case ASCII.carriageReturn: append(UInt8(ascii: "r"))
        case ASCII.tab: append(UInt8(ascii: "t"))
        case 0xe2: append(source.byte(i &+ 2) == 0xa8 ? "u2028" : "u2029")
        default:
            append(byte < 0x10 ? "u000" : "u001")
            let low = byte & 0x0f
            append(low < 10 ? ASCII.zero &+ low : UInt8(ascii: "a") &+ low &- 10)
        }
    }

    private mutating func append(_ text: StaticString) {
        append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
