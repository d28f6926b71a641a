import NIOCore
import NIOPosix
import NIOSSL

/// Makes connections to one endpoint: name, TCP and, up to the handshake's start, TLS.
struct UpstreamConnector {
    let endpoint: UpstreamEndpoint
    let eventLoop: any EventLoop
    let tls: TLSContextProvider?

    /// A connected channel's handler. Fulfilled on the event loop, at once where `attempt` is given up.
    func connect(within limit: Duration, pool: UpstreamPool, attempt: ConnectAttempt) -> EventLoopFuture<UpstreamConnection> {
        guard endpoint.isTLS else { return connect(within: limit, pool: pool, attempt, context: nil) }
        guard let tls else { return eventLoop.makeFailedFuture(MissingTLS()) }
        return tls.context(on: eventLoop).flatMap { connect(within: limit, pool: pool, attempt, context: $0) }
    }

    private func connect(
        within limit: Duration, pool: UpstreamPool, _ attempt: ConnectAttempt, context: NIOSSLContext?
    ) -> EventLoopFuture<UpstreamConnection> {
        let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
        // An address can't be sent as a server name; the certificate is then checked against the address.
        let serverName = address == nil ? endpoint.host : nil
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(limit))
            // Set before connect: they decide the window.
            .channelOption(.socketOption(.so_sndbuf), value: SocketSizes.buffer)
            .channelOption(.socketOption(.so_rcvbuf), value: SocketSizes.buffer)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: SocketSizes.waterMark)
            .channelOption(.recvAllocator, value: SocketSizes.receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: SocketSizes.readsInARow)
            .channelInitializer { [weak pool] channel in
                channel.eventLoop.makeCompletedFuture {
                    try attempt.add(channel)
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: serverName))
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        UpstreamConnection(pool: pool, eventLoop: channel.eventLoop, isSecure: context != nil))
                }
            }
        let channel = if let address { bootstrap.connect(to: address) } else { bootstrap.connect(host: endpoint.host, port: endpoint.port) }
        return channel.flatMapThrowing { channel in
            let connection = try channel.pipeline.syncOperations.handler(type: UpstreamConnection.self)
            attempt.isOver = true
            connection.isCounted = true
            return connection
        }
    }

    /// What failed, in words for people.
    func describe(_ error: any Error) -> String {
        let place = "'\(endpoint.host)' port \(endpoint.port)"
        switch error {
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty { return "the name '\(endpoint.host)' was not found" }
            return "no connection to \(place): \(error.connectionErrors.map { Self.words($0.error) }.joined(separator: "; "))"
        case ChannelError.connectTimeout:
            return "no connection to \(place) in time"
        default:
            return "no connection to \(place): \(Self.words(error))"
        }
    }

    /// The system's own words, without where in the code they were met.
    private static func words(_ error: any Error) -> String {
        (error as? IOError).map { String(cString: strerror($0.errnoCode)).lowercased() } ?? "\(error)"
    }

    struct GivenUp: Error {}

    private struct MissingTLS: Error, CustomStringConvertible {
        var description: String { "TLS is not set up" }
    }
}
