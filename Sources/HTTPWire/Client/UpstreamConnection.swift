import NIOCore
import NIOSSL
import NIOTLS

/// A connection to an upstream: writes a request and parses its response, as `UpstreamMachine` decides. The last
/// handler of its channel, after TLS.
final class UpstreamConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    // The fields that each read touches come first, next to each other: with many streams, every cache line is a miss.
    var isWriting = false
    var isWritable = true
    var isDelivering = false
    let isSecure: Bool
    var reading = ReadMode()
    var call: UpstreamCall?
    var context: ChannelHandlerContext?
    var input: ByteBuffer
    let noBytes = ByteBuffer.unshared()
    var machine: UpstreamMachine

    let eventLoop: any EventLoop
    let timer: LazyDeadline
    /// The pool that counts this connection. A strong reference: a pool that was replaced lives as long as its last
    /// connection. nil before and after; if several addresses are tried, only the first to connect is counted.
    var pool: UpstreamPool?
    let socket = SocketWriter()
    var writer = RequestWriter()
    /// The error that closed the channel. What follows it comes of the close.
    private var error: (any Error)?
    /// What the upstream has shown in a TLS handshake that failed.
    private var certificate: NIOSSLCertificate?

    init(eventLoop: any EventLoop, isSecure: Bool) {
        self.eventLoop = eventLoop
        timer = LazyDeadline(eventLoop: eventLoop)
        input = noBytes
        self.isSecure = isSecure
        machine = UpstreamMachine(isSecure: isSecure)
    }

    /// Whether the idle connection can take a request: the upstream has neither closed it nor sent a byte, not even one
    /// that the event loop has not read yet.
    var isUsable: Bool { machine.isOpen && socket.isPeerSilent }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket.open(context, isPlain: !isSecure)
        timer.run { [self] now in deadlineReached(now) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        disconnected()
        self.context = nil
        timer.invalidate()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent, machine.handshakeCompleted(), let call else { return }
        beginWriting(call)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if machine.transport == .open, let call { write(call) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch machine.received(bytes.readableBytes) {
        case .drop: return
        case .close: return close()
        case .read: break
        }
        call?.restartIdle()
        if bytes.readableBytes == SocketSizes.largestRead, call?.message.isResponseBuffered == true { reading.set(.ahead, context) }
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
        deliver()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        finishRead()
        // While the delegate can't take more, nothing is read, so that TCP slows the upstream down.
        if mustPauseRead { reading.set(.paused, context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.error == nil { self.error = error }
        if machine.isHandshaking { certificate = try? context.channel.pipeline.syncOperations.nioSSL_peerCertificate() }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { disconnected() }

    /// Handles the channel's close. A channel that is closed while it connects gets no `channelInactive`, only
    /// `handlerRemoved`.
    private func disconnected() {
        guard !machine.isDisconnected else { return }
        socket.close()
        if machine.disconnected(), let pool, let call, call.delegate?.upstreamMayReplay(call) == true {
            machine.close()
            self.call = nil
            self.pool = nil
            return pool.replace(self, for: call)
        }
        endOfInput()
        leavePool()
    }

    /// Ends the call after the upstream has closed. If bytes still wait for the delegate, `resume` calls this again.
    func endOfInput() {
        switch machine.inputEnded(waiting: input.readableBytes, isClean: error == nil) {
        case .none: break
        case .end: endResponse()
        case .handshakeFailed: fail(tlsFailure(isComplete: false))
        // With TLS 1.3, the upstream verifies the router after the router has begun to write.
        case .fail(.reset) where error.flatMap(TLSFailure.alert) != nil: fail(tlsFailure(isComplete: true))
        case .fail(let failure): fail(failure)
        }
    }

    private func tlsFailure(isComplete: Bool) -> UpstreamFailure {
        let connector = pool?.connector
        return .unreachable(
            TLSFailure.message(
                error, at: connector?.place ?? "the upstream", certificate: certificate, isComplete: isComplete,
                problem: connector?.tls?.settings.problem))
    }

    func leavePool() {
        guard let pool else { return }
        self.pool = nil
        pool.closed(self)
    }
}
