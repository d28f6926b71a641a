/// Conversion between bytes and hexadecimal text.
public enum Hex {
    private static let digits: StaticString = "0123456789abcdef"

    /// The 16 lower-case digits of a number.
    public static func digits(of number: UInt64) -> InlineArray<16, UInt8> {
        InlineArray { digits.utf8Start[Int(truncatingIfNeeded: number >> UInt64(60 - 4 * $0)) & 15] }
    }

    /// The bytes as hexadecimal text, with two lower-case digits for each byte.
    public static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits.utf8Start[Int($0 >> 4)], digits.utf8Start[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The bytes of a hexadecimal text, in which digits may have either case; nil if its length is odd or it contains a
    /// character that is not a hexadecimal digit.
    public static func decoded(_ text: String) -> [UInt8]? {
        let digits = text.utf8.compactMap(ASCII.hexDigit)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
