package import HTTPWire
import NIOCore
import ProviderKit

/// The settings that all upstream connection pools share: the TLS contexts with their trust roots.
package struct UpstreamTransport: Sendable {
    private let tls: TLSContextProvider

    package init(tls: TLSContextProvider) {
        self.tls = tls
    }

    func makePool(origin: Origin, poolIdle: Duration, eventLoop: any EventLoop) -> UpstreamPool {
        let endpoint = UpstreamEndpoint(host: origin.host, port: Int(origin.port), isTLS: origin.isTLS)
        return UpstreamPool(
            endpoint: endpoint, eventLoop: eventLoop, settings: UpstreamPoolSettings(poolIdle: poolIdle), tls: origin.isTLS ? tls : nil)
    }
}
