import Codecs

extension DecodedText {
    /// A run shorter than this, in bytes of the original text, shows nothing.
    private static let minRunBytes = 8

    /// What the runs of base64 digits mean, for each position at which a byte may begin within a digit. The alphabets
    /// are those of RFC 4648, sections 4 and 5. A run may be broken into lines (RFC 2045, 6.8).
    var decodedBase64: [DecodedText] {
        decoded(bitsPerDigit: 6, phases: [0, 2, 4, 6], digit: Self.base64Digit) { index in
            var next = index + 1
            while next < count, bytes[next] == ASCII.lineFeed || bytes[next] == ASCII.carriageReturn { next += 1 }
            return next
        }
    }

    /// What the runs of hexadecimal digits mean, for both positions at which a byte may begin. The digits of two bytes
    /// may be apart, as in `73:6b`, `73 6b`, `0x73, 0x6b` and `\x73\x6b`.
    var decodedHex: [DecodedText] {
        decoded(bitsPerDigit: 4, phases: [0, 4], digit: ASCII.hexDigit) { index in
            var next = index + 1
            while next < count, next <= index + 2, Self.isSeparator(bytes[next]) { next += 1 }
            guard next + 2 < count, bytes[next + 1] | 0x20 == UInt8(ascii: "x"), ASCII.hexDigit(bytes[next + 2]) != nil,
                bytes[next] == ASCII.zero || bytes[next] == ASCII.backslash
            else { return next }
            return next + 2
        }
    }

    /// What all digits of a text mean together, whatever stands between them, without their places: base64 and
    /// hexadecimal digits, for each position at which a byte may begin. It has all that the decodings of the single
    /// runs have, and costs much less.
    static func meaningsOfDigits(in text: [UInt8]) -> [[UInt8]] {
        [0, 2, 4, 6].map { meaning(of: text, bitsPerDigit: 6, skipping: $0, digit: base64Digit) }
            + [0, 4].map { meaning(of: text, bitsPerDigit: 4, skipping: $0, digit: ASCII.hexDigit) }
    }

    private static func meaning(of text: [UInt8], bitsPerDigit: Int, skipping: Int, digit: (UInt8) -> UInt8?) -> [UInt8] {
        var bytes: [UInt8] = [], bits: UInt32 = 0, available = -skipping
        bytes.reserveCapacity(text.count)
        for case let value? in text.lazy.map(digit) {
            bits = bits << UInt32(bitsPerDigit) | UInt32(value)
            available += bitsPerDigit
            guard available >= 8 else { continue }
            available -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(available)))
        }
        return bytes
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case ASCII.space, ASCII.comma, ASCII.colon, ASCII.minus, ASCII.lineFeed, ASCII.carriageReturn: true
        default: byte == UInt8(ascii: ";") || byte == UInt8(ascii: "_")
        }
    }

    private static func base64Digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte + 4
        case UInt8(ascii: "+"), ASCII.minus: 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }

    /// Decodes all runs of digits, once for each phase.
    ///
    /// - Parameters:
    ///   - phases: the numbers of bits to skip at the start of a run.
    ///   - next: the place of the next digit of the run, if the byte there is a digit.
    private func decoded(bitsPerDigit: Int, phases: [Int], digit: (UInt8) -> UInt8?, next: (Int) -> Int) -> [DecodedText] {
        var texts = phases.map { _ in DecodedText(decoding: self, isFromDigits: true) }
        var start = 0
        while start < count {
            guard digit(bytes[start]) != nil else {
                start += 1
                continue
            }
            var run: [(index: Int, value: UInt8)] = []
            var index = start, end = start
            while index < count, let value = digit(bytes[index]) {
                run.append((index, value))
                end = index + 1
                index = next(index)
            }
            let padded = end + bytes[end...].prefix(2).prefix { $0 == UInt8(ascii: "=") }.count
            if source(of: start..<padded).count >= Self.minRunBytes {
                for phase in phases.indices {
                    texts[phase].append(run, to: padded, of: self, bitsPerDigit: bitsPerDigit, skipping: phases[phase])
                }
            }
            start = end
        }
        return texts.filter { $0.count > 0 }
    }

    /// Adds the bytes of a run of digits. The first and the last byte cover the digits that are not a part of a
    /// complete byte.
    private mutating func append(
        _ run: [(index: Int, value: UInt8)], to end: Int, of text: DecodedText, bitsPerDigit: Int, skipping: Int
    ) {
        var bits: UInt32 = 0, available = -skipping, isFirst = true
        for position in run.indices {
            bits = bits << UInt32(bitsPerDigit) | UInt32(run[position].value)
            available += bitsPerDigit
            guard available >= 8 else { continue }
            available -= 8
            // A byte fills a part of two digits.
            let first = isFirst ? run[0].index : run[position - 1].index
            append(UInt8(truncatingIfNeeded: bits >> UInt32(available)), from: first..<(run[position].index + 1), of: text)
            isFirst = false
        }
        guard !isFirst else { return }
        extendLast(to: end, of: text)
        separate(at: end - 1, of: text)
    }
}
