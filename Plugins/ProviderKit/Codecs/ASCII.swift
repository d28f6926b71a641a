/// The characters that wire formats are made of.
public enum ASCII {
    public static let tab = UInt8(ascii: "\t")
    public static let lineFeed = UInt8(ascii: "\n")
    public static let carriageReturn = UInt8(ascii: "\r")
    public static let space = UInt8(ascii: " ")
    public static let quote = UInt8(ascii: "\"")
    public static let comma = UInt8(ascii: ",")
    public static let zero = UInt8(ascii: "0")
    public static let minus = UInt8(ascii: "-")
    public static let dot = UInt8(ascii: ".")
    public static let colon = UInt8(ascii: ":")
    public static let backslash = UInt8(ascii: "\\")
    public static let openBracket = UInt8(ascii: "[")
    public static let closeBracket = UInt8(ascii: "]")
    public static let openBrace = UInt8(ascii: "{")
    public static let closeBrace = UInt8(ascii: "}")

    /// The value of a decimal digit; nil for any other byte.
    @inlinable @inline(__always)
    public static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- UInt8(ascii: "0")
        return value < 10 ? value : nil
    }

    /// The value of a hexadecimal digit of either case; nil for any other byte.
    @inlinable @inline(__always)
    public static func hexDigit(_ byte: UInt8) -> UInt8? {
        if let value = digit(byte) { return value }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter &+ 10 : nil
    }

    @inlinable @inline(__always)
    public static func isDigit(_ byte: UInt8) -> Bool { digit(byte) != nil }

    @inlinable @inline(__always)
    public static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }
}

extension StringProtocol {
    /// The text without spaces and tabs at both ends.
    public func trimmingBlanks() -> SubSequence {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var rest = drop(while: isBlank)
        while let last = rest.last, isBlank(last) { rest.removeLast() }
        return rest
    }
}
