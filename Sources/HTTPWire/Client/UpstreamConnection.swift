import NIOCore
import NIOSSL
import NIOTLS

/// One connection to an upstream: writes a request, de-frames its response. The last handler of its channel; behind TLS where there is any.
final class UpstreamConnection: ChannelDuplexHandler, @unchecked Sendable { // confined to its event loop
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case idle, head, body
        /// The response is complete; the read that brought its end is not over yet.
        case ended
        case closed
    }

    /// Interim responses are skipped up to so many bytes in all.
    private static let maxInterimBytes = 16 * 1024

    let eventLoop: any EventLoop
    private(set) lazy var timer = LazyDeadline(eventLoop: eventLoop) { [self] now in deadlineReached(now) }
    /// When it has been idle for too long.
    var expiry = NIODeadline.distantFuture
    /// Whether the pool counts it: the losers of a race of addresses are never counted.
    var isCounted = false

    /// Held, so that a pool that nobody names any more lives as long as its last connection.
    private let pool: UpstreamPool?
    private var context: ChannelHandlerContext?
    private let isSecure: Bool
    /// Whether requests can be written: TLS, where there is any, is up.
    private(set) var isReady: Bool
    private var phase: Phase = .idle
    private var call: UpstreamCall?
    private var writer = RequestWriter()
    private var isWriting = false

    private var parser = ResponseParser()
    private var body = BodyReader(.none)
    private var isUntilClose = false
    private var input = ByteBuffer()
    private var responseBytes = 0
    private var interimBytes = 0
    private var served = 0
    private var isReusable = false
    private var hasNews = false
    private var isDelivering = false
    private var isReadHeld = false
    private var hasEnded = false
    private var lastError: (any Error)?

    init(pool: UpstreamPool?, eventLoop: any EventLoop, isSecure: Bool) {
        self.pool = pool
        self.eventLoop = eventLoop
        self.isSecure = isSecure
        isReady = !isSecure
    }

    var isOpen: Bool { !hasEnded && phase != .closed }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        timer.invalidate()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard !isReady, case .handshakeCompleted? = event as? TLSUserEvent else { return }
        isReady = true
        if let call { beginWriting(call) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if isReady, let call { write(call) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch phase {
        case .closed:
            return
        case .idle:
            // Nobody asked: whatever it is, the next answer must not begin with it.
            close()
        case .ended:
            isReusable = false
        case .head, .body:
            responseBytes &+= bytes.readableBytes
            call?.received(now: eventLoop.now)
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            deliver()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { settle() }

    /// While a delegate can't take more, the read is swallowed here, and the upstream feels it.
    func read(context: ChannelHandlerContext) {
        isReadHeld = isHeld
        if !isReadHeld { context.read() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        lastError = error
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
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

extension UpstreamConnection {
    func start(_ call: UpstreamCall) {
        self.call = call
        call.connection = self
        call.reusedConnection = served > 0
        phase = .head
        parser = ResponseParser()
        responseBytes = 0
        interimBytes = 0
        isReusable = false
        if hasEnded {
            isCounted = false
            eventLoop.execute { [self] in
                endOfInput()
                pool?.closed(self)
            }
        } else if isReady {
            beginWriting(call)
        } else if let deadline = call.deadlines.earliestTime {
            timer.setEarlier(deadline)
        }
    }

    /// Closes at once: behind the TLS handler's back, which would wait for the peer's farewell.
    func close() {
        phase = .closed
        input = ByteBuffer()
        writer.stop()
        guard let context else { return }
        if isSecure, let tls = try? context.pipeline.syncOperations.context(handlerType: NIOSSLClientHandler.self) {
            tls.close(promise: nil)
        } else {
            context.close(promise: nil)
        }
    }

    /// The call was cancelled.
    func drop(_ call: UpstreamCall) {
        guard self.call === call else { return }
        self.call = nil
        close()
    }

    func resume(_ call: UpstreamCall) {
        guard self.call === call, !isDelivering else { return }
        let wasHeld = isReadHeld
        if wasHeld { call.restartIdle(now: eventLoop.now) }
        deliver()
        settle()
        if hasEnded { endOfInput() }
        if isReadHeld, !isHeld {
            isReadHeld = false
            context?.read()
        }
    }

    private var isHeld: Bool {
        guard phase == .body, let call else { return false }
        return input.readableBytes > 0 || call.delegate?.upstreamMayRead == false
    }

    private func beginWriting(_ call: UpstreamCall) {
        call.phase = .writing
        call.deadlines[.connect] = nil
        writer.begin(call.message)
        write(call)
    }

    private func write(_ call: UpstreamCall) {
        guard !isWriting, !writer.isEmpty, let context else { return }
        isWriting = true
        defer { isWriting = false }
        while context.channel.isWritable, let piece = writer.next() {
            if writer.isEmpty, writer.needsProof {
                let written = eventLoop.makePromise(of: Void.self)
                written.futureResult.whenSuccess { [self] in
                    if self.call === call { sent(call) }
                }
                context.writeAndFlush(wrapOutboundOut(piece), promise: written)
            } else {
                context.writeAndFlush(wrapOutboundOut(piece), promise: nil)
            }
            guard self.call === call else { return }
            // What fits the socket's empty buffer is sent.
            if writer.isEmpty, !writer.needsProof { return sent(call) }
        }
        guard call.phase == .writing else { return }
        call.deadlines[.write] = eventLoop.now.advanced(by: call.timeouts.write)
        rearm(call)
    }

    private func sent(_ call: UpstreamCall) {
        writer.isSent = true
        call.sent(now: eventLoop.now)
        if self.call === call { rearm(call) }
    }

    private func rearm(_ call: UpstreamCall) {
        if let deadline = call.deadlines.earliestTime { timer.setEarlier(deadline) }
    }

    private func deadlineReached(_ now: NIODeadline) {
        guard let call else { return }
        if let idle = call.deadlines[.idle], idle <= now, isHeld { call.restartIdle(now: now) }
        guard let (name, time) = call.deadlines.earliest else { return }
        if time <= now { fail(.timeout(name)) } else { timer.set(time) }
    }
}

extension UpstreamConnection {
    /// Passes on all that has come and may be read. A delegate may cancel at each step.
    private func deliver() {
        guard !isDelivering else { return }
        isDelivering = true
        defer { isDelivering = false }
        do throws(WireFault) {
            while let call, try deliverNext(call) {}
        } catch {
            fail(.malformed(error.reason))
        }
        if input.readableBytes == 0 { input = ByteBuffer() }
    }

    private func deliverNext(_ call: UpstreamCall) throws(WireFault) -> Bool {
        switch phase {
        case .head:
            guard input.readableBytes > 0, let response = try parser.next(&input, isHeadRequest: call.message.isHeadRequest) else { return false }
            if response.status < 200 {
                try skipInterim(response)
            } else {
                try beginBody(response, call)
            }
            return true
        case .body:
            guard let delegate = call.delegate, input.readableBytes == 0 || delegate.upstreamMayRead else { return false }
            switch try body.next(&input) {
            case .bytes(let piece):
                hasNews = true
                delegate.upstream(call, body: piece)
            case .more: return false
            case .end: endResponse(call)
            }
            return true
        case .idle, .ended, .closed:
            return false
        }
    }

    private func skipInterim(_ response: ParsedResponse) throws(WireFault) {
        guard response.status != 101 else { throw WireFault("it changes to another protocol, which nobody asked for") }
        interimBytes &+= response.headBytes
        guard interimBytes <= Self.maxInterimBytes else { throw WireFault("more than \(Self.maxInterimBytes) bytes of interim responses") }
        parser = ResponseParser()
    }

    private func beginBody(_ response: ParsedResponse, _ call: UpstreamCall) throws(WireFault) {
        phase = .body
        body = BodyReader(response.body)
        isUntilClose = response.body == .untilClose
        isReusable = response.isKeepAlive
        var fields = response.fields
        fields.detach()
        call.headReceived()
        hasNews = true
        call.delegate?.upstream(call, head: UpstreamResponseHead(status: response.status, fields: fields))
    }

    private func endResponse(_ call: UpstreamCall) {
        phase = .ended
        isReusable = isReusable && input.readableBytes == 0 && writer.isSent
        writer.stop()
        self.call = nil
        call.finish()?.upstreamEnd(call)
    }

    /// The end of a read, or of what was held.
    private func settle() {
        if phase == .ended {
            if isReusable, !hasEnded {
                served &+= 1
                phase = .idle
                pool?.release(self)
            } else {
                close()
            }
        } else if hasNews, let call {
            hasNews = false
            call.delegate?.upstreamReadComplete(call)
        }
    }

    /// Nothing more will come. What is still held goes first; then the rules say what the end means.
    private func endOfInput() {
        guard let call, !isHeld || input.readableBytes == 0 else { return }
        if phase == .body, isUntilClose, lastError == nil {
            endResponse(call)
            phase = .closed
        } else if !isReady {
            fail(.unreachable(lastError.map { "TLS failed: \($0)" } ?? "the connection was closed during the TLS handshake"))
        } else {
            fail(responseBytes == 0 ? .reset : .truncated)
        }
    }

    private func fail(_ failure: UpstreamFailure) {
        guard let call else { return }
        self.call = nil
        close()
        call.fail(failure)
    }
}
