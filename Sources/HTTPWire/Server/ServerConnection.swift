import NIOCore

/// One caller's connection: reads requests one at a time, hands them over, and writes the answers. The one handler of its channel.
final class ServerConnection: ChannelDuplexHandler, @unchecked Sendable { // confined to its event loop
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Waiting for a request, or inside its head.
        case head
        /// Inside the body of a request that the handler wants whole.
        case body
        /// The answer is outstanding; what arrives meanwhile waits in `input`.
        case answering
        /// Answered without the request's body, which is read and dropped.
        case discarding
        /// The last answer is written and the sending side closed or about to be; what arrives is dropped. Source: RFC 9112 section 9.6.
        case lingering
        case closed
    }

    /// Pipelined bytes kept while an answer is outstanding; unread body dropped for the sake of the connection; bytes dropped while lingering.
    static let maxWaitingBytes = 64 * 1024
    static let lingerTime = TimeAmount.seconds(1)

    let loop: ServerLoop
    let handler: any ServerHandler
    private(set) var limits: ServerLimits
    var context: ChannelHandlerContext?
    var isWritable = true

    var phase: Phase = .head
    var exchange: ServerExchange?
    var output = AnswerOutput()
    private var request: ParsedRequest?
    private var parser = RequestParser()
    private var body = BodyReader(.none)
    private var bodyLimit = 0
    private var input = ByteBuffer()

    /// Whether nothing of the request is left unread.
    private var isBodyComplete = true
    private var isProcessing = false
    private var isReading = false
    private var isReadHeld = false
    private var hasServed = false
    private var discarded = 0
    private var remoteHost: String?

    private lazy var timer = LazyDeadline(eventLoop: loop.eventLoop) { [self] now in deadlineReached(now) }
    private var bodyClock = BodyClock(now: .uptimeNanoseconds(0))
    private var stallClock = StallClock(now: .uptimeNanoseconds(0))

    init(loop: ServerLoop, handler: any ServerHandler) {
        self.loop = loop
        self.handler = handler
        limits = loop.limits
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        timer.invalidate()
    }

    func channelActive(context: ChannelHandlerContext) {
        loop.add(self)
        remoteHost = context.remoteAddress?.ipAddress
        timer.set(loop.eventLoop.now.advanced(by: limits.headTimeout))
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        timer.set(nil)
        input = ByteBuffer()
        loop.remove(self)
        leave()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        exchange?.observer?.callerWritable(isWritable)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .outputClosed, phase == .lingering { timer.set(loop.eventLoop.now + Self.lingerTime) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch phase {
        case .closed:
            return
        case .lingering:
            discarded &+= bytes.readableBytes
            if discarded > Self.maxWaitingBytes { context.close(promise: nil) }
        default:
            if phase == .head, input.readableBytes == 0, !parser.hasBegun { timer.set(loop.eventLoop.now.advanced(by: limits.headTimeout)) }
            if phase == .body || phase == .discarding { bodyClock.read(bytes.readableBytes, now: loop.eventLoop.now) }
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            isReading = true
            process()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        if output.needsFlush { flushNow() }
    }

    func read(context: ChannelHandlerContext) {
        isReadHeld = phase == .answering && input.readableBytes > Self.maxWaitingBytes
        if !isReadHeld { context.read() }
    }
}

extension ServerConnection {
    /// Does all that the bytes in `input` allow. Handlers answer from inside; the loop takes the next request then, not a deeper call.
    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        defer {
            isProcessing = false
            if output.needsFlush, !isReading { flushNow() }
        }
        var hasProgress = true
        while hasProgress {
            do throws(WireFault) {
                switch phase {
                case .head: hasProgress = try readHead()
                case .body: hasProgress = try readBody()
                case .discarding: hasProgress = try discardBody()
                case .answering, .lingering, .closed: hasProgress = false
                }
            } catch {
                refuse(error)
                return
            }
        }
        if input.readableBytes == 0 { input = ByteBuffer() }
        if isReadHeld, phase != .answering || input.readableBytes <= Self.maxWaitingBytes {
            isReadHeld = false
            context?.read()
        }
    }

    private func readHead() throws(WireFault) -> Bool {
        guard input.readableBytes > 0, var request = try parser.next(&input, limits: limits.head) else { return false }
        parser = RequestParser()
        request.head.fields.detach()
        self.request = request
        body = BodyReader(request.body)
        isBodyComplete = request.body == .none
        let now = loop.eventLoop.now
        let exchange = ServerExchange(head: request.head, connection: self, eventLoop: loop.eventLoop, remoteHost: remoteHost, acceptedAt: now)
        self.exchange = exchange
        loop.exchangeCount.add(1, ordering: .relaxed)
        output.start(head: request.head)
        stallClock = StallClock(now: now)
        phase = .answering

        let plan = handler.accept(exchange)
        guard self.exchange === exchange else { return true }
        guard case .collect(let wanted) = plan else {
            timer.set(now.advanced(by: limits.writeStall / 4))
            return false
        }
        try collect(exchange, request, limit: min(max(wanted, 0), limits.maxBodyBytes), now: now)
        return true
    }

    private func collect(_ exchange: ServerExchange, _ request: ParsedRequest, limit: Int, now: NIODeadline) throws(WireFault) {
        bodyLimit = limit
        phase = .body
        guard request.body != .none else { return }
        if case .sized(let size) = request.body {
            guard size <= limit else { throw Self.tooLarge(limit) }
            if size > input.readableBytes { exchange.body.reserveCapacity(min(size, 256 * 1024)) }
        }
        if request.expectsContinue, input.readableBytes == 0 {
            output.writeContinue()
            handOver()
            flush()
        }
        bodyClock = BodyClock(now: now)
        timer.set(bodyClock.deadline(limits))
    }

    private func readBody() throws(WireFault) -> Bool {
        guard let exchange else { return false }
        switch try body.next(&input, limit: .max) {
        case .bytes(var piece):
            guard piece.readableBytes <= bodyLimit - exchange.body.readableBytes else { throw Self.tooLarge(bodyLimit) }
            if exchange.body.readableBytes == 0, body.knownRemaining == 0 { exchange.body = piece.detached() } else { exchange.body.writeBuffer(&piece) }
            return true
        case .more:
            guard body.announcedBytes <= bodyLimit - exchange.body.readableBytes else { throw Self.tooLarge(bodyLimit) }
            timer.set(bodyClock.deadline(limits))
            return false
        case .end:
            isBodyComplete = true
            phase = .answering
            timer.set(loop.eventLoop.now.advanced(by: limits.writeStall / 4))
            handler.handle(exchange)
            return true
        }
    }

    private func discardBody() throws(WireFault) -> Bool {
        switch try body.next(&input) {
        case .bytes(let piece):
            discarded &+= piece.readableBytes
            if discarded > Self.maxWaitingBytes { linger() }
            return true
        case .more:
            timer.set(bodyClock.deadline(limits))
            return false
        case .end:
            nextRequest()
            return true
        }
    }

    private static func tooLarge(_ limit: Int) -> WireFault { WireFault(413, "the request's body is larger than \(limit) bytes") }
}

extension ServerConnection {
    /// Whether the answer now begun must be the connection's last.
    func isLastAnswer(_ exchange: ServerExchange) -> Bool {
        if exchange.closeAfter || !exchange.head.isKeepAlive || loop.isDraining { return true }
        guard let request, !request.offersUpgrade else { return true }
        if isBodyComplete { return false }
        // The body is unread: small ones are read and dropped, but not where the caller may never send it.
        guard !request.expectsContinue, let rest = body.knownRemaining else { return true }
        return rest > Self.maxWaitingBytes
    }

    /// The exchange is answered: goes on as its head has promised.
    func finishExchange() {
        forgetExchange()
        hasServed = true
        if output.closesConnection {
            linger()
        } else if !isBodyComplete {
            discarded = 0
            bodyClock = BodyClock(now: loop.eventLoop.now)
            phase = .discarding
            process()
        } else {
            nextRequest()
            process()
        }
    }

    private func nextRequest() {
        limits = loop.limits
        request = nil
        phase = .head
        if loop.isDraining, input.readableBytes == 0 {
            linger()
        } else {
            timer.set(loop.eventLoop.now.advanced(by: input.readableBytes > 0 ? limits.headTimeout : limits.keepAliveIdle))
        }
    }

    /// Half-closes once everything is written, then waits for the caller to close.
    func linger() {
        phase = .lingering
        discarded = 0
        input = ByteBuffer()
        let now = loop.eventLoop.now
        stallClock = StallClock(now: now)
        timer.set(now.advanced(by: limits.writeStall / 4))
        if output.needsFlush { flushNow() }
        context?.close(mode: .output, promise: nil)
        if isReadHeld {
            isReadHeld = false
            context?.read()
        }
    }

    func closeIfIdle() {
        if phase == .head, hasServed, input.readableBytes == 0 { linger() }
    }

    private func forgetExchange() {
        guard let exchange else { return }
        exchange.connection = nil
        exchange.observer = nil
        self.exchange = nil
        loop.exchangeCount.subtract(1, ordering: .relaxed)
    }

    /// The caller has gone before its answer was complete.
    private func leave() {
        let observer = exchange?.observer
        forgetExchange()
        observer?.callerLeft()
    }

    func closeNow() {
        forgetExchange()
        phase = .closed
        context?.close(promise: nil)
    }

    private func refuse(_ fault: WireFault) {
        let head = request?.head
        let (response, body) = handler.refuse(status: fault.status, reason: fault.reason, head: head, exchange: exchange, remoteHost: remoteHost, eventLoop: loop.eventLoop)
        forgetExchange()
        output.start(head: head)
        output.closesConnection = true
        writeWhole(response, body)
        linger()
    }

    private func deadlineReached(_ now: NIODeadline) {
        switch phase {
        case .closed:
            break
        case .head:
            // A connection that never began its request is closed without a word.
            if parser.hasBegun { refuse(WireFault(408, "the request's head did not arrive in time")) } else { linger() }
        case .body, .discarding:
            let deadline = bodyClock.deadline(limits)
            if deadline > now {
                timer.set(deadline)
            } else if phase == .body {
                refuse(WireFault(408, "the request's body did not arrive in time"))
            } else {
                linger()
            }
        case .answering, .lingering:
            checkStall(now)
        }
    }

    private func checkStall(_ now: NIODeadline) {
        guard let context, let waiting = try? context.channel.syncOptions?.getOption(.bufferedWritableBytes) else { return }
        stallClock.check(written: output.handedOver &- waiting, waiting: waiting, now: now)
        let isOver = phase == .lingering && waiting == 0
        if isOver || stallClock.lastProgress.advanced(by: limits.writeStall) <= now {
            context.close(promise: nil)
        } else {
            timer.set(now.advanced(by: limits.writeStall / 4))
        }
    }

    /// Flushes now, or at the end of the read that is under way.
    func flush() {
        if isReading || isProcessing { output.needsFlush = true } else { flushNow() }
    }

    private func flushNow() {
        output.needsFlush = false
        context?.flush()
    }
}
