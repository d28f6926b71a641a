/// Conversion between bytes and hexadecimal text.
public enum Hex {
    /// The 8 lower-case digits of a number, as the bytes of the result from the highest to the lowest.
    @inlinable
    public static func digits(of number: UInt32) -> UInt64 {
        // One half byte in each byte, by halving thrice.
        var bytes = UInt64(number)
        bytes = (bytes & 0xFFFF_0000) << 16 | bytes & 0xFFFF
        bytes = (bytes & 0xFF00_0000_FF00) << 8 | bytes & 0xFF_0000_00FF
        bytes = (bytes & 0xF0_00F0_00F0_00F0) << 4 | bytes & 0xF_000F_000F_000F
        // 6 more than ten or above carries into the upper half.
        let letters = (bytes &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return bytes &+ 0x3030_3030_3030_3030 &+ letters &* UInt64(UInt8(ascii: "a") - 10 - UInt8(ascii: "0"))
    }

    /// The 16 lower-case digits of a number, in two parts.
    @inlinable
    public static func digits(of number: UInt64) -> (high: UInt64, low: UInt64) {
        (digits(of: UInt32(truncatingIfNeeded: number >> 32)), digits(of: UInt32(truncatingIfNeeded: number)))
    }

    /// The bytes as hexadecimal text, with two lower-case digits for each byte.
    public static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        let digits: StaticString = "0123456789abcdef"
        return String(decoding: bytes.flatMap { [digits.utf8Start[Int($0 >> 4)], digits.utf8Start[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes of a hexadecimal text, in which digits may have either case; nil if its length is odd or it contains a
    /// character that is not a hexadecimal digit.
    public static func decoded(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap(ASCII.hexDigit)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
