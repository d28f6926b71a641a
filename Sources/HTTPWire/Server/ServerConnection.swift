import NIOCore

/// One client's connection: reads requests one at a time, hands them over, and writes the answers. The one handler of its channel.
final class ServerConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    enum Phase {
        /// Waiting for a request, or inside its head.
        case head
        /// Inside the body of a request that the handler wants whole.
        case body
        /// The response is outstanding; what arrives meanwhile waits in `input`.
        case answering
        /// Answered without the request's body, which is read and dropped.
        case discarding
        /// The last response is written and the sending side closed or about to be; what arrives is dropped. Source: RFC 9112 section 9.6.
        case lingering
        case closed
    }

    /// Pipelined bytes kept while a response is outstanding; unread body dropped for the sake of the connection; bytes dropped while lingering.
    static let maxWaitingBytes = 64 * 1024
    static let lingerTime = TimeAmount.seconds(1)

    // What each write touches stands first, side by side: with many streams every line of memory comes from afar.
    var phase: Phase = .head
    var isWritable = true
    var isProcessing = false
    var isReading = false
    var isReadHeld = false
    var isGreedy = false
    /// What is written waits for the end of the event loop's tick.
    var isFlushQueued = false
    var hasServed = false
    /// Whether nothing of the request is left unread.
    var isBodyComplete = true
    var expectsContinue = false
    var offersUpgrade = false
    let socket = SocketWriter()
    var exchange: ServerExchange?
    var output = ResponseOutput()
    let loop: ServerLoop
    var context: ChannelHandlerContext?
    var input: ByteBuffer

    let handler: any ServerHandler
    let timer: LazyDeadline
    /// When the bytes in hand came, or could be taken up: what is done with them at once needs no later time.
    var readAt = NIODeadline.uptimeNanoseconds(0)
    var bodyClock = BodyClock(now: .uptimeNanoseconds(0))
    var stallClock = StallClock(now: .uptimeNanoseconds(0))
    var parser = RequestParser()
    var body = BodyReader(.none)
    var bodyLimit = 0
    var discarded = 0
    var limits: ServerLimits
    var times: ServerTimes
    var remoteHost: String?
    var memory: AnyObject?

    init(loop: ServerLoop, handler: any ServerHandler) {
        self.loop = loop
        self.handler = handler
        timer = LazyDeadline(eventLoop: loop.eventLoop)
        input = loop.noBytes
        limits = loop.limits
        times = loop.times
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket.open(context, isPlain: true)
        timer.run { [self] now in deadlineReached(now) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        socket.close()
        timer.invalidate()
    }

    func channelActive(context: ChannelHandlerContext) {
        loop.add(self)
        remoteHost = context.remoteAddress?.ipAddress
        timer.set(loop.eventLoop.now.advanced(by: times.head))
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        socket.close()
        timer.set(nil)
        input = loop.noBytes
        loop.remove(self)
        leave()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        exchange?.observer?.clientWritable(isWritable)
        // Not from inside: this may be the flush of a response that is just given.
        if isWritable, phase == .head { loop.eventLoop.execute { [self] in process() } }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .outputClosed, phase == .lingering {
            timer.set(loop.eventLoop.now + Self.lingerTime)
        }
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
            readAt = .now()
            if phase == .head, input.readableBytes == 0, !parser.hasBegun { timer.set(readAt.advanced(by: times.head)) }
            if phase == .body || phase == .discarding { bodyClock.read(bytes.readableBytes, now: readAt) }
            if bytes.readableBytes == SocketSizes.largestRead, phase == .body, !isGreedy {
                isGreedy = true
                context.setGreedy(true)
            }
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            isReading = true
            process()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        // It also comes before a half-closed connection is closed: what was answered goes out first.
        if output.needsFlush || isFlushQueued { flushNow() }
        if !isReadHeld, mustHoldRead {
            isReadHeld = true
            context.setReading(false)
        }
    }

    /// Whether what has come waits, and more is not wanted.
    var mustHoldRead: Bool { input.readableBytes > Self.maxWaitingBytes && (phase == .answering || phase == .head && !isWritable) }
}
