/// The ASCII characters that wire formats are made of, as bytes.
public enum ASCII {
    /// Horizontal tab, 0x09.
    public static let tab = UInt8(ascii: "\t")
    /// Line feed (LF), 0x0A.
    public static let lineFeed = UInt8(ascii: "\n")
    /// Carriage return (CR), 0x0D.
    public static let carriageReturn = UInt8(ascii: "\r")
    /// Space, 0x20.
    public static let space = UInt8(ascii: " ")
    /// The double quotation mark `"`.
    public static let quote = UInt8(ascii: "\"")
    /// The comma `,`.
    public static let comma = UInt8(ascii: ",")
    /// The digit `0`.
    public static let zero = UInt8(ascii: "0")
    /// The minus sign `-`.
    public static let minus = UInt8(ascii: "-")
    /// The full stop `.`.
    public static let dot = UInt8(ascii: ".")
    /// The colon `:`.
    public static let colon = UInt8(ascii: ":")
    /// The semicolon `;`.
    public static let semicolon = UInt8(ascii: ";")
    /// The equals sign `=`.
    public static let equals = UInt8(ascii: "=")
    /// The backslash `\`.
    public static let backslash = UInt8(ascii: "\\")
    /// The opening square bracket `[`.
    public static let openBracket = UInt8(ascii: "[")
    /// The closing square bracket `]`.
    public static let closeBracket = UInt8(ascii: "]")
    /// The opening curly bracket `{`.
    public static let openBrace = UInt8(ascii: "{")
    /// The closing curly bracket `}`.
    public static let closeBrace = UInt8(ascii: "}")

    /// The value of a decimal digit, 0 to 9; nil for any other byte.
    @inlinable @inline(__always)
    public static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? value : nil
    }

    /// The value of a hexadecimal digit of either case, 0 to 15; nil for any other byte.
    @inlinable @inline(__always)
    public static func hexDigit(_ byte: UInt8) -> UInt8? {
        if let value = digit(byte) { return value }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    /// Whether a byte is a decimal digit.
    @inlinable @inline(__always)
    public static func isDigit(_ byte: UInt8) -> Bool { digit(byte) != nil }

    /// Whether a byte is one of the letters `A` to `Z` and `a` to `z`.
    @inlinable @inline(__always)
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

    /// The lower case of a letter; any other byte as it is.
    @inlinable @inline(__always)
    public static func lowercased(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }
}

extension Character {
    /// Whether the character is one of the digits `0` to `9`.
    public var isASCIIDigit: Bool { isASCII && isNumber }
}

extension StringProtocol {
    /// The text without the spaces and tabs at both ends.
    public func trimmingBlanks() -> SubSequence {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
