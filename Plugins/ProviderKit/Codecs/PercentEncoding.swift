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
}
