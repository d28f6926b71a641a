extension JSONGrammar {
    /// Moves from an opening quote past the closing one.
    static func passString(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        i &+= 1
        while true {
            i = bytes.firstMark(from: i, stops)
            switch bytes.byte(i) {
            case ASCII.quote:
                i &+= 1
                return
            case ASCII.backslash:
                try passEscape(bytes, &i)
            case 0x80...:
                repeat { try passMultibyte(bytes, &i) } while bytes.byte(i) >= 0x80
            case ..<0x20:
                throw JSONError(offset: i, expected: i < bytes.byteCount ? "a control character to be escaped" : "'\"'")
            default:
                i &+= 1
            }
        }
    }

    /// The top bit of each byte that ends a run of plain text: a quote, a backslash, a control character, or a byte of
    /// a character that takes several bytes.
    ///
    /// Xor 2 moves the quote (0x22) to 0x20, just above the control characters, and leaves every other printable
    /// character above 0x20, so that one subtraction finds both. The borrow of the subtraction can only mark bytes
    /// after a true mark, so the lowest mark is always right.
    @inline(__always)
    static func stops(_ words: SIMD2<UInt64>) -> SIMD2<UInt64> {
        let quotesAndControls = (words ^ SIMD2(every: 0x02)) &- SIMD2(every: 0x21)
        let backslashes = (words ^ SIMD2(every: ASCII.backslash)) &- SIMD2(every: 0x01)
        return (quotesAndControls | backslashes | words) & SIMD2(every: 0x80)
    }

    @inline(__always)
    static func stops(_ word: UInt64) -> UInt64 { stops(SIMD2(word, word))[0] }

    @inline(__always)
    private static func passEscape(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        switch bytes.byte(i &+ 1) {
        case ASCII.quote, ASCII.backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
            UInt8(ascii: "t"):
            i &+= 2
        case UInt8(ascii: "u"):
            for digit in (i &+ 2)..<(i &+ 6) where ASCII.hexDigit(bytes.byte(digit)) == nil {
                throw JSONError(offset: digit, expected: "a hexadecimal digit")
            }
            i &+= 6
        default:
            throw JSONError(offset: i &+ 1, expected: "one of '\"\\/bfnrtu' after '\\'")
        }
    }

    /// Moves past one well-formed UTF-8 sequence of two to four bytes: no overlong form, no surrogate, and nothing
    /// above U+10FFFF. Source: The Unicode Standard, table 3-7.
    @inline(__always)
    private static func passMultibyte(_ bytes: RawSpan, _ i: inout Int) throws(JSONError) {
        let word = bytes.halfWord(i)
        if word & 0xc0e0 == 0x80c0, word & 0x1e != 0 {
            i &+= 2
        } else if word & 0xc0_c0f0 == 0x80_80e0, word & 0x200f != 0, word & 0x200f != 0x200d {
            i &+= 3
        } else if word & 0xc0c0_c0f8 == 0x8080_80f0, word & 0x3007 != 0, word & 0x04 == 0 || word & 0x3003 == 0 {
            i &+= 4
        } else {
            throw JSONError(offset: i, expected: JSONError.validUTF8)
        }
    }
}
