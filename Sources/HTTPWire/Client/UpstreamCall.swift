import NIOCore

/// One request to an upstream, from `UpstreamPool.start` to its end.
package final class UpstreamCall: @unchecked Sendable {  // confined to its event loop
    enum State {
        /// Waiting for a connection.
        case queued
        /// Resolving the name and connecting: DNS, TCP and TLS.
        case connecting(ConnectAttempt)
        case running(UpstreamConnection)
        case done
    }

    private(set) var state: State = .queued
    private var wasSent = false
    private(set) var delegate: (any UpstreamDelegate)?
    private var idleInterval: TimeAmount?
    private let pool: UpstreamPool
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
        guard !isDone else { return }
        let connection = connection
        finish()
        pool.remove(self)
        connection?.cancel(self)
    }

    /// Resumes reading after `isReadyForUpstreamBody` was false.
    package func resumeReading() { connection?.resume(self) }

    /// Arms a deadline, counted from now, or disarms it if `duration` is nil. `idle` restarts at every read.
    package func watch(_ timer: UpstreamTimer, for duration: Duration?) {
        guard !isDone else { return }
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
    var isDone: Bool { if case .done = state { true } else { false } }

    private var connection: UpstreamConnection? { if case .running(let connection) = state { connection } else { nil } }

    func connect(_ attempt: ConnectAttempt) { state = .connecting(attempt) }

    func run(on connection: UpstreamConnection) { state = .running(connection) }

    /// Ends the call; returns the delegate for its last notification.
    @discardableResult
    func finish() -> (any UpstreamDelegate)? {
        defer { delegate = nil }
        if case .connecting(let attempt) = state { attempt.cancel() }
        state = .done
        return delegate
    }

    func fail(_ failure: UpstreamFailure) {
        finish()?.upstream(self, failed: failure)
    }

    /// The request is sent. The delegate is notified once, even if the request is sent again on a second connection.
    ///
    /// - Parameter awaitsHead: whether the response's head has not arrived.
    func sent(awaitsHead: Bool) {
        deadlines[.write] = nil
        if awaitsHead, let firstByte = timeouts.firstByte { deadlines[.firstByte] = pool.eventLoop.now.advanced(by: firstByte) }
        guard !wasSent else { return }
        wasSent = true
        delegate?.upstreamRequestSent(self)
    }

    func headReceived() {
        deadlines[.firstByte] = nil
    }

    /// Restarts the `idle` deadline. Called after each read and after a pause, which the client caused and not the
    /// upstream. The clock is read only if `idle` is armed.
    func restartIdle() {
        if let idleInterval { deadlines[.idle] = pool.eventLoop.now.advanced(by: idleInterval) }
    }
}
