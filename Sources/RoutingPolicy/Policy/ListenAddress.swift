import Codecs

/// An address at which clients connect: one entry of `listen:`.
package enum ListenAddress: Sendable, Hashable {
    /// Port 0 lets the system choose one. The host is a name or an address without brackets; `:8080` means 0.0.0.0.
    case tcp(host: String, port: UInt16)
    case unix(path: String)
}

extension ListenAddress: CustomStringConvertible {
    /// The address as a policy file writes it.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension ListenAddress {
    package init?(parsing text: String) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            // `sun_path` has 108 bytes on Linux, and the last one is NUL.
            guard path.hasPrefix("/"), path.utf8.count <= 107 else { return nil }
            self = .unix(path: String(path))
            return
        }
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let host = text[..<colon]
        let digits = text[colon...].dropFirst()
        guard !digits.isEmpty, digits.allSatisfy({ $0.isASCIIDigit }), let port = UInt16(digits) else { return nil }
        if host.isEmpty {
            self = .tcp(host: "0.0.0.0", port: port)
        } else if host.hasPrefix("["), host.hasSuffix("]") {
            let address = host.dropFirst().dropLast()
            guard address.contains(":"), address.allSatisfy({ $0.isHexDigit && $0.isASCII || $0 == ":" || $0 == "." }) else { return nil }
            self = .tcp(host: address.lowercased(), port: port)
        } else {
            let isName = host.utf8.allSatisfy { "-._".utf8.contains($0) || ASCII.isDigit($0) || ASCII.isLetter($0) }
            let isNumeric = host.allSatisfy { $0.isNumber || $0 == "." }
            guard isName, !isNumeric || Self.isIPv4(host) else { return nil }
            self = .tcp(host: host.lowercased(), port: port)
        }
    }

    /// Whether only this machine can reach the address.
    package var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): HostName(host)?.isLoopback == true
        }
    }

    var isAnyPort: Bool {
        if case .tcp(_, 0) = self { true } else { false }
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { $0.count <= 3 && UInt8($0) != nil }
    }
}
