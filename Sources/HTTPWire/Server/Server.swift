import Glibc
package import NIOCore
package import NIOPosix
import NIOSSL
import Synchronization

/// The address that a server listens on.
package enum BindAddress: Sendable, Equatable {
    /// A host name or IP address; port 0 picks a free port.
    case tcp(host: String, port: Int)
    case unix(path: String)
}

/// A listening socket.
package struct BoundListener: Sendable {
    /// The bound address; its port is the real one if port 0 was requested. nil if it is unknown.
    package let address: SocketAddress?
    let channel: any Channel
    let unixPath: String?
    fileprivate let starting: StartingConnections

    /// From now on, connections begin like this.
    package func begin(_ start: ConnectionStart) { starting.start.withLock { $0 = start } }

    /// How connections begin now.
    package var start: ConnectionStart { starting.start.withLock { $0 } }
}

/// How the next connection of a listener begins.
private final class StartingConnections: Sendable {
    let start: Mutex<ConnectionStart>

    init(_ start: ConnectionStart) { self.start = Mutex(start) }
}

/// The HTTP/1.1 server: opens listeners and spreads the connections that they accept over the group's event loops.
package final class Server: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let handler: any ServerHandler
    /// In the group's order.
    private let loops: [ServerLoop]
    private let acceptPause: AcceptPause

    /// - Parameters:
    ///   - budget: bounds the memory of large request bodies, and counts that of responses which clients don't read.
    ///   - spool: keeps large uploads.
    ///   - warnOfShortage: called at most once a minute if no file descriptor is left for another client, with the
    ///     limit.
    package convenience init(
        group: MultiThreadedEventLoopGroup, handler: any ServerHandler, settings: ServerLimits, budget: BufferBudget, spool: BodySpool,
        warnOfShortage: @escaping @Sendable (_ limit: Int) -> Void
    ) {
        self.init(
            group: group, handler: handler, settings: settings, budget: budget, spool: spool,
            AcceptPause(DescriptorLimit(), warn: warnOfShortage))
    }

    init(
        group: MultiThreadedEventLoopGroup, handler: any ServerHandler, settings: ServerLimits, budget: BufferBudget, spool: BodySpool,
        _ acceptPause: AcceptPause
    ) {
        self.group = group
        self.handler = handler
        self.acceptPause = acceptPause
        loops = group.makeIterator().map {
            ServerLoop(eventLoop: $0, limits: settings, budget: budget, spool: spool, acceptPause: acceptPause)
        }
    }

    package var openConnections: Int { loops.reduce(0) { $0 + $1.connectionCount.load(ordering: .relaxed) } }
    package var openExchanges: Int { loops.reduce(0) { $0 + $1.exchangeCount.load(ordering: .relaxed) } }

    /// Opens a listener. Replaces a unix socket that no process listens on; throws if one does.
    package func bind(_ address: BindAddress, _ start: ConnectionStart = ConnectionStart()) async throws -> BoundListener {
        let starting = StartingConnections(start)
        switch address {
        case .tcp(let host, let port):
            let bootstrap = bootstrap(starting).serverChannelOption(.socketOption(.so_reuseaddr), value: 1).childChannelOption(
                .tcpOption(.tcp_nodelay), value: 1)
            let channel = try await bootstrap.bind(host: host, port: port).get()
            return BoundListener(address: channel.localAddress, channel: channel, unixPath: nil, starting: starting)
        case .unix(let path):
            if let other = try? await ClientBootstrap(group: group).connect(unixDomainSocketPath: path).get() {
                try? await other.close()
                throw IOError(errnoCode: EADDRINUSE, reason: "bind '\(path)': another process listens there")
            }
            let channel = try await bootstrap(starting).bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
            return BoundListener(address: channel.localAddress, channel: channel, unixPath: path, starting: starting)
        }
    }

    /// Closes the listener; its accepted connections stay open.
    package func close(_ listener: BoundListener) async {
        try? await listener.channel.close()
        if let path = listener.unixPath { _ = unlink(path) }
    }

    /// Replaces the limits, for new requests.
    package func updateLimits(_ settings: ServerLimits) {
        for loop in loops { loop.eventLoop.execute { loop.settings = ConnectionSettings(settings) } }
    }

    /// Closes idle connections. After this returns, every response closes its connection.
    package func startDraining() async {
        let started = loops.map { loop in loop.eventLoop.submit { loop.startDraining() } }
        for loop in started { try? await loop.get() }
    }

    /// Refuses the requests that have not reached the handler completely, because their body is still arriving or
    /// waits to be read: a 503.
    package func refuseIncompleteRequests(_ fault: WireFault) async {
        for loop in loops { try? await loop.eventLoop.submit { loop.refuseIncompleteRequests(fault) }.get() }
    }

    /// Closes the remaining connections. When this returns, no request is being served, and handlers have finished what
    /// they do after a response, such as writing its access record.
    package func closeConnections() async {
        for loop in loops { try? await loop.eventLoop.submit { loop.closeConnections() }.get() }
    }

    private func bootstrap(_ starting: StartingConnections) -> ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelInitializer { [group, loops, acceptPause] listener in
                listener.eventLoop.makeCompletedFuture {
                    acceptPause.add(listener)
                    try listener.pipeline.syncOperations.addHandler(AcceptBalancer(group: group, loops: loops, pause: acceptPause))
                }
            }
            .serverChannelOption(.backlog, value: 4096)
            // After each connection, `AcceptPause` decides about the next one.
            .serverChannelOption(.maxMessagesPerRead, value: 1)
            // Accepted sockets inherit both sizes. They determine the TCP window only if they are set before listen.
            .serverChannelOption(.socketOption(.so_sndbuf), value: SocketSizes.buffer)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: SocketSizes.buffer)
            .childChannelOption(.writeBufferWaterMark, value: SocketSizes.waterMark)
            .childChannelOption(.recvAllocator, value: SocketSizes.receiveAllocator)
            .childChannelOption(.maxMessagesPerRead, value: SocketSizes.maxReads)
            .childChannelInitializer { [loops, handler] channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let loop = loops.first(where: { $0.eventLoop === channel.eventLoop }) else {
                        throw ChannelError.inappropriateOperationForState
                    }
                    let pipeline = channel.pipeline.syncOperations, start = starting.start.withLock { $0 }
                    let sent = start.tls.map { _ in SentBytes() }
                    let connection = ServerConnection(loop: loop, handler: handler, behindTLS: sent)
                    if start.readsProxyHeader { try pipeline.addHandler(ProxyHeaderReader(connection)) }
                    if let sent, let tls = start.tls {
                        try pipeline.addHandler(sent)
                        try pipeline.addHandler(PlainHTTPRefusal())
                        try pipeline.addHandler(NIOSSLServerHandler(context: tls.context))
                    }
                    try pipeline.addHandler(connection)
                }
            }
    }
}
