import Codecs

/// Classes of octets. Source: RFC 9110 section 5.6 and RFC 9112.
enum Octet {
    static let tab: UInt8 = 0x09, lf: UInt8 = 0x0A, cr: UInt8 = 0x0D, space: UInt8 = 0x20
    static let colon = UInt8(ascii: ":"), semicolon = UInt8(ascii: ";"), comma = UInt8(ascii: ","), quote = UInt8(ascii: "\"")

    /// Bit n is set if octet n (in `tokenHigh`, 64 + n) is allowed in a token.
    private static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    private static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE

    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        if byte < 64 { return (tokenLow &>> UInt64(byte)) & 1 == 1 }
        return byte < 128 && (tokenHigh &>> UInt64(byte &- 64)) & 1 == 1
    }

    /// The index of the first byte from `start` on that is not allowed in a token, or the end.
    @inline(__always)
    static func firstNonToken(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        // Names consist mostly of letters and hyphens.
        firstOther(bytes, from: start, than: isToken) { words in
            let folded = (words | every(0x20)) & every(0x7F)
            let letters = (folded &+ every(0x1F)) & ~(folded &+ every(0x05))
            let others = words ^ every(0x2D)
            let hyphens = ~(((others & every(0x7F)) &+ every(0x7F)) | others)
            return (~(letters | hyphens) | words) & every(0x80)
        }
    }

    /// Two words of which every byte is `byte`.
    @inline(__always)
    private static func every(_ byte: UInt64) -> SIMD2<UInt64> { SIMD2(repeating: byte &* 0x0101_0101_0101_0101) }

    /// The index of the first byte from `start` on that is not a member, or the end. Checks 16 bytes at a time.
    ///
    /// - Parameter suspects: takes two words of eight bytes and sets the top bit of each byte that may not be a member.
    ///   The lowest bit set in a word must not be above its first non-member; a member there is checked again.
    @inline(__always)
    private static func firstOther(
        _ bytes: borrowing Span<UInt8>, from start: Int, than isMember: (UInt8) -> Bool,
        _ suspects: (SIMD2<UInt64>) -> SIMD2<UInt64>
    ) -> Int {
        let raw = bytes.bytes
        var index = start
        while index <= bytes.count &- 16 {
            let found = suspects(raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD2<UInt64>.self))
            if found[0] != 0 {
                index &+= found[0].trailingZeroBitCount &>> 3
            } else if found[1] != 0 {
                index &+= 8 &+ found[1].trailingZeroBitCount &>> 3
            } else {
                index &+= 16
                continue
            }
            guard isMember(bytes[index]) else { return index }
            index &+= 1
        }
        if index <= bytes.count &- 8 {
            let word = raw.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            let found = suspects(SIMD2(word, word))[0]
            index &+= found == 0 ? 8 : found.trailingZeroBitCount &>> 3
        }
        while index < bytes.count, isMember(bytes[index]) { index &+= 1 }
        return index
    }

    /// HTAB, SP, VCHAR and obs-text: the octets allowed in a field's value or a reason phrase.
    @inline(__always)
    static func isText(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == tab }

    /// The index of the first byte from `start` on that is not text, or the end.
    @inline(__always)
    static func firstNonText(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        // The first difference marks bytes below 0x20 by a borrow, the second marks 0x7F, which becomes 0. A borrow can
        // mark bytes wrongly only above a true one. A tab is also marked; `isText` accepts it.
        firstOther(bytes, from: start, than: isText) { words in
            let deletes = words ^ every(0x7F)
            let controls = (words &- every(0x20)) & ~words
            return (controls | ((deletes &- every(0x01)) & ~deletes)) & every(0x80)
        }
    }

    /// VCHAR except `#`, because a request target has no fragment.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

    /// The index of the first byte from `start` on that is not allowed in a target, or the end.
    @inline(__always)
    static func firstNonTarget(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int {
        // The sum marks 0x7F and 0xFF. A borrow or a carry can mark bytes wrongly only above a true mark.
        firstOther(bytes, from: start, than: isTarget) { words in
            let fragments = words ^ every(0x23)
            let controls = (words &- every(0x21)) & ~words
            return (controls | words | (words &+ every(0x01)) | ((fragments &- every(0x01)) & ~fragments)) & every(0x80)
        }
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
}

extension StaticString {
    @inline(__always)
    var text: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount) }
}

/// Decimal numbers.
enum Decimal {
    /// Writes a non-negative number without leading zeros; returns the number of digits. Needs room for up to 20 bytes.
    static func write(_ number: Int, to memory: UnsafeMutableRawBufferPointer) -> Int {
        var digits = 1
        var power = 10
        while number >= power, digits < 19 {
            digits &+= 1
            power = digits < 19 ? power &* 10 : .max
        }
        var rest = number
        for index in (0..<digits).reversed() {
            memory[index] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return digits
    }
}

extension String {
    /// Whether all bytes belong to a class.
    @inline(__always)
    func consists(of isMember: (UInt8) -> Bool) -> Bool {
        var text = self
        return text.withUTF8 { $0.allSatisfy(isMember) }
    }
}

extension Span<UInt8> {
    /// Whether the bytes in `range` equal `text`, ignoring case. `text` must be in lower case.
    @inline(__always)
    func equals(_ text: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount, range.upperBound <= count else { return false }
        // Most texts differ in their first letter.
        return range.isEmpty
            || ASCII.lowercased(self[range.lowerBound]) == text.utf8Start.pointee && hasLowercased(text.text, at: range.lowerBound)
    }

    /// Whether the bytes in `range` equal `text` exactly.
    @inline(__always)
    func equalsExactly(_ text: StaticString, in range: Range<Int>) -> Bool {
        range.count == text.utf8CodeUnitCount && range.upperBound <= count && has(text.text, at: range.lowerBound)
    }

    /// Whether the bytes at `start` are those of `text`, with letters in lower case.
    private func hasLowercased(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        has(text, at: start, lowercased: ASCII.lowercased) { word in
            let low = word & 0x7F7F_7F7F_7F7F_7F7F
            let capitals = (low &+ 0x3F3F_3F3F_3F3F_3F3F) & ~(low &+ 0x2525_2525_2525_2525) & ~word & 0x8080_8080_8080_8080
            return word | capitals &>> 2
        }
    }

    private func has(_ text: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        has(text, at: start, lowercased: { $0 }, { $0 })
    }

    /// Whether the bytes at `start`, mapped byte by byte or word by word, are those of `text`.
    @inline(__always)
    private func has(
        _ text: UnsafeBufferPointer<UInt8>, at start: Int, lowercased: (UInt8) -> UInt8, _ lowercasedWord: (UInt64) -> UInt64
    ) -> Bool {
        let expected = text.span.bytes
        guard text.count >= 8 else {
            for offset in 0..<text.count where lowercased(self[start &+ offset]) != text[offset] { return false }
            return true
        }
        // The last word may overlap the one before.
        let last = text.count &- 8
        var offset = 0
        while lowercasedWord(bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ offset, as: UInt64.self))
            == expected.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self)
        {
            if offset == last { return true }
            offset = Swift.min(offset &+ 8, last)
        }
        return false
    }

    /// The elements of the comma-separated list in `range`, without blanks around them. An empty element is an empty
    /// range.
    func listElements(in range: Range<Int>) -> [Range<Int>] {
        var elements: [Range<Int>] = []
        var start = range.lowerBound
        for index in range where self[index] == Octet.comma {
            elements.append(trimmed(start..<index))
            start = index + 1
        }
        elements.append(trimmed(start..<range.upperBound))
        return elements
    }

    /// `range` without the blanks at its ends.
    private func trimmed(_ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound, upper = range.upperBound
        while lower < upper, Octet.isBlank(self[lower]) { lower += 1 }
        while lower < upper, Octet.isBlank(self[upper - 1]) { upper -= 1 }
        return lower..<upper
    }
}
