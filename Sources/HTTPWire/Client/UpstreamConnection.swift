import NIOCore
import NIOTLS

/// A connection to an upstream: writes a request and parses its response. The last handler of its channel, after TLS.
final class UpstreamConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    enum Phase {
        case idle, head, body
        /// The response is complete, but the read that brought its end is not finished.
        case ended
        case closed
    }

    /// The limit of all interim responses together; they are skipped.
    static let maxInterimBytes = 16 * 1024

    // The fields that each read touches come first, next to each other: with many streams, every cache line is a miss.
    var phase: Phase = .idle
    var isWriting = false
    var isWritable = true
    let isSecure: Bool
    /// Whether requests can be written. A TLS connection is ready after its handshake.
    var isReady: Bool
    var isReusable = false
    var isUntilClose = false
    var hasDelivered = false
    var isDelivering = false
    var isReadPaused = false
    var isReadingAhead = false
    var hasEnded = false
    /// Whether the pool counts this connection. If several addresses are tried, only the first to connect is counted.
    var isCounted = false
    var call: UpstreamCall?
    var context: ChannelHandlerContext?
    var input: ByteBuffer
    let noBytes = ByteBuffer.unshared()
    var responseBytes = 0
    var body = BodyReader(.none)

    let eventLoop: any EventLoop
    let timer: LazyDeadline
    /// When the idle connection is closed.
    var expiry = NIODeadline.distantFuture
    /// A strong reference: a pool that was replaced lives as long as its last connection.
    let pool: UpstreamPool?
    let socket = SocketWriter()
    var writer = RequestWriter()
    var parser = ResponseParser()
    var interimBytes = 0
    var servedCount = 0
    var lastError: (any Error)?

    init(pool: UpstreamPool?, eventLoop: any EventLoop, isSecure: Bool) {
        self.pool = pool
        self.eventLoop = eventLoop
        timer = LazyDeadline(eventLoop: eventLoop)
        input = noBytes
        self.isSecure = isSecure
        isReady = !isSecure
    }

    var isOpen: Bool { !hasEnded && phase != .closed }

    /// Whether the idle connection can take a request: the upstream has neither closed it nor sent a byte, not even one
    /// that the event loop has not read yet.
    var isUsable: Bool { isOpen && socket.isPeerSilent }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket.open(context, isPlain: !isSecure)
        timer.run { [self] now in deadlineReached(now) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
        timer.invalidate()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard !isReady, case .handshakeCompleted? = event as? TLSUserEvent else { return }
        isReady = true
        if let call { beginWriting(call) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isReady, let call { write(call) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch phase {
        case .closed:
            return
        case .idle:
            // These bytes belong to no request; the next response must not begin with them.
            close()
        case .ended:
            isReusable = false
        case .head, .body:
            responseBytes &+= bytes.readableBytes
            call?.restartIdle()
            if bytes.readableBytes == SocketSizes.largestRead, !isReadingAhead, call?.message.isResponseBuffered == true {
                isReadingAhead = true
                context.setReadAhead(true)
            }
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            deliver()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        finishRead()
        // While the delegate can't take more, nothing is read, so that TCP slows the upstream down.
        if !isReadPaused, mustPauseRead {
            isReadPaused = true
            context.setReading(false)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lastError = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    /// Handles the channel's close. A channel that is closed while it connects gets no `channelInactive`, only
    /// `handlerRemoved`.
    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        socket.close()
        if let call, phase == .head, responseBytes == 0, servedCount > 0, isReady, let pool, isCounted,
            call.delegate?.upstreamMayReplay(call) == true
        {
            isCounted = false
            phase = .closed
            self.call = nil
            call.connection = nil
            pool.replace(self, for: call)
            return
        }
        endOfInput()
        guard isCounted else { return }
        isCounted = false
        pool?.closed(self)
    }
}
