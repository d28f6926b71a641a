/// Conversion between bytes and base64 text. Source: RFC 4648, section 4.
public enum Base64 {
    /// The bytes as base64 text, with padding.
    public static func encoded(_ bytes: [UInt8]) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
            for place in 0..<4 { digits.append(place <= group.count ? digit(bits >> UInt32(18 - 6 * place) & 63) : UInt8(ascii: "=")) }
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The text in the standard alphabet and with padding, of a text that may be in the one for URLs, which has `-` and
    /// `_` for `+` and `/` (section 5).
    public static func standard(_ text: String) -> String {
        let digits = text.utf8, missing = -digits.count { $0 > UInt8(ascii: " ") } & 3
        guard missing > 0 || digits.contains(where: { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }) else { return text }
        var standard: [UInt8] = []
        standard.reserveCapacity(digits.count + missing)
        for digit in digits {
            switch digit {
            case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
            default: standard.append(digit)
            }
        }
        standard.append(contentsOf: repeatElement(UInt8(ascii: "="), count: missing))
        return String(decoding: standard, as: UTF8.self)
    }

    /// The bytes of a base64 text, whose padding may be left out; nil if it is not base64.
    public static func decoded(_ text: some BidirectionalCollection<UInt8>) -> [UInt8]? {
        let length = text.count, digits = text.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
        guard length - digits.count <= 2, digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 4 * 3 + 2)
        var bits: UInt32 = 0, count = 0
        for digit in digits {
            guard let value = value(digit) else { return nil }
            bits = bits << 6 | value
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return bytes
    }

    private static func digit(_ value: UInt32) -> UInt8 {
        let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        return digits.utf8Start[Int(value & 63)]
    }

    private static func value(_ digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
