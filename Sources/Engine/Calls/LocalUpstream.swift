import HTTPWire
import NIOCore
import ProviderKit

/// The transport of an attempt's request: a connection to an upstream, or a provider that responds from inside the
/// process.
protocol AttemptTransport: AnyObject {
    /// Cancels the request. Nothing arrives after it.
    func cancel()
    /// Continues reading after the client was slow.
    func resumeReading()
    /// Arms a timer, counted from now; nil disarms it. Every read restarts `idle`.
    func watch(_ timer: UpstreamTimer, for duration: Duration?)
}

extension UpstreamCall: AttemptTransport {}

/// A transport that plays a `LocalResponse` like a socket: with the same order of calls, timers and backpressure.
/// Confined to its event loop.
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
        // The head arrives together with the first bytes of the body, like a server's.
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
        let delay = position < response.chunks.count ? response.chunks[position].delay : .zero
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        next = eventLoop.scheduleTask(in: TimeAmount(delay)) { bound.value.due() }
    }

    private func due() {
        isDue = true
        if attempt?.canRead == true { deliver() }
    }

    private func deliver() {
        isDue = false
        guard let attempt else { return }
        if position == 0 { attempt.headArrived(response.head) }
        guard position < response.chunks.count else {
            cancel()
            return attempt.ended()
        }
        if let idle { watch(.idle, for: idle) }
        attempt.bodyArrived(ByteBuffer(bytes: response.chunks[position].bytes))
        position += 1
        attempt.readCompleted()
        guard self.attempt != nil else { return }
        if position == response.chunks.count {
            cancel()
            attempt.ended()
        } else {
            schedule()
        }
    }
}
