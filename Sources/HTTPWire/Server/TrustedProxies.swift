/// The proxies that say truly who their clients are.
package struct TrustedProxies: Sendable, Equatable {
    private let ranges: [AddressRange]
    /// Whether those are among them that connect through a unix socket.
    private let includesLocal: Bool

    package init(_ ranges: [AddressRange] = [], includesLocal: Bool = false) {
        (self.ranges, self.includesLocal) = (ranges, includesLocal)
    }

    var isEmpty: Bool { ranges.isEmpty && !includesLocal }

    /// - Parameter host: an IP address; nil on a unix socket.
    func contains(_ host: String?) -> Bool {
        guard let host else { return includesLocal }
        guard let address = IPAddress(host) else { return false }
        return ranges.contains { $0.contains(address) }
    }

    /// The client's address: the last one in `X-Forwarded-For` that no trusted proxy has. Each proxy adds who connected
    /// to it, so that what stands before an untrusted address is only what that one says. Where a text is no address,
    /// the search ends.
    ///
    /// - Parameter peer: who has sent the request; nil on a unix socket.
    func client(_ fields: HTTPFields, peer: String?) -> String? {
        guard contains(peer) else { return peer }
        var forwarded: [Substring] = []
        fields.forEachSlice("x-forwarded-for") { value in
            forwarded += String(buffer: value).split(separator: ",", omittingEmptySubsequences: false)
        }
        var client = peer
        for element in forwarded.reversed() {
            guard let host = Self.host(element) else { break }
            client = host
            if !contains(host) { break }
        }
        return client
    }

    /// The address of an element: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`.
    private static func host(_ element: Substring) -> String? {
        var text = element.trimmingBlanks()
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.count(where: { $0 == ":" }) == 1, let colon = text.firstIndex(of: ":") {
            text = text[..<colon]
        }
        return IPAddress(text)?.text
    }
}
