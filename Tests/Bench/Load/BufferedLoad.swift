import Glibc

/// A closed loop: each connection sends a request, waits for its non-streamed response, and sends the next.
final class BufferedLoad {
    struct Result {
        var requests = 0
        var duration: Nanoseconds = 0
        var latency = Histogram()
        /// Responses with another status than 200, malformed or cut off, and those that were more than a second overdue
        /// at the end.
        var errors = 0
        /// Reused connections that were closed between a request and the first byte of its response, which HTTP allows.
        var reconnects = 0
    }

    private struct Connection {
        var socket: CInt = -1
        var received = ByteQueue(capacity: 8192)
        var reader = ResponseReader()
        var sentAt: Nanoseconds = 0
        var isReused = false
    }

    private static let warmUp = Nanoseconds.milliseconds(300)
    private static let stalled = Nanoseconds.seconds(1)

    private let endpoint: Endpoint
    private let request: [UInt8]
    private let poller: Poller
    private let connections: UnsafeMutableBufferPointer<Connection>
    private var result = Result()

    init(_ endpoint: Endpoint, _ request: [UInt8], connections count: Int) throws {
        self.endpoint = endpoint
        self.request = request
        poller = try Poller()
        connections = .allocate(capacity: count)
        for slot in connections.indices { connections.initializeElement(at: slot, to: Connection()) }
    }

    deinit {
        for connection in connections {
            close(connection.socket)
            connection.received.deallocate()
        }
        connections.deallocate()
    }

    /// Runs for `duration` after a warm-up that is not counted.
    func run(_ duration: Nanoseconds, _ monitor: inout LoadMonitor) throws -> Result {
        for slot in connections.indices {
            try open(slot)
            send(slot, at: monotonicNow())
        }
        try drive(until: monotonicNow() + BufferedLoad.warmUp, &monitor)
        let failedBefore = (result.errors, result.reconnects)
        result = Result()
        (result.errors, result.reconnects) = failedBefore

        let start = monotonicNow()
        monitor.begin(at: start, sampleAfter: duration / 2)
        try drive(until: start + duration, &monitor)
        let now = monotonicNow()
        monitor.end()
        result.duration = now - start
        result.errors += connections.count { $0.sentAt + BufferedLoad.stalled < now }
        return result
    }

    private func drive(until deadline: Nanoseconds, _ monitor: inout LoadMonitor) throws {
        var now = monotonicNow()
        while now < deadline {
            for index in 0..<poller.wait(LoadMonitor.tickInterval) {
                try receive(poller.event(index).token)
            }
            now = monotonicNow()
            try monitor.tick(now)
        }
    }

    private func receive(_ slot: Int) throws {
        let connection = connections.baseAddress.unsafelyUnwrapped + slot
        let count = connection.pointee.received.receive(from: connection.pointee.socket)
        let now = monotonicNow()
        guard count > 0 else {
            if count < 0, errno == EAGAIN { return }
            let hasNoResponse = connection.pointee.reader.state == .head && connection.pointee.received.isEmpty
            if connection.pointee.isReused, hasNoResponse { result.reconnects += 1 } else { result.errors += 1 }
            try reopen(slot)
            return send(slot, at: now)
        }
        let taken = connection.pointee.reader.take(connection.pointee.received.bytes) { _ in }
        connection.pointee.received.consume(taken)
        switch connection.pointee.reader.state {
        case .complete:
            result.requests += 1
            result.latency.record(now - connection.pointee.sentAt)
            if connection.pointee.reader.status != 200 || !connection.pointee.received.isEmpty { result.errors += 1 }
            connection.pointee.isReused = true
            if connection.pointee.reader.closes { try reopen(slot) }
            send(slot, at: now)
        case .malformed:
            result.errors += 1
            try reopen(slot)
            send(slot, at: now)
        case .head, .length, .chunkSize, .chunkData, .chunkEnd, .trailer:
            break
        }
    }

    /// Sends the request. A short write means that the server doesn't read. Its response is then missing and counts as
    /// an error at the end.
    @inline(__always)
    private func send(_ slot: Int, at now: Nanoseconds) {
        connections[slot].reader = ResponseReader()
        connections[slot].sentAt = now
        _ = request.withUnsafeBytes { Glibc.send(connections[slot].socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
    }

    private func reopen(_ slot: Int) throws {
        close(connections[slot].socket)
        connections[slot].received.clear()
        connections[slot].isReused = false
        try open(slot)
    }

    private func open(_ slot: Int) throws {
        connections[slot].socket = try Socket.connected(to: endpoint.port)
        try poller.add(connections[slot].socket, token: slot, .read)
    }
}
