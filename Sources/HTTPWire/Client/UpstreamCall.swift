package import NIOCore

/// One request to an upstream, from `UpstreamPool.start` to its end.
package final class UpstreamCall: @unchecked Sendable {  // confined to its event loop
    package enum Phase: Sendable, Equatable {
        /// Waiting for a connection.
        case queued
        /// DNS, TCP, TLS.
        case connecting
        /// The request is being written.
        case writing
        /// The request is sent, the response's head has not come.
        case waiting
        /// The response is coming in.
        case reading
        case done
    }

    package internal(set) var phase: Phase = .queued
    /// Whether the request went out on a connection that had served others before.
    package internal(set) var reusedConnection = false

    private var wasSent = false
    private(set) var delegate: (any UpstreamDelegate)?
    private var idleInterval: TimeAmount?
    private let pool: UpstreamPool
    /// The connection it runs on, and what that still holds for it, until the call is over.
    var connection: UpstreamConnection?
    /// The connection that is being made for it.
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

    /// Gives the request up: its connection is closed, and the delegate hears nothing more.
    package func cancel() {
        guard phase != .done else { return }
        let connection = connection
        finish()
        pool.remove(self)
        connection?.drop(self)
    }

    /// Takes reading up again after `upstreamMayRead` was false.
    package func resumeReading() { connection?.resume(self) }

    /// Arms, moves or (nil) disarms a named deadline, counted from now. `idle` starts anew at every read.
    package func watch(_ timer: UpstreamTimer, for duration: Duration?) {
        guard phase != .done else { return }
        let time = duration.map { TimeAmount.nanoseconds($0.wholeNanoseconds) }
        if timer == .idle { idleInterval = time }
        set(timer, time.map { pool.eventLoop.now.advanced(by: $0) })
    }

    package func watch(_ timer: UpstreamTimer, until deadline: NIODeadline) {
        if phase != .done { set(timer, deadline) }
    }

    private func set(_ timer: UpstreamTimer, _ deadline: NIODeadline?) {
        deadlines[timer] = deadline
        guard let deadline else { return }
        if let connection { connection.timer.setEarlier(deadline) } else { pool.timer.setEarlier(deadline) }
    }
}

extension UpstreamCall {
    /// Nothing is told any more.
    @discardableResult
    func finish() -> (any UpstreamDelegate)? {
        defer { delegate = nil }
        connectAttempt?.giveUp()
        connectAttempt = nil
        connection = nil
        phase = .done
        return delegate
    }

    func fail(_ failure: UpstreamFailure) {
        finish()?.upstream(self, failed: failure)
    }

    /// The request is sent; told once, though a second connection may have been needed.
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

    /// After each read, and after a held one: that was the client's slowness, not the upstream's. The clock is read only where `idle` is watched.
    func restartIdle() {
        if let idleInterval { deadlines[.idle] = pool.eventLoop.now.advanced(by: idleInterval) }
    }
}
