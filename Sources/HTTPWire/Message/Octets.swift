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
        firstOther(bytes, from: start, than: isToken) { word in
            let folded = (word | 0x2020_2020_2020_2020) & 0x7F7F_7F7F_7F7F_7F7F
            let letters = (folded &+ 0x1F1F_1F1F_1F1F_1F1F) & ~(folded &+ 0x0505_0505_0505_0505)
            let others = word ^ 0x2D2D_2D2D_2D2D_2D2D
            let hyphens = ~(((others & 0x7F7F_7F7F_7F7F_7F7F) &+ 0x7F7F_7F7F_7F7F_7F7F) | others)
            return (~(letters | hyphens) | word) & 0x8080_8080_8080_8080
        }
    }

    /// The index of the first byte from `start` on that is not a member, or the end. Checks eight bytes at a time.
    ///
    /// - Parameter suspects: takes a word of eight bytes and sets the top bit of each byte that may not be a member.
    ///   The lowest bit set must not be above the first non-member; a member there is checked again.
    @inline(__always)
    private static func firstOther(
        _ bytes: borrowing Span<UInt8>, from start: Int, than isMember: (UInt8) -> Bool, _ suspects: (UInt64) -> UInt64
    ) -> Int {
        let raw = bytes.bytes
        var index = start
        while index &+ 8 <= bytes.count {
            let found = suspects(UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)))
            guard found != 0 else {
                index &+= 8
                continue
            }
            index &+= found.trailingZeroBitCount &>> 3
            guard isMember(bytes[index]) else { return index }
            index &+= 1
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
        firstOther(bytes, from: start, than: isText) { word in
            let deletes = word ^ 0x7F7F_7F7F_7F7F_7F7F
            let controls = (word &- 0x2020_2020_2020_2020) & ~word
            return (controls | ((deletes &- 0x0101_0101_0101_0101) & ~deletes)) & 0x8080_8080_8080_8080
        }
    }

    /// VCHAR except `#`, because a request target has no fragment.
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "#") }

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
        return text.withUTF8Buffer { expected in
            for offset in 0..<expected.count where ASCII.lowercased(self[range.lowerBound &+ offset]) != expected[offset] { return false }
            return true
        }
    }

    /// Whether the bytes in `range` equal `text` exactly.
    @inline(__always)
    func equalsExactly(_ text: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == text.utf8CodeUnitCount, range.upperBound <= count else { return false }
        for offset in 0..<range.count where self[range.lowerBound &+ offset] != text.utf8Start[offset] { return false }
        return true
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
