/// An iterator over the content of a scanned string, which decodes its escapes.
struct JSONContent {
    enum Part {
        /// A range without a backslash, which needs no decoding.
        case plain(Range<Int>)
        /// The character of one escape, or of the two escapes of a surrogate pair. A lone surrogate is U+FFFD.
        case escaped(Unicode.Scalar)
    }

    private var offset: Int
    private let end: Int

    /// - Parameter literal: the range of the string, quotes included. It is clamped to the bytes.
    init(of literal: Range<Int>, in bytes: RawSpan) {
        let inside = literal.clamped(to: 0..<bytes.byteCount)
        offset = min(inside.lowerBound &+ 1, inside.upperBound)
        end = max(offset, inside.upperBound &- 1)
    }

    /// The content that has not been iterated over yet.
    var range: Range<Int> { min(offset, end)..<end }

    mutating func next(_ bytes: RawSpan) -> Part? {
        guard offset < end else { return nil }
        if bytes.byte(offset) == ASCII.backslash { return .escaped(escape(bytes)) }
        let start = offset
        offset = bytes.firstIndex(of: ASCII.backslash, in: start..<end) ?? end
        return .plain(start..<offset)
    }

    private mutating func escape(_ bytes: RawSpan) -> Unicode.Scalar {
        let letter = bytes.byte(offset &+ 1)
        offset &+= 2
        switch letter {
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): break
        default: return Unicode.Scalar(letter)
        }
        let unit = codeUnit(bytes, offset)
        offset &+= 4
        if unit & 0xfc00 == 0xd800, bytes.byte(offset) == ASCII.backslash, bytes.byte(offset &+ 1) == UInt8(ascii: "u") {
            let low = codeUnit(bytes, offset &+ 2)
            if low & 0xfc00 == 0xdc00 {
                offset &+= 6
                return Unicode.Scalar(0x1_0000 &+ (unit & 0x3ff) << 10 &+ (low & 0x3ff)) ?? "\u{fffd}"
            }
        }
        return Unicode.Scalar(unit) ?? "\u{fffd}"
    }

    private func codeUnit(_ bytes: RawSpan, _ start: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 << 4 | UInt32(ASCII.hexDigit(bytes.byte(start &+ $1)) ?? 0) }
    }
}
