internal import Glibc

/// Proxies that say truly who their clients are: one entry of `server.trusted_proxies`.
package struct TrustedProxy: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// Who connects through a unix socket.
        case local
        /// The addresses that begin with the same bits: 4 bytes, or 16 for IPv6.
        case range([UInt8], bits: Int)
    }

    /// As the policy has it.
    package let text: String
    package let place: Place

    /// nil if the text is neither an address nor a range.
    init?(_ text: String) {
        self.text = text
        if text == "unix" {
            place = .local
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let bytes = Self.bytes(parts[0]) else { return nil }
        var bits = bytes.count * 8
        if parts.count == 2 {
            guard let number = Int(parts[1]), 0...bits ~= number else { return nil }
            bits = number
        }
        place = .range(bytes, bits: bits)
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        guard text.utf8.count <= 45, !text.utf8.contains(0) else { return nil }
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }
}
