import Glibc

/// A number of concurrent streams, each on its own connection. Their starts are spread over 200 ms.
final class StreamLoad {
    struct Result {
        var chunks = 0
        var duration: Nanoseconds = 0
        /// From the mock's timestamp in a chunk to the end of the read that returned the chunk's last byte.
        var latency = Histogram()
        /// From the write of the request to the first byte of its response.
        var firstByte = Histogram()
        /// Streams with another status than 200, with a missing, repeated or misplaced chunk, without a finish reason
        /// or an end marker, or cut off.
        var broken = 0
    }

    private struct Connection {
        var socket: CInt = -1
        var received = ByteQueue(capacity: 4096)
        var response = ResponseReader()
        var stream: StreamReader
        var sentAt: Nanoseconds = 0
        var hasResponded = false
        var hasEnded = false
    }

    private static let spread = Nanoseconds.milliseconds(200)
    /// The time beyond the mock's pace after which a stream that has not ended counts as broken.
    private static let grace = Nanoseconds.seconds(5)

    private let request: [UInt8]
    private let chunks: Int
    private let poller: Poller
    private let connections: UnsafeMutableBufferPointer<Connection>
    private var result = Result()
    private var started = 0
    private var ended = 0

    /// - Parameter chunks: the number of chunks that the mock sends in each stream.
    init(_ endpoint: Endpoint, _ format: StreamFormat = .openAI, streams: Int, chunks: Int) throws {
        guard let marks = format.marks else { throw Failure("no client has the format '\(format.rawValue)'") }
        request = endpoint.chatRequest(format, stream: true)
        self.chunks = chunks
        poller = try Poller()
        connections = .allocate(capacity: streams)
        for slot in connections.indices {
            connections.initializeElement(at: slot, to: Connection(stream: StreamReader(marks, chunks: chunks)))
        }
        for slot in connections.indices {
            connections[slot].socket = try Socket.connected(to: endpoint.port)
            try poller.add(connections[slot].socket, token: slot, .read)
        }
    }

    deinit {
        for connection in connections {
            close(connection.socket)
            connection.received.deallocate()
            connection.stream.deallocate()
        }
        connections.deallocate()
    }

    func run(_ monitor: inout LoadMonitor) throws -> Result {
        let length = MockUpstream.pace * UInt64(chunks) + StreamLoad.spread
        let start = monotonicNow()
        monitor.begin(at: start, sampleAfter: length / 2)
        var now = start
        while ended < connections.count, now < start + length + StreamLoad.grace {
            while started < connections.count, due(started, from: start) <= now { begin(started) }
            let untilNext = started < connections.count ? due(started, from: start) - now : LoadMonitor.tickInterval
            for index in 0..<poller.wait(min(untilNext, LoadMonitor.tickInterval)) {
                receive(poller.event(index).token)
            }
            now = monotonicNow()
            try monitor.tick(now)
        }
        monitor.end()
        result.duration = now - start
        result.broken += connections.count - ended
        return result
    }

    private func due(_ slot: Int, from start: Nanoseconds) -> Nanoseconds {
        start + StreamLoad.spread * UInt64(slot) / UInt64(connections.count)
    }

    private func begin(_ slot: Int) {
        started += 1
        connections[slot].sentAt = monotonicNow()
        _ = request.withUnsafeBytes { send(connections[slot].socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
    }

    private func receive(_ slot: Int) {
        let connection = connections.baseAddress.unsafelyUnwrapped + slot
        guard !connection.pointee.hasEnded else { return }
        let count = connection.pointee.received.receive(from: connection.pointee.socket)
        let now = monotonicNow()
        guard count > 0 else {
            if count == 0 || errno != EAGAIN { end(slot, isComplete: false) }
            return
        }
        if !connection.pointee.hasResponded {
            connection.pointee.hasResponded = true
            result.firstByte.record(now - connection.pointee.sentAt)
        }
        let taken = connection.pointee.response.take(connection.pointee.received.bytes) { payload in
            connection.pointee.stream.take(payload) { stamp in
                result.chunks += 1
                result.latency.record(now > stamp ? now - stamp : 0)
            }
        }
        connection.pointee.received.consume(taken)
        switch connection.pointee.response.state {
        case .complete:
            end(
                slot,
                isComplete: connection.pointee.response.status == 200 && connection.pointee.stream.isComplete
                    && connection.pointee.received.isEmpty)
        case .malformed:
            end(slot, isComplete: false)
        case .head, .length, .chunkSize, .chunkData, .chunkEnd, .trailer:
            break
        }
    }

    /// Closes the socket, which also removes it from the poller. Otherwise the server's close would be reported again
    /// and again.
    private func end(_ slot: Int, isComplete: Bool) {
        connections[slot].hasEnded = true
        close(connections[slot].socket)
        connections[slot].socket = -1
        ended += 1
        if !isComplete { result.broken += 1 }
    }
}
