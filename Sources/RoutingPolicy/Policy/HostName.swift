import Codecs
import Glibc

/// A host without its port, in one form: a name in lower case and without the final dot, or an IP address as
/// `inet_ntop` writes it. An IPv6 address that stands for an IPv4 address is that address.
package struct HostName: Sendable, Hashable {
    /// IPv6 addresses have no brackets.
    package let text: String

    /// nil if the text is neither a name of ASCII letters, digits, hyphens, dots and underscores, without empty parts,
    /// nor an IP address.
    /// Brackets around an IPv6 address may be left out.
    package init?(_ text: some StringProtocol) {
        let hasBrackets = text.hasPrefix("[") && text.hasSuffix("]")
        let inner = String(hasBrackets ? text.dropFirst().dropLast() : text[...])
        if inner.contains(":") {
            guard let address = HostName.address(inner) else { return nil }
            self.text = address
            return
        }
        let name = inner.hasSuffix(".") ? String(inner.dropLast()) : inner
        guard !hasBrackets, !name.isEmpty, !name.hasPrefix("."), !name.contains(".."),
            name.utf8.allSatisfy({ ASCII.isLetter($0) || ASCII.isDigit($0) || "-._".utf8.contains($0) })
        else { return nil }
        self.text = name.lowercased()
    }

    /// The host of a `Host` field or of an origin: `HOST` or `HOST:PORT`, with brackets around an IPv6 address.
    package init?(authority: some StringProtocol) {
        let colon = authority.hasSuffix("]") ? nil : authority.lastIndex(of: ":")
        let host = authority[..<(colon ?? authority.endIndex)], port = authority[host.endIndex...].dropFirst()
        guard host.hasPrefix("[") || !host.contains(":"), port.utf8.allSatisfy(ASCII.isDigit) else { return nil }
        self.init(host)
    }

    /// Whether it names this machine: `localhost`, a name under it, 127.0.0.0/8 or ::1. Source: RFC 6761 section 6.3.
    package var isLoopback: Bool {
        text == "localhost" || text.hasSuffix(".localhost") || text == "::1" || text.hasPrefix("127.") && isIPv4
    }

    /// Whether it is a name without a dot, as containers and machines of a local network have: such names are not in
    /// the public DNS. Source: RFC 7085; ICANN's resolution 2013.08.13.NG02, which prohibits dotless domains.
    package var isDotless: Bool { !text.contains(".") && !text.contains(":") && !isNumber }

    /// Whether it is a number, which programs read as an IPv4 address: `0`, `0x7f000001`, `2130706433`. Source: WHATWG
    /// URL, section 3.5 ("ends in a number checker").
    private var isNumber: Bool {
        text.utf8.allSatisfy(ASCII.isDigit) || text.hasPrefix("0x") && text.dropFirst(2).utf8.allSatisfy { ASCII.hexDigit($0) != nil }
    }

    private var isIPv4: Bool {
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    /// The usual form of an IPv6 address, or of the IPv4 address that it stands for; nil if the text is none.
    private static func address(_ text: String) -> String? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        let form = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        let mapped = "::ffff:"
        return form.hasPrefix(mapped) && form.contains(".") ? String(form.dropFirst(mapped.count)) : form
    }
}
