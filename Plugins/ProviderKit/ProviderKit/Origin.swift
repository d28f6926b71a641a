/// Where a provider's requests go: scheme, host and port, parsed once from its `base_url`.
/// A provider's key is sent to this place alone.
public struct Origin: Sendable, Hashable {
    public var isTLS: Bool
    /// A name or an address, without brackets, in lower case.
    public var host: String
    public var port: UInt16

    public init(isTLS: Bool, host: String, port: UInt16) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
    }

    /// As the `Host` field wants it: an IPv6 address in brackets, the port only where it isn't the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}
