import NIOCore
import NIOSSL
import NIOTLS

/// A client's connection: reads requests one at a time, passes them to the handler and writes the responses, as
/// `ServerMachine` decides. The only handler of its channel, except for those of TLS.
final class ServerConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    enum PendingFlush {
        case none, afterProcessing
        /// Scheduled for the end of the event loop's tick.
        case atTickEnd
    }

    // The fields that each write touches come first, next to each other: with many streams, every cache line is a miss.
    var pendingFlush: PendingFlush = .none
    var isProcessing = false
    let socket = SocketWriter()
    /// The request that is being served.
    var exchange: ServerExchange?
    var output = ResponseOutput()
    let loop: ServerLoop
    var context: ChannelHandlerContext?
    var input: ByteBuffer
    var machine: ServerMachine

    let handler: any ServerHandler
    let timer: LazyDeadline
    /// When the current bytes arrived, or when their processing began; saves further clock reads.
    var readAt = NIODeadline.uptimeNanoseconds(0)
    var reading = ReadMode()
    /// The body's share of `server.max_buffered` while it is being assembled.
    var bodyShare: BufferShare
    /// The upload that goes into a file.
    var upload: SpoolWriter?
    /// The share of a large response that the client has not read yet.
    var outputShare: BufferShare
    /// The client's IP address, as far as the connection says it; nil on a unix socket.
    var remoteHost: String?
    private(set) var isLocalSocket = false
    var handlerState: AnyObject?
    /// The bytes on their way to the socket; nil without TLS, because they are those of `output` then.
    let encrypted: SentBytes?
    /// The client's certificate in DER form; nil if it has sent none.
    var clientCertificate: [UInt8]?

    init(loop: ServerLoop, handler: any ServerHandler, behindTLS encrypted: SentBytes? = nil) {
        self.encrypted = encrypted
        self.loop = loop
        self.handler = handler
        timer = LazyDeadline(eventLoop: loop.eventLoop)
        input = loop.noBytes
        machine = ServerMachine(loop.settings)
        bodyShare = BufferShare(loop.budget)
        outputShare = BufferShare(loop.budget)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        socket.open(context, isPlain: encrypted == nil)
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
        isLocalSocket = remoteHost == nil
        machine.connected(now: loop.eventLoop.now)
        timer.set(machine.deadline)
    }

    func channelInactive(context: ChannelHandlerContext) {
        machine.closed()
        socket.close()
        timer.set(nil)
        input = loop.noBytes
        outputShare.release()
        loop.remove(self)
        clientLeft()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        machine.isWritable = isWritable
        if isWritable { outputShare.release() }
        exchange?.observer?.clientWritable(isWritable)
        // Not synchronously: this event may come from the flush of the response that is being written.
        if isWritable, exchange == nil { loop.eventLoop.execute { [self] in process() } }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .outputClosed {
            machine.outputClosed(now: loop.eventLoop.now)
            timer.set(machine.deadline)
        } else if case .handshakeCompleted? = event as? TLSUserEvent {
            clientCertificate = try? context.pipeline.syncOperations.nioSSL_peerCertificate()?.toDERBytes()
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        readAt = .now()
        switch machine.received(bytes.readableBytes, waiting: input.readableBytes, now: readAt) {
        case .drop: return
        case .close: return context.close(promise: nil)
        case .read: break
        }
        if bytes.readableBytes == SocketSizes.largestRead, machine.isCollecting { reading.set(.ahead, context) }
        if input.readableBytes == 0 { input = bytes } else { input.writeBuffer(&bytes) }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if pendingFlush != .none { flushNow() }
        if machine.mustPauseRead(waiting: input.readableBytes) { reading.set(.paused, context) }
    }
}
