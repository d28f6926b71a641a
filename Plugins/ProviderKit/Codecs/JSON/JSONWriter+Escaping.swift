extension JSONWriter {
    /// Copies a short text, which takes less time than a call of `memcpy`.
    @inline(__always)
    static func copy(_ text: UnsafePointer<UInt8>, count: Int, to start: UnsafeMutablePointer<UInt8>) {
        let from = UnsafeRawPointer(text), to = UnsafeMutableRawPointer(start)
        if count < 4 {
            for i in 0..<count { start[i] = text[i] }
        } else if count < 8 {
            copy(UInt32.self, from, to, at: 0)
            copy(UInt32.self, from, to, at: count &- 4)  // may overlap the one before
        } else {
            var i = 0
            while i < count &- 8 {
                copy(UInt64.self, from, to, at: i)
                i &+= 8
            }
            copy(UInt64.self, from, to, at: count &- 8)
        }
    }

    /// Copies a text that is ASCII and needs no escape. Returns false for any other, of which it may copy a part.
    @inline(__always)
    static func copyPlain(_ text: UnsafeBufferPointer<UInt8>, to start: UnsafeMutablePointer<UInt8>) -> Bool {
        guard let first = text.baseAddress else { return true }
        let from = UnsafeRawPointer(first), to = UnsafeMutableRawPointer(start), count = text.count
        if count < 4 {
            for i in 0..<count {
                let byte = first[i]
                guard byte >= 0x20, byte < 0x80, byte != ASCII.quote, byte != ASCII.backslash else { return false }
                start[i] = byte
            }
            return true
        }
        if count < 8 {
            let low = copy(UInt32.self, from, to, at: 0), high = copy(UInt32.self, from, to, at: count &- 4)
            return JSONGrammar.stops(UInt64(low) | UInt64(high) << 32) == 0
        }
        var i = 0
        while i < count &- 8 {
            guard JSONGrammar.stops(copy(UInt64.self, from, to, at: i)) == 0 else { return false }
            i &+= 8
        }
        return JSONGrammar.stops(copy(UInt64.self, from, to, at: count &- 8)) == 0
    }

    @inline(__always) @discardableResult
    private static func copy<Word: FixedWidthInteger & BitwiseCopyable>(
        _: Word.Type, _ from: UnsafeRawPointer, _ to: UnsafeMutableRawPointer, at offset: Int
    ) -> Word {
        let word = from.loadUnaligned(fromByteOffset: offset, as: Word.self)
        to.storeBytes(of: word, toByteOffset: offset, as: Word.self)
        return word
    }

    /// Appends a text with escapes, without its quotes.
    mutating func appendEscaped(_ source: RawSpan) {
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

    /// The number of bytes at `i` that need an escape: 1 for what JSON requires, 3 for U+2028 and U+2029, which end a
    /// line in old JavaScript, and 0 for everything else.
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
