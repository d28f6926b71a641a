/// How Foundation's JSON parser differs from RFC 8259.
package enum FoundationJSON {
    /// Whether Foundation accepts a text that RFC 8259 doesn't allow: with a comma before a closing bracket, in UTF-16
    /// or UTF-32, which it recognizes by zero bytes, or with a byte order mark.
    ///
    /// - Parameter offset: where the text is invalid.
    package static func isLenient(at offset: Int, of bytes: [UInt8]) -> Bool {
        let isTrailingComma =
            bytes[..<offset].last { !" \n\r\t".utf8.contains($0) } == UInt8(ascii: ",")
            && bytes[offset...].first.map("]}".utf8.contains)
                == true
        return isTrailingComma || bytes.prefix(4).contains(0) || bytes.starts(with: [0xef, 0xbb, 0xbf]) || bytes.starts(with: [0xff, 0xfe])
    }

    /// Whether Foundation refuses a text that RFC 8259 allows: with a lone surrogate, or with a number outside the
    /// range of a Double.
    package static func isStrict(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.contains(/\\u[dD][89a-fA-F]/) || text.contains(/[eE]\+?[0-9]{2,}/) || text.contains(/[0-9]{19,}/)
    }
}
