import Codecs

/// The origin of a web page, as browsers send it: `https://app.example` or `http://localhost:3000`.
/// Source: RFC 6454 section 6.2.
package enum WebOrigin {
    /// The origin in lower case and without the scheme's own port; `*` as it is. nil if the text is no origin.
    package static func normalized(_ text: String) -> String? {
        guard text != "*" else { return text }
        let text = text.lowercased()
        guard let authority = authority(of: text), isScheme(text[..<authority.startIndex].dropLast(3)),
            HostName(authority: authority) != nil
        else { return nil }
        guard !authority.hasSuffix("]"), let colon = authority.lastIndex(of: ":") else { return text }
        let scheme = text[..<authority.startIndex], digits = authority[colon...].dropFirst()
        guard let port = UInt16(digits), "\(port)" == digits else { return nil }
        return scheme == "http://" && port == 80 || scheme == "https://" && port == 443 ? String(text[..<colon]) : text
    }

    /// The host and port of an origin; nil for `null`, which stands for an origin that the browser does not tell.
    package static func authority(of origin: String) -> Substring? {
        origin.firstRange(of: "://").map { origin[$0.upperBound...] }
    }

    /// Source: RFC 3986 section 3.1.
    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, ASCII.isLetter(first) else { return false }
        return text.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "+-.".utf8.contains($0) }
    }
}
