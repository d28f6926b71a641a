import Codecs
package import ProviderKit

/// Where a Redis server is, and how a client logs in there.
package struct RedisAddress: Sendable, Hashable {
    package enum Server: Sendable, Hashable {
        case tcp(host: String, port: Int, isTLS: Bool)
        case unix(path: String)
    }

    package var server: Server
    /// A user of Redis' access control lists; nil: the default user.
    package var user: String?
    package var password: Secret?
    package var database = 0

    /// Without the credentials, for messages.
    package var place: String {
        switch server {
        case .tcp(let host, let port, _): "\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension RedisAddress {
    /// The forms that `init` reads, for messages.
    static let forms = "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE], rediss://… with TLS, or unix://[USER:PASSWORD@]/PATH[?db=DATABASE]"

    private static let port = 6379
    private static let maxDatabase = 9999

    /// Reads an address. A user and a password may be percent-encoded.
    /// Source: the URI schemes `redis` and `rediss` at https://www.iana.org/assignments/uri-schemes, and redis-py's
    /// `unix`.
    package init?(parsing text: String) {
        guard let colon = text.firstRange(of: "://") else { return nil }
        let scheme = text[..<colon.lowerBound]
        var rest = text[colon.upperBound...]
        if let at = rest.lastIndex(of: "@") {
            guard let (user, password) = Self.credentials(rest[..<at]) else { return nil }
            (self.user, self.password) = (user, password)
            rest = rest[rest.index(after: at)...]
        }
        switch scheme {
        case "redis", "rediss":
            let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
            guard let (host, port) = Self.hostAndPort(parts[0]) else { return nil }
            server = .tcp(host: host, port: port, isTLS: scheme == "rediss")
            guard parts.count == 1 || parts[1].isEmpty || readDatabase(parts[1]) else { return nil }
        case "unix":
            let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            // `sun_path` has 108 bytes on Linux, and the last one is NUL.
            guard parts[0].hasPrefix("/"), parts[0].utf8.count <= 107, !parts[0].utf8.contains(0) else { return nil }
            server = .unix(path: String(parts[0]))
            guard parts.count == 1 || parts[1].hasPrefix("db=") && readDatabase(parts[1].dropFirst(3)) else { return nil }
        default:
            return nil
        }
    }

    private mutating func readDatabase(_ digits: Substring) -> Bool {
        guard digits.allSatisfy(\.isASCIIDigit), let number = Int(digits), number <= Self.maxDatabase else { return false }
        database = number
        return true
    }

    private static func hostAndPort(_ text: Substring) -> (host: String, port: Int)? {
        let hasPort = text.last != "]" && text.contains(":")
        guard let address = ListenAddress(parsing: hasPort ? String(text) : "\(text):\(port)"), case .tcp(let host, let port) = address,
            port > 0, text.first != ":", !text.isEmpty
        else { return nil }
        return (host, Int(port))
    }

    /// `USER:PASSWORD`, or `:PASSWORD` for the default user.
    private static func credentials(_ text: Substring) -> (user: String?, password: Secret?)? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let user = decoded(parts[0]), let password = decoded(parts[1]), !password.isEmpty else { return nil }
        return (user.isEmpty ? nil : user, Secret(password))
    }

    /// nil for an invalid percent-encoding.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let code = Hex.decoded(String(decoding: rest.prefix(2), as: UTF8.self)), code.count == 1 else { return nil }
            bytes += code
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
