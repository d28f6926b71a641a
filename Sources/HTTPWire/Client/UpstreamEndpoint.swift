/// The address of an upstream. `host` is a host name or an IP address, never a URL.
package struct UpstreamEndpoint: Hashable, Sendable {
    package var host: String
    package var port: Int
    package var isTLS: Bool

    package init(host: String, port: Int, isTLS: Bool) {
        self.host = host
        self.port = port
        self.isTLS = isTLS
    }
}
