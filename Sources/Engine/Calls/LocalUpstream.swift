import HTTPWire
import NIOCore
import ProviderKit

/// What carries an attempt's request: a connection to an upstream, or a provider that answers from inside the process.
protocol AttemptTransport: AnyObject {
    /// Stops it; nothing more arrives.
    func cancel()
    /// The client takes bytes again.
    func resumeReading()
    /// Arms a named deadline, counted from now; nil disarms it. `idle` counts anew from every read.
    func watch(_ timer: UpstreamTimer, for duration: Duration?)
}

extension UpstreamCall: AttemptTransport {}

/// Plays a `LocalResponse` as if it came from a socket: the same order of calls, timers and backpressure. Confined to its event loop.
final class LocalUpstream: AttemptTransport {
    private let eventLoop: any EventLoop
    private let response: LocalResponse
    private weak var attempt: Attempt?
    private var position = 0
    private var isDue = false
    private var next: Scheduled<Void>?
    private var timers: [UpstreamTimer: Scheduled<Void>] = [:]
    private var idle: Duration?

    init(_ response: LocalResponse, eventLoop: any EventLoop, attempt: Attempt) {
        self.response = response
        self.eventLoop = eventLoop
        self.attempt = attempt
    }

    func start(deadline: NIODeadline) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timers[.total] = eventLoop.scheduleTask(deadline: deadline) { bound.value.expire(.total) }
        // The head comes with the first piece, as a server's would.
        schedule()
        attempt?.requestSent()
    }

    func cancel() {
        attempt = nil
        next?.cancel()
        for timer in timers.values { timer.cancel() }
        timers = [:]
    }

    func resumeReading() {
        if isDue { deliver() }
    }

    func watch(_ timer: UpstreamTimer, for duration: Duration?) {
        timers.removeValue(forKey: timer)?.cancel()
        if timer == .idle { idle = duration }
        guard let duration else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        timers[timer] = eventLoop.scheduleTask(in: TimeAmount(duration)) { bound.value.expire(timer) }
    }

    private func expire(_ timer: UpstreamTimer) {
        let attempt = attempt
        cancel()
        attempt?.failed(.timeout(timer))
    }

    private func schedule() {
        let delay = position < response.pieces.count ? response.pieces[position].delay : .zero
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        next = eventLoop.scheduleTask(in: TimeAmount(delay)) { bound.value.due() }
    }

    private func due() {
        isDue = true
        if attempt?.mayRead == true { deliver() }
    }

    private func deliver() {
        isDue = false
        guard let attempt else { return }
        if position == 0 { attempt.headArrived(response.head) }
        guard position < response.pieces.count else {
            cancel()
            return attempt.ended()
        }
        if let idle { watch(.idle, for: idle) }
        attempt.bodyArrived(ByteBuffer(bytes: response.pieces[position].bytes))
        position += 1
        attempt.readCompleted()
        guard self.attempt != nil else { return }
        if position == response.pieces.count {
            cancel()
            attempt.ended()
        } else {
            schedule()
        }
    }
}
