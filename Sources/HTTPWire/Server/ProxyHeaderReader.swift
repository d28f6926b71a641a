import NIOCore

/// Reads the header with which a trusted proxy begins a connection, and passes everything behind it on.
final class ProxyHeaderReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum State {
        case reading(ByteBuffer)
        /// The header has been read.
        case passing
        /// The connection is refused.
        case dropping
    }

    private let connection: ServerConnection
    private var state = State.reading(ByteBuffer())

    /// - Parameter connection: the last handler of the channel, which learns who its client is.
    init(_ connection: ServerConnection) { self.connection = connection }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        let peer = context.remoteAddress?.ipAddress
        guard connection.loop.settings.trustedProxies?.contains(peer) != true else { return }
        refuse(
            WireFault(
                403, "this listener is for proxies that 'server.trusted_proxies' names, and \(peer ?? "a unix socket") is not among them",
                code: "untrusted_proxy"))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passing: context.fireChannelRead(data)
        case .dropping: break
        case .reading(var bytes):
            var more = unwrapInboundIn(data)
            bytes.writeBuffer(&more)
            do throws(WireFault) {
                guard let header = try ProxyHeader.read(&bytes) else {
                    state = .reading(bytes)
                    return
                }
                state = .passing
                if let host = header.host { connection.remoteHost = host }
                if bytes.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(bytes)) }
            } catch {
                refuse(error)
            }
        }
    }

    private func refuse(_ fault: WireFault) {
        state = .dropping
        connection.refuseConnection(fault)
    }
}
