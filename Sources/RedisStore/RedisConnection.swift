import HTTPWire
import NIOCore

/// A connection to a Redis server. Commands of one tick of the event loop are written together, and the replies come in
/// their order.
final class RedisConnection: ChannelInboundHandler, @unchecked Sendable {  // confined to its event loop
    typealias InboundIn = ByteBuffer

    /// What happens to a reply; nil instead of it: the connection has ended before.
    typealias Completion = (RedisReply?) -> Void

    private struct Pending {
        let sentAt: NIODeadline
        let deadline: NIODeadline
        /// nil once its time is over.
        var onLate: (() -> Void)?
        let completion: Completion
        var isLate = false
    }

    private let eventLoop: any EventLoop
    private var channel: (any Channel)?
    private var input = ByteBuffer()
    private var output = ByteBuffer()
    private var hasFlush = false
    private var pending = CircularBuffer<Pending>()
    private lazy var timer = LazyDeadline(eventLoop: eventLoop) { [weak self] now in self?.timeIsOver(now) }
    /// Called once, when the connection ends.
    var onEnd: ((_ reason: String) -> Void)?
    /// Called when the server is no longer late.
    var onCaughtUp: (() -> Void)?

    init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// The commands whose time is over, and whose replies are still to come.
    private var lateCount = 0
    var isLate: Bool { lateCount > 0 }

    /// A server that is late for so long is given up.
    static let patience: TimeAmount = .seconds(1)

    /// - Parameters:
    ///   - time: how long the reply may take.
    ///   - onLate: called if it takes longer; the completion still follows.
    func send(
        _ command: [String], within time: TimeAmount = patience, onLate: (() -> Void)? = nil, _ completion: @escaping Completion
    ) {
        output.writeCommand(command)
        let now = NIODeadline.now()
        pending.append(Pending(sentAt: now, deadline: now + time, onLate: onLate, completion: completion))
        timer.setEarlier(now + time)
        guard !hasFlush else { return }
        hasFlush = true
        // Runs after all events of this tick are handled.
        eventLoop.execute { [self] in flush() }
    }

    func close(_ reason: String) {
        end(reason)
        channel?.close(promise: nil)
    }

    /// Sends what is written now. Without it, that happens after all events of this tick.
    func flush() {
        hasFlush = false
        guard output.readableBytes > 0 else { return }
        channel?.writeAndFlush(output, promise: nil)
        output.clear()
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { channel = context.channel }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        if input.readableBytes == 0 { swap(&input, &bytes) } else { input.writeBuffer(&bytes) }
        do {
            while let reply = try RedisReply.read(from: &input) {
                guard let next = pending.popFirst() else { return close("sends what nobody asked for; is it a Redis server?") }
                if next.isLate { lateCount -= 1 }
                next.completion(reply)
                if next.isLate, !isLate { onCaughtUp?() }
            }
            if input.readableBytes == 0 { input.clear() }
        } catch {
            close("sends no reply of Redis' protocol; check the port")
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end("has closed the connection") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close(RedisFailure.text(error)) }

    private func end(_ reason: String) {
        guard let onEnd else { return }
        self.onEnd = nil
        onCaughtUp = nil
        timer.invalidate()
        let unanswered = pending
        pending.removeAll()
        onEnd(reason)
        for command in unanswered { command.completion(nil) }
    }

    private func timeIsOver(_ now: NIODeadline) {
        guard let first = pending.first else { return }
        if now >= first.sentAt + Self.patience { return close("does not respond") }
        var next = first.sentAt + Self.patience
        for index in pending.indices where !pending[index].isLate {
            guard pending[index].deadline <= now else {
                next = min(next, pending[index].deadline)
                continue
            }
            let onLate = pending[index].onLate.take()
            pending[index].isLate = true
            lateCount += 1
            onLate?()
        }
        timer.set(next)
    }
}
