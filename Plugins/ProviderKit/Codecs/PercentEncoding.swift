/// Percent-encoding of a part of a URL. Source: RFC 3986, section 2.
public enum PercentEncoding {
    /// A text as one segment of a path: everything but letters, digits, `-`, `.`, `_` and `~` is encoded.
    public static func segment(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            if ASCII.isLetter(byte) || ASCII.isDigit(byte) || "-._~".utf8.contains(byte) {
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                encoded += "%" + Hex.encoded([byte]).uppercased()
            }
        }
        return encoded
    }

    /// The bytes of a percent-encoded text; nil if an escape is invalid.
    public static func decoded(_ encoded: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var iterator = encoded.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(ASCII.hexDigit), let low = iterator.next().flatMap(ASCII.hexDigit) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }
}
