import NIOCore
import NIOTLS

/// One connection to an upstream: writes a request, de-frames its response. The last handler of its channel; behind TLS where there is any.
final class UpstreamConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    enum Phase {
        case idle, head, body
        /// The response is complete; the read that brought its end is not over yet.
        case ended
        case closed
    }

    /// Interim responses are skipped up to so many bytes in all.
    static let maxInterimBytes = 16 * 1024

    // What each read touches stands first, side by side: with many streams every line of memory comes from afar.
    var phase: Phase = .idle
    var isWriting = false
    var isWritable = true
    let isSecure: Bool
    /// Whether requests can be written: TLS, where there is any, is up.
    var isReady: Bool
    var isReusable = false
    var isUntilClose = false
    var hasNews = false
    var isDelivering = false
    var isReadHeld = false
    var isGreedy = false
    var hasEnded = false
    /// Whether the pool counts it: the losers of a race of addresses are never counted.
    var isCounted = false
    var call: UpstreamCall?
    var context: ChannelHandlerContext?
    var input: ByteBuffer
    let noBytes = ByteBuffer.unshared()
    var responseBytes = 0
    var body = BodyReader(.none)

    let eventLoop: any EventLoop
    let timer: LazyDeadline
    /// When it has been idle for too long.
    var expiry = NIODeadline.distantFuture
    /// Held, so that a pool that nobody names any more lives as long as its last connection.
    let pool: UpstreamPool?
    let socket = SocketWriter()
    var writer = RequestWriter()
    var parser = ResponseParser()
    var interimBytes = 0
    var served = 0
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
            // Nobody asked: whatever it is, the next response must not begin with it.
            close()
        case .ended:
            isReusable = false
        case .head, .body:
            responseBytes &+= bytes.readableBytes
            call?.restartIdle()
            if bytes.readableBytes == SocketSizes.largestRead, !isGreedy, call?.message.isResponseBuffered == true {
                isGreedy = true
                context.setGreedy(true)
            }
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            deliver()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        settle()
        // While a delegate can't take more, nothing is read, and the upstream feels it.
        if !isReadHeld, isHeld {
            isReadHeld = true
            context.setReading(false)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lastError = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { end() }

    /// The channel is closed. One that is closed in the moment in which it connects is never told that it is inactive, only that its handlers go.
    private func end() {
        guard !hasEnded else { return }
        hasEnded = true
        socket.close()
        if let call, phase == .head, responseBytes == 0, served > 0, isReady, let pool, isCounted {
            // It was closed while it was idle, and that was learned too late: the request gets one fresh connection.
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
