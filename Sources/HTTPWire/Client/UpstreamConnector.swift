import Glibc
import NIOCore
import NIOPosix
import NIOSSL

/// Opens connections to one endpoint: resolves the name, connects with TCP and starts the TLS handshake.
struct UpstreamConnector {
    let endpoint: UpstreamEndpoint
    let eventLoop: any EventLoop
    let tls: TLSContextProvider?

    private static let descriptors = DescriptorLimit()

    /// Connects and returns the channel's handler, on the event loop. Fails immediately if `attempt` is cancelled.
    func connect(within limit: Duration, pool: UpstreamPool, attempt: ConnectAttempt) -> EventLoopFuture<UpstreamConnection> {
        guard endpoint.isTLS else { return connect(within: limit, pool: pool, attempt, context: nil) }
        guard let tls else { return eventLoop.makeFailedFuture(MissingTLS()) }
        return tls.context(on: eventLoop).flatMap { connect(within: limit, pool: pool, attempt, context: $0) }
    }

    private func connect(
        within limit: Duration, pool: UpstreamPool, _ attempt: ConnectAttempt, context: NIOSSLContext?
    ) -> EventLoopFuture<UpstreamConnection> {
        let address = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port)
        // An IP address can't be sent as a server name; the certificate is then checked against the address.
        let serverName = address == nil ? endpoint.host : nil
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(limit))
            // These sizes determine the TCP window only if they are set before connect.
            .channelOption(.socketOption(.so_sndbuf), value: SocketSizes.buffer)
            .channelOption(.socketOption(.so_rcvbuf), value: SocketSizes.buffer)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: SocketSizes.waterMark)
            .channelOption(.recvAllocator, value: SocketSizes.receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: SocketSizes.maxReads)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try attempt.add(channel)
                    if let context {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: serverName))
                    }
                    let connection = UpstreamConnection(eventLoop: channel.eventLoop, isSecure: context != nil)
                    try channel.pipeline.syncOperations.addHandler(connection)
                    if let descriptor = connection.socket.descriptor, descriptor >= Self.descriptors.firstForFiles {
                        throw IOError(errnoCode: EMFILE, reason: "connect")
                    }
                }
            }
        let channel = if let address { bootstrap.connect(to: address) } else { bootstrap.connect(host: endpoint.host, port: endpoint.port) }
        return channel.flatMapThrowing { channel in
            let connection = try channel.pipeline.syncOperations.handler(type: UpstreamConnection.self)
            attempt.isConnected = true
            connection.pool = pool
            return connection
        }
    }

    /// The upstream in messages for people.
    var place: String { "'\(endpoint.host)' port \(endpoint.port)" }

    /// Why no connection was opened.
    func failure(_ error: any Error) -> UpstreamFailure {
        let codes = Self.codes(of: error)
        if !codes.isEmpty, codes.allSatisfy(Self.ownLimits.contains) {
            return .outOfResources("the router cannot open another connection: \(Self.text(codes[0]))")
        }
        return .unreachable(describe(error))
    }

    /// The errors of a system call that say that this process or machine is at a limit: file descriptors, memory,
    /// local ports. Source: socket(2), connect(2).
    private static let ownLimits: Set<CInt> = [EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL, EAGAIN]

    /// The errors of the system calls that failed, one for each address that was tried.
    private static func codes(of error: any Error) -> [CInt] {
        if let error = error as? IOError { return [error.errnoCode] }
        return (error as? NIOConnectionError)?.connectionErrors.compactMap { ($0.error as? IOError)?.errnoCode } ?? []
    }

    /// A message for people that says what failed.
    private func describe(_ error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if error.connectionErrors.isEmpty {
                return "the host name '\(endpoint.host)' cannot be resolved; check 'base_url' and the DNS server"
            }
            return "cannot connect to \(place): \(error.connectionErrors.map { Self.text($0.error) }.joined(separator: "; "))"
        case ChannelError.connectTimeout:
            return "cannot connect to \(place) in time"
        default:
            return "cannot connect to \(place): \(Self.text(error))"
        }
    }

    /// The system's message for the error, without the source location that NIO adds.
    private static func text(_ error: any Error) -> String {
        (error as? IOError).map { text($0.errnoCode) } ?? "\(error)"
    }

    private static func text(_ code: CInt) -> String { String(cString: strerror(code)).lowercased() }

    struct ConnectCancelled: Error {}

    private struct MissingTLS: Error, CustomStringConvertible {
        var description: String { "no TLS context is configured" }
    }
}
