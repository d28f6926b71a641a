import NIOCore

/// A client's connection: reads requests one at a time, passes them to the handler and writes the responses. The only
/// handler of its channel.
final class ServerConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    enum Phase {
        /// Waiting for a request or reading its head.
        case head
        /// Reading a request's body, which the handler gets once it is complete.
        case body
        /// The response is outstanding; bytes that arrive in the meantime wait in `input`.
        case responding
        /// The response was sent before the end of the request's body, the rest of which is read and dropped.
        case discarding
        /// The last response is written, and the sending side is closed or about to be; arriving bytes are dropped.
        /// Source: RFC 9112 section 9.6.
        case lingering
        case closed
    }

    /// A limit for three things: the pipelined bytes kept while a response is outstanding, the unread body bytes that
    /// are dropped to keep the connection, and the bytes dropped while lingering after a complete request. After a
    /// refusal four times the largest body is dropped instead.
    static let maxWaitingBytes = 64 * 1024
    static let lingerTime = TimeAmount.seconds(1)

    // The fields that each write touches come first, next to each other: with many streams, every cache line is a miss.
    var phase: Phase = .head
    var isWritable = true
    var isProcessing = false
    var isReading = false
    var isReadPaused = false
    var isReadingAhead = false
    /// Whether a flush is scheduled for the end of the event loop's tick.
    var isFlushQueued = false
    var hasServed = false
    /// Whether the request's body has been read completely.
    var isBodyComplete = true
    var expectsContinue = false
    /// Whether the handler has postponed the reading of the body.
    var isBodyAwaited = false
    var offersUpgrade = false
    let socket = SocketWriter()
    var exchange: ServerExchange?
    var output = ResponseOutput()
    let loop: ServerLoop
    var context: ChannelHandlerContext?
    var input: ByteBuffer

    let handler: any ServerHandler
    let timer: LazyDeadline
    /// When the current bytes arrived, or when their processing began; saves further clock reads.
    var readAt = NIODeadline.uptimeNanoseconds(0)
    var bodyClock = BodyClock(now: .uptimeNanoseconds(0))
    var stallClock = StallClock(now: .uptimeNanoseconds(0))
    var parser = RequestParser()
    var body = BodyReader(.none)
    var bodyLimit = 0
    /// The body's share of `server.max_buffered` while it is being assembled.
    var bodyShare: BufferShare
    /// The share of a large response that the client has not read yet.
    var outputShare: BufferShare
    var discarded = 0
    var maxDiscarded = 0
    var discardEnd = NIODeadline.distantFuture
    var settings: ConnectionSettings
    var limits: ServerLimits { settings.limits }
    var times: ServerTimes { settings.times }
    var remoteHost: String?
    var handlerState: AnyObject?

    init(loop: ServerLoop, handler: any ServerHandler) {
        self.loop = loop
        self.handler = handler
        timer = LazyDeadline(eventLoop: loop.eventLoop)
        input = loop.noBytes
        settings = loop.settings
        bodyShare = BufferShare(loop.budget)
        outputShare = BufferShare(loop.budget)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket.open(context, isPlain: true)
        if let descriptor = socket.descriptor, !loop.acceptPause.accepts(descriptor) { context.close(promise: nil) }
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
        outputShare.release()
        loop.remove(self)
        clientLeft()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable { outputShare.release() }
        exchange?.observer?.clientWritable(isWritable)
        // Not synchronously: this event may come from the flush of the response that is being written.
        if isWritable, phase == .head { loop.eventLoop.execute { [self] in process() } }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .outputClosed, phase == .lingering {
            timer.set(loop.eventLoop.now + (isBodyComplete ? Self.lingerTime : times.discard))
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        switch phase {
        case .closed:
            return
        case .lingering:
            discarded &+= bytes.readableBytes
            if discarded > maxDiscarded { context.close(promise: nil) }
        default:
            readAt = .now()
            if phase == .head, input.readableBytes == 0, !parser.hasBegun { timer.set(readAt.advanced(by: times.head)) }
            if phase == .body || phase == .discarding { bodyClock.read(bytes.readableBytes, now: readAt) }
            if bytes.readableBytes == SocketSizes.largestRead, phase == .body, !isReadingAhead {
                isReadingAhead = true
                context.setReadAhead(true)
            }
            if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
            isReading = true
            process()
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        // This event also comes before a half-closed connection is closed, so that its responses are still sent.
        if output.needsFlush || isFlushQueued { flushNow() }
        if !isReadPaused, mustPauseRead {
            isReadPaused = true
            context.setReading(false)
        }
    }

    /// Whether reading must pause, because too many bytes wait that can't be processed yet.
    var mustPauseRead: Bool { input.readableBytes > Self.maxWaitingBytes && (phase == .responding || phase == .head && !isWritable) }
}
