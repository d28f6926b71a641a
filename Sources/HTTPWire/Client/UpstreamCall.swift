import NIOCore

/// One request to an upstream, from `UpstreamPool.start` to its end.
package final class UpstreamCall: @unchecked Sendable {  // confined to its event loop
    enum Phase: Sendable, Equatable {
        /// Waiting for a connection.
        case queued
        /// Resolving the name and connecting: DNS, TCP and TLS.
        case connecting
        /// The request is being written.
        case writing
        /// The request is sent, and the response's head has not arrived.
        case waiting
        /// The response is arriving.
        case reading
        case done
    }

    var phase: Phase = .queued
    private var wasSent = false
    private(set) var delegate: (any UpstreamDelegate)?
    private var idleInterval: TimeAmount?
    private let pool: UpstreamPool
    /// The connection that the request runs on; nil while there is none, and once the call is over.
    var connection: UpstreamConnection?
    /// The attempt to connect for this call.
    var connectAttempt: ConnectAttempt?
    var deadlines = CallDeadlines()
    let message: UpstreamMessage
    let timeouts: UpstreamTimeouts

    init(message: UpstreamMessage, timeouts: UpstreamTimeouts, pool: UpstreamPool, delegate: any UpstreamDelegate) {
        self.message = message
        self.timeouts = timeouts
        self.pool = pool
        self.delegate = delegate
        deadlines[.total] = timeouts.total
    }

    /// Cancels the request and closes its connection. The delegate is not called again.
    package func cancel() {
        guard phase != .done else { return }
        let connection = connection
        finish()
        pool.remove(self)
        connection?.cancel(self)
    }

    /// Resumes reading after `isReadyForUpstreamBody` was false.
    package func resumeReading() { connection?.resume(self) }

    /// Arms a deadline, counted from now, or disarms it if `duration` is nil. `idle` restarts at every read.
    package func watch(_ timer: UpstreamTimer, for duration: Duration?) {
        guard phase != .done else { return }
        let time = duration.map { TimeAmount.nanoseconds($0.wholeNanoseconds) }
        if timer == .idle { idleInterval = time }
        set(timer, time.map { pool.eventLoop.now.advanced(by: $0) })
    }

    private func set(_ timer: UpstreamTimer, _ deadline: NIODeadline?) {
        deadlines[timer] = deadline
        guard let deadline else { return }
        if let connection { connection.timer.setEarlier(deadline) } else { pool.timer.setEarlier(deadline) }
    }
}

extension UpstreamCall {
    /// Ends the call; returns the delegate for its last notification.
    @discardableResult
    func finish() -> (any UpstreamDelegate)? {
        defer { delegate = nil }
        connectAttempt?.cancel()
        connectAttempt = nil
        connection = nil
        phase = .done
        return delegate
    }

    func fail(_ failure: UpstreamFailure) {
        finish()?.upstream(self, failed: failure)
    }

    /// The request is sent. The delegate is notified once, even if the request is sent again on a second connection.
    func sent() {
        if phase == .writing { phase = .waiting }
        deadlines[.write] = nil
        if phase == .waiting, let firstByte = timeouts.firstByte { deadlines[.firstByte] = pool.eventLoop.now.advanced(by: firstByte) }
        guard !wasSent else { return }
        wasSent = true
        delegate?.upstreamRequestSent(self)
    }

    func headReceived() {
        phase = .reading
        deadlines[.firstByte] = nil
    }

    /// Restarts the `idle` deadline. Called after each read and after a pause, which the client caused and not the
    /// upstream. The clock is read only if `idle` is armed.
    func restartIdle() {
        if let idleInterval { deadlines[.idle] = pool.eventLoop.now.advanced(by: idleInterval) }
    }
}
