import Codecs
public import ConfigTree

/// A provider's `base_url`, taken apart once.
public struct BaseURL: Sendable, Hashable {
    public var origin: Origin
    /// Begins with `/` and ends without one; empty for the root. Percent-encoded as it was given.
    public var path: String

    public init(origin: Origin, path: String) {
        self.origin = origin
        self.path = path
    }
}

extension FieldReader {
    /// A secret of visible ASCII characters, such as an API key. Empty is a problem.
    public mutating func secret(_ key: String, required: Bool = false) -> Secret? {
        declare(key, as: .other("secret"))
        describe(key, "the account's key; while its variable is unset, the provider is off")
        if let node = node(key) { markSecret(node) }
        guard let text = text(key, required: required) else { return nil }
        guard !text.isEmpty else {
            report(key, "'\(key)' is empty", hint: "give the secret, best as a variable: '\(key): ${NAME}', or remove the line")
            return nil
        }
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }) else {
            report(
                key, "'\(key)' holds a space, a line break or another character that no secret has",
                hint: "check that the whole secret, and nothing else, was copied")
            return nil
        }
        return Secret(text)
    }

    /// An address of the form `https://host:port/path`, without user, query or fragment.
    public mutating func baseURL(_ key: String, required: Bool = false, default standard: BaseURL? = nil) -> BaseURL? {
        declare(key, as: .other("http or https address"))
        describe(key, "where its API is; while its variable is unset, the provider is off")
        guard let entry = entry(key) else {
            if required { _ = string(key, required: true) }
            return standard
        }
        guard let text = string(key) else { return nil }
        if case .scalar(let scalar) = entry.value.content, scalar.isUnresolved {
            return BaseURL(origin: Origin(isTLS: true, host: "unset.invalid", port: 443), path: "")
        }
        do throws(BaseURLError) {
            return try BaseURL(parsing: text)
        } catch {
            report(key, "'\(key)' \(error.message)", hint: error.hint)
            return nil
        }
    }

    /// Header fields to be sent with each request, in the file's order. Their values count as secrets. nil: none given, or a problem.
    public mutating func headers(_ key: String) -> [HTTPField]? {
        declare(key, as: .other("header fields"))
        describe(key, "sent with each request; their values count as secrets")
        if let node = node(key) { markSecret(node) }
        guard let pairs = stringMap(key) else { return nil }
        var names: Set<String> = []
        return pairs.compactMap { name, value in
            guard !name.text.isEmpty, name.text.utf8.allSatisfy(isTokenByte) else {
                // What follows may be its value.
                let beginning =
                    name.text.unicodeScalars.prefix { $0.isASCII && isTokenByte(UInt8(truncatingIfNeeded: $0.value)) }.map(String.init)
                    .joined() + "…"
                report(
                    ConfigIssue(
                        at: name.position, "'\(abbreviated(beginning))' is no name of a header field",
                        hint: "letters, digits and '-', then ': ' and the value"))
                return nil
            }
            let lowercased = name.text.lowercased()
            guard !framing.contains(lowercased) else {
                report(ConfigIssue(at: name.position, "the router sets '\(name.text)' itself", hint: "remove the line"))
                return nil
            }
            guard names.insert(lowercased).inserted else {
                report(ConfigIssue(at: name.position, "header '\(name.text)' is given twice", hint: "names differ by more than case"))
                return nil
            }
            return HTTPField(name.text, Secret(value.text))
        }
    }
}

/// Fields that say how a message is framed or which connection it belongs to.
private let framing: Set<String> = [
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
]

/// RFC 9110, section 5.6.2.
private func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
}

private struct BaseURLError: Error {
    var message: String
    var hint: String?
}

extension BaseURL {
    /// Stricter than RFC 3986: what two readers could take for two places is refused. No message shows the text, which may hold a password.
    fileprivate init(parsing text: String) throws(BaseURLError) {
        let example = "write an address such as 'https://api.example.com/v1'"
        guard let colon = text.firstRange(of: "://") else {
            throw BaseURLError(message: "is no whole address: its scheme is missing", hint: example)
        }
        let scheme = text[..<colon.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else {
            throw BaseURLError(message: "takes an http or https address, not '\(abbreviated(scheme)):'", hint: example)
        }
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 && $0 != UInt8(ascii: "\\") }) else {
            throw BaseURLError(
                message: "holds a space, a backslash or a character outside ASCII",
                hint: "percent-encode it in a path; write a host in its 'xn--' form")
        }
        let rest = text[colon.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest.dropFirst(authority.count)
        guard !authority.contains("@") else {
            throw BaseURLError(
                message: "holds a user or password", hint: "remove what stands before '@'; a secret goes into 'api_key' or 'headers'")
        }
        guard !path.contains("?"), !path.contains("#") else {
            throw BaseURLError(message: "holds a query or fragment", hint: "end it before '?' or '#'")
        }
        guard !path.split(separator: "/").contains(where: { [".", ".."].contains($0.lowercased().replacing("%2e", with: ".")) }) else {
            throw BaseURLError(message: "has '.' or '..' in its path", hint: "write the path that is meant")
        }
        let isTLS = scheme == "https"
        let (host, port) = try BaseURL.hostAndPort(authority, standard: isTLS ? 443 : 80)
        var trimmed = path
        while trimmed.last == "/" { trimmed.removeLast() }
        self.init(origin: Origin(isTLS: isTLS, host: host, port: port), path: String(trimmed))
    }

    private static func hostAndPort(_ authority: Substring, standard: UInt16) throws(BaseURLError) -> (String, UInt16) {
        let host: Substring
        let tail: Substring
        if authority.first == "[" {
            host = authority.dropFirst().prefix { $0 != "]" }
            let isAddress = host.contains(":") && host.utf8.allSatisfy { ":.".utf8.contains($0) || isHexDigit($0) }
            guard isAddress, authority.dropFirst(host.count + 1).first == "]" else {
                throw BaseURLError(message: "has no IPv6 address between its brackets", hint: "write it as 'http://[::1]:8080'")
            }
            tail = authority.dropFirst(host.count + 2)
        } else {
            host = authority.prefix { $0 != ":" }
            let isName = !host.isEmpty && host.utf8.allSatisfy { isTokenByte($0) && !"!#$%&'*+^`|~".utf8.contains($0) }
            guard isName else { throw BaseURLError(message: "has no valid host", hint: "a host has letters, digits, '-' and '.'") }
            tail = authority.dropFirst(host.count)
        }
        guard !tail.isEmpty else { return (host.lowercased(), standard) }
        let digits = tail.dropFirst()
        guard tail.first == ":", digits.allSatisfy({ $0.isASCII && $0.isNumber }), let port = UInt16(digits), port > 0 else {
            throw BaseURLError(message: "has no valid port", hint: "a port is a number from 1 to 65535")
        }
        return (host.lowercased(), port)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
