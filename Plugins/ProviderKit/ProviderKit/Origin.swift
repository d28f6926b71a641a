/// The scheme, host and port that a provider's requests go to. The provider's key is sent nowhere else.
public struct Origin: Sendable, Hashable {
    /// Whether the scheme is `https`.
    public var isTLS: Bool
    /// The host: a name or an IP address, in lower case and without brackets.
    public var host: String
    /// The port.
    public var port: UInt16

    /// Creates an origin.
    public init(isTLS: Bool, host: String, port: UInt16) {
        self.isTLS = isTLS
        self.host = host
        self.port = port
    }

    /// The value of the `Host` field: an IPv6 address is in brackets, and the scheme's default port is left out.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isTLS ? 443 : 80) ? name : "\(name):\(port)"
    }
}
