import Codecs
import NIOCore

/// The value of `Authorization: Basic`: base64 of `USER:PASSWORD`. Source: RFC 7617 section 2.
enum BasicCredential {
    /// The bytes after the first colon; the user doesn't matter. nil if the text is not base64 or has no colon.
    static func password(_ encoded: ByteBuffer) -> ByteBuffer? {
        guard let bytes = decoded(encoded.readableBytesView), let colon = bytes.firstIndex(of: ASCII.colon) else { return nil }
        return ByteBuffer(bytes: bytes[(colon + 1)...])
    }

    /// The padding may be left out. Source: RFC 4648 section 4.
    private static func decoded(_ encoded: ByteBufferView) -> [UInt8]? {
        let digits = encoded.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
        guard encoded.count - digits.count <= 2, digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
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
