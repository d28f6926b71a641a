import Glibc
package import NIOCore
package import NIOPosix
import Synchronization

/// Where a server listens.
package enum BindAddress: Sendable, Equatable {
    /// A name or address; port 0 takes a free one.
    case tcp(host: String, port: Int)
    case unix(path: String)
}

/// A listening socket.
package struct BoundListener: Sendable {
    /// The address really bound.
    package let address: SocketAddress?
    let channel: any Channel
    let unixPath: String?
}

/// The HTTP/1.1 server: its listeners, and the connections they accepted, spread over the group's loops.
package final class Server: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let handler: any ServerHandler
    /// In the group's order.
    private let loops: [ServerLoop]

    package init(group: MultiThreadedEventLoopGroup, handler: any ServerHandler, settings: ServerLimits) {
        self.group = group
        self.handler = handler
        loops = group.makeIterator().map { ServerLoop(eventLoop: $0, limits: settings) }
    }

    package var openConnections: Int { loops.reduce(0) { $0 + $1.connectionCount.load(ordering: .relaxed) } }
    package var openExchanges: Int { loops.reduce(0) { $0 + $1.exchangeCount.load(ordering: .relaxed) } }

    /// Listens. Unlinks a unix socket that nobody answers on; throws where somebody does.
    package func bind(_ address: BindAddress) async throws -> BoundListener {
        switch address {
        case .tcp(let host, let port):
            let bootstrap = bootstrap().serverChannelOption(.socketOption(.so_reuseaddr), value: 1).childChannelOption(
                .tcpOption(.tcp_nodelay), value: 1)
            let channel = try await bootstrap.bind(host: host, port: port).get()
            return BoundListener(address: channel.localAddress, channel: channel, unixPath: nil)
        case .unix(let path):
            if let other = try? await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get() {
                try? await other.close()
                throw IOError(errnoCode: EADDRINUSE, reason: "bind '\(path)': another process answers there")
            }
            let channel = try await bootstrap().bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            return BoundListener(address: channel.localAddress, channel: channel, unixPath: path)
        }
    }

    /// Stops listening; accepted connections go on.
    package func close(_ listener: BoundListener) async {
        try? await listener.channel.close()
        if let path = listener.unixPath { _ = unlink(path) }
    }

    /// Limits for new requests.
    package func updateSettings(_ settings: ServerLimits) {
        for loop in loops { loop.eventLoop.execute { loop.limits = settings } }
    }

    /// From its return on idle connections are closed, and every response closes its connection.
    package func startDraining() async {
        let started = loops.map { loop in loop.eventLoop.submit { loop.startDraining() } }
        for loop in started { try? await loop.get() }
    }

    /// Closes the connections that are left. When it returns, nothing is answered any more, and what handlers do behind a response, such as its record, is done.
    package func closeConnections() async {
        for loop in loops { try? await loop.eventLoop.submit { loop.closeConnections() }.get() }
    }

    private func bootstrap() -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelInitializer { [group, loops] listener in
                listener.eventLoop.makeCompletedFuture {
                    try listener.pipeline.syncOperations.addHandler(AcceptBalancer(group: group, loops: loops))
                }
            }
            .serverChannelOption(.backlog, value: 4096)
            // Accepted sockets inherit both sizes; set before listen, they decide the window.
            .serverChannelOption(.socketOption(.so_sndbuf), value: SocketSizes.buffer)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: SocketSizes.buffer)
            .childChannelOption(.writeBufferWaterMark, value: SocketSizes.waterMark)
            .childChannelOption(.recvAllocator, value: SocketSizes.receiveAllocator)
            .childChannelOption(.maxMessagesPerRead, value: SocketSizes.readsInARow)
            .childChannelInitializer { [loops, handler] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    try channel.pipeline.syncOperations.addHandler(ServerConnection(loop: loop, handler: handler))
                }
            }
    }
}
