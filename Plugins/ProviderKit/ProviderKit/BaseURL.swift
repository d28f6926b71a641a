import Codecs
import ConfigTree

/// A provider's `base_url`, in its parts.
public struct BaseURL: Sendable, Hashable {
    /// The server.
    public var origin: Origin
    /// The path, percent-encoded as it was written. It begins with `/` and doesn't end with one; the root is empty.
    public var path: String

    /// Creates a base URL.
    public init(origin: Origin, path: String) {
        self.origin = origin
        self.path = path
    }
}

extension BaseURL {
    /// The version, such as `v1`, that the path has twice in a row; nil if there is none.
    var repeatedVersion: Substring? {
        let parts = path.split(separator: "/")
        return zip(parts, parts.dropFirst()).first { $0 == $1 && $0.first == "v" && $0.dropFirst().first?.isASCIIDigit == true }?.0
    }
}

struct BaseURLError: Error {
    var message: String
    var hint: String?
}

extension BaseURL {
    /// Parses an address of the form `https://host:port/path`.
    ///
    /// It is stricter than RFC 3986: an address that two parsers could understand differently is refused. No message
    /// quotes the text, which may contain a password.
    init(parsing text: String) throws(BaseURLError) {
        let example = "write an address such as 'https://api.example.com/v1'"
        guard let colon = text.firstRange(of: "://") else {
            throw BaseURLError(message: "is not a complete address: its scheme is missing", hint: example)
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw BaseURLError(message: "takes an http or https address, not '\(abbreviated(scheme)):'", hint: example)
        }
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else {
            throw BaseURLError(
                message: "contains a space, a backslash or a character outside ASCII",
                hint: "percent-encode it in a path; write a host in its 'xn--' form")
        }
        let rest = text[colon.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest.dropFirst(authority.count)
        guard !authority.contains("@") else {
            throw BaseURLError(
                message: "contains a user or password", hint: "remove everything before '@'; put a secret into 'api_key' or 'headers'")
        }
        guard !path.contains("?"), !path.contains("#") else {
            throw BaseURLError(message: "contains a query or fragment", hint: "end it before '?' or '#'")
        }
        guard !path.split(separator: "/").contains(where: { [".", ".."].contains($0.lowercased().replacing("%2e", with: ".")) }) else {
            throw BaseURLError(message: "has '.' or '..' in its path", hint: "write the path without them")
        }
        let isTLS = scheme == "https"
        let (host, port) = try BaseURL.hostAndPort(authority, defaultPort: isTLS ? 443 : 80)
        var trimmed = path
        while trimmed.last == "/" { trimmed.removeLast() }
        self.init(origin: Origin(isTLS: isTLS, host: host, port: port), path: String(trimmed))
    }

    private static func hostAndPort(_ authority: Substring, defaultPort: UInt16) throws(BaseURLError) -> (String, UInt16) {
        let host: Substring
        let tail: Substring
        if authority.first == "[" {
            host = authority.dropFirst().prefix { $0 != "]" }
            let isAddress = host.contains(":") && host.utf8.allSatisfy { ":.".utf8.contains($0) || ASCII.hexDigit($0) != nil }
            guard isAddress, authority.dropFirst(host.count + 1).first == "]" else {
                throw BaseURLError(message: "has no IPv6 address between its brackets", hint: "write it as 'http://[::1]:8080'")
            }
            tail = authority.dropFirst(host.count + 2)
        } else {
            host = authority.prefix { $0 != ":" }
            let isName = !host.isEmpty && host.utf8.allSatisfy { ASCII.isLetter($0) || ASCII.isDigit($0) || "-._".utf8.contains($0) }
            guard isName else { throw BaseURLError(message: "has no valid host", hint: "a host consists of letters, digits, '-' and '.'") }
            tail = authority.dropFirst(host.count)
        }
        guard !tail.isEmpty else { return (host.lowercased(), defaultPort) }
        let digits = tail.dropFirst()
        guard tail.first == ":", digits.allSatisfy({ $0.isASCIIDigit }), let port = UInt16(digits), port > 0 else {
            throw BaseURLError(message: "has no valid port", hint: "a port is a number from 1 to 65535")
        }
        return (host.lowercased(), port)
    }
}
