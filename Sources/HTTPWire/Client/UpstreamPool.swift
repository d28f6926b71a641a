package import NIOCore

/// The connections of one event loop to one endpoint, and the requests that wait for one. A connection is reused only
/// if its last response was complete and no byte followed it.
package final class UpstreamPool: @unchecked Sendable {  // confined to its event loop
    let eventLoop: any EventLoop
    private let settings: UpstreamPoolSettings
    private let idleTime: TimeAmount
    let connector: UpstreamConnector
    let flushes: FlushQueue

    /// The idle connections, oldest first. The newest is used first.
    private var idle: [(connection: UpstreamConnection, expiry: NIODeadline)] = []
    private var queue = CircularBuffer<UpstreamCall>()
    private var connecting: [UpstreamCall] = []
    /// The number of idle, busy and connecting connections.
    private var connections = 0
    private var isShutDown = false
    let timer: LazyDeadline

    package init(endpoint: UpstreamEndpoint, eventLoop: any EventLoop, settings: UpstreamPoolSettings, tls: TLSContextProvider?) {
        self.eventLoop = eventLoop
        self.settings = settings
        idleTime = TimeAmount(settings.poolIdle)
        flushes = FlushQueue(eventLoop: eventLoop)
        connector = UpstreamConnector(endpoint: endpoint, eventLoop: eventLoop, tls: tls)
        timer = LazyDeadline(eventLoop: eventLoop)
        timer.run { [weak self] now in self?.deadlineReached(now) }
    }

    package var idleCount: Int { idle.count }
    package var busyCount: Int { connections - idle.count }
    package var queuedCount: Int { queue.count }
    /// The descriptor of the connection that is used next.
    var idleDescriptor: CInt? { idle.last?.connection.socket.descriptor }

    /// Sends a request. The delegate gets a failure, even an immediate one, only after this method has returned.
    package func start(_ message: consuming UpstreamMessage, timeouts: UpstreamTimeouts, delegate: any UpstreamDelegate) -> UpstreamCall {
        let call = UpstreamCall(message: consume message, timeouts: timeouts, pool: self, delegate: delegate)
        if let connection = takeIdle() {
            connection.start(call)
        } else if connections < settings.maxConnections {
            connect(call)
        } else if queue.count < settings.maxQueued {
            call.deadlines[.queue] = eventLoop.now.advanced(by: timeouts.queue)
            queue.append(call)
            watch(call)
        } else {
            failLater(call, .queueFull)
        }
        return call
    }

    /// Closes idle connections now and busy ones after their response. Running, queued and new requests are still
    /// served.
    package func shutdown() {
        isShutDown = true
        let unused = idle
        idle = []
        for (connection, _) in unused { connection.close() }
    }

    private func takeIdle() -> UpstreamConnection? {
        while let (connection, _) = idle.popLast() {
            if connection.isUsable { return connection }
            connection.close()
        }
        return nil
    }

    private func failLater(_ call: UpstreamCall, _ failure: UpstreamFailure) {
        eventLoop.execute { if !call.isDone { call.fail(failure) } }
    }

    private func watch(_ call: UpstreamCall) {
        if let deadline = call.deadlines.earliestTime { timer.setEarlier(deadline) }
    }
}

extension UpstreamPool {
    /// Opens a connection for this call.
    private func connect(_ call: UpstreamCall) {
        connections += 1
        for timer in [UpstreamTimer.queue, .write, .firstByte] { call.deadlines[timer] = nil }
        call.deadlines[.connect] = eventLoop.now.advanced(by: call.timeouts.connect)
        connecting.append(call)
        watch(call)
        let attempt = ConnectAttempt()
        call.connect(attempt)
        connector.connect(within: call.timeouts.connect, pool: self, attempt: attempt).whenComplete { [self] result in
            connecting.removeAll { $0 === call }
            switch result {
            case .success(let connection) where !call.isDone:
                connection.start(call)
            case .success(let connection):
                // No deadline watches the handshake of a cancelled call.
                if connection.machine.transport == .handshake { connection.close() } else { release(connection) }
            case .failure(let error):
                connections -= 1
                if !call.isDone { failLater(call, connector.failure(error)) }
                serveQueue()
            }
        }
    }

    /// Opens a fresh connection for `call`, because the upstream has closed the kept one that it was sent on.
    func replace(_ connection: UpstreamConnection, for call: UpstreamCall) {
        connections -= 1
        connect(call)
    }

    /// Gives the connection to the next request, or keeps it as idle.
    func release(_ connection: UpstreamConnection) {
        guard connection.machine.isOpen else { return connection.close() }
        if let call = queue.popFirst() {
            call.deadlines[.queue] = nil
            connection.start(call)
        } else if isShutDown {
            connection.close()
        } else {
            let expiry = eventLoop.now.advanced(by: idleTime)
            idle.append((connection, expiry))
            timer.setEarlier(expiry)
        }
    }

    /// Removes a closed connection that was counted until now.
    func closed(_ connection: UpstreamConnection) {
        connections -= 1
        idle.removeAll { $0.connection === connection }
        serveQueue()
    }

    /// Removes a call that is over from the queue.
    func remove(_ call: UpstreamCall) {
        if let index = queue.firstIndex(where: { $0 === call }) { queue.remove(at: index) }
    }

    private func serveQueue() {
        while connections < settings.maxConnections, let call = queue.popFirst() { connect(call) }
    }

    private func deadlineReached(_ now: NIODeadline) {
        while let oldest = idle.first, oldest.expiry <= now {
            idle.removeFirst()
            oldest.connection.close()
        }
        for call in Array(queue) + connecting {
            guard !call.isDone, let (name, time) = call.deadlines.earliest, time <= now else { continue }
            remove(call)
            call.fail(.timeout(name))
        }
        let waiting =
            queue.compactMap(\.deadlines.earliestTime) + connecting.filter { !$0.isDone }.compactMap(\.deadlines.earliestTime)
        if let next = (waiting + (idle.first.map { [$0.expiry] } ?? [])).min() { timer.setEarlier(next) }
    }
}
