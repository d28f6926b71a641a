import Glibc

/// A mock of OpenAI's chat completions and embeddings, of the streams of all formats, and of a collector of traces, on
/// one thread. It sends a fixed response of 1 KB, or a stream with one write for each chunk.
final class MockUpstream {
    /// The time between two chunks of a stream.
    static let pace = Nanoseconds.milliseconds(20)

    private struct Timer {
        let due: Nanoseconds
        let slot: Int
        let generation: UInt32
    }

    private static let maxConnections = 16384

    private let listener: CInt
    private let poller: Poller
    private let responses = MockResponses()
    /// Room for a chunk of any format.
    private let chunk: UnsafeMutableRawBufferPointer
    /// The connections by descriptor. Descriptors are small numbers.
    private let connections: UnsafeMutablePointer<MockConnection?>
    private var generation: UInt32 = 0
    /// The timers in the order of their due times, which is the order of their starts because all streams have the same
    /// pace.
    private var timers: [Timer] = []
    private var firstTimer = 0

    init(port: UInt16) throws {
        listener = try Socket.listening(port: port)
        poller = try Poller()
        connections = .allocate(capacity: MockUpstream.maxConnections)
        connections.initialize(repeating: nil, count: MockUpstream.maxConnections)
        chunk = .allocate(byteCount: responses.maxChunkBytes, alignment: 16)
        try poller.add(listener, token: Int(listener), .read)
    }

    var port: UInt16 { get throws { try Socket.port(of: listener) } }

    /// Serves until the process ends.
    func serve() throws -> Never {
        while true {
            let now = monotonicNow()
            let timeout = firstTimer < timers.count ? timers[firstTimer].due - min(now, timers[firstTimer].due) : nil
            for index in 0..<poller.wait(timeout) {
                let event = poller.event(index)
                if event.token == Int(listener) {
                    while let socket = Socket.accepted(from: listener) { try open(socket) }
                } else if !proceed(event.token, event.ready) {
                    drop(event.token)
                }
            }
            sendDueChunks()
        }
    }

    private func open(_ socket: CInt) throws {
        guard socket < MockUpstream.maxConnections else {
            close(socket)
            return
        }
        generation &+= 1
        connections[Int(socket)] = MockConnection(socket: socket, generation: generation)
        try poller.add(socket, token: Int(socket), .read)
    }

    private func drop(_ slot: Int) {
        connections[slot]?.deallocate()
        connections[slot] = nil
    }

    private func proceed(_ slot: Int, _ ready: Poller.Interest) -> Bool {
        guard connections[slot] != nil else { return true }
        if ready.contains(.write) {
            guard connections[slot]?.flush() == true else { return false }
            if connections[slot]?.unsent.isEmpty == true { watch(slot, .read) }
        }
        guard ready != .write else { return true }
        let count = connections[slot]?.received.receive(from: CInt(slot)) ?? 0
        guard count > 0 else { return count < 0 && errno == EAGAIN }
        return respondToRequests(slot)
    }

    private func respondToRequests(_ slot: Int) -> Bool {
        while connections[slot]?.stream == nil, let request = connections[slot]?.nextRequest() {
            switch request {
            case .buffered: guard send(responses.buffered, to: slot) else { return false }
            case .embeddings: guard send(responses.embeddings, to: slot) else { return false }
            case .traces: guard send(responses.traces, to: slot) else { return false }
            case .models: guard send(responses.models, to: slot) else { return false }
            case .unknown: guard send(responses.notFound, to: slot) else { return false }
            case .unframed:
                _ = send(responses.lengthRequired, to: slot)
                return false
            case .stream(let stream):
                connections[slot]?.stream = stream
                guard send(bytes(of: stream).opening, to: slot), advance(slot, at: monotonicNow()) else { return false }
            }
        }
        return true
    }

    private func sendDueChunks() {
        let now = monotonicNow()
        while firstTimer < timers.count, timers[firstTimer].due <= now {
            let timer = timers[firstTimer]
            firstTimer += 1
            guard connections[timer.slot]?.generation == timer.generation else { continue }
            if !advance(timer.slot, at: timer.due) { drop(timer.slot) }
        }
        if firstTimer > 4096 {
            timers.removeFirst(firstTimer)
            firstTimer = 0
        }
    }

    /// Sends the stream's next chunk, which is due at `due`, or its end.
    private func advance(_ slot: Int, at due: Nanoseconds) -> Bool {
        guard let connection = connections[slot], let stream = connection.stream else { return true }
        let bytes = bytes(of: stream)
        if stream.sent < stream.chunks {
            let chunk = UnsafeMutableRawBufferPointer(rebasing: self.chunk[..<bytes.chunk.count])
            chunk.copyBytes(from: bytes.chunk)
            bytes.stamp(chunk, number: stream.sent, at: monotonicNow())
            guard send(UnsafeRawBufferPointer(chunk), to: slot) else { return false }
            connections[slot]?.stream?.sent += 1
            timers.append(Timer(due: due + MockUpstream.pace, slot: slot, generation: connection.generation))
            return true
        }
        connections[slot]?.stream = nil
        guard send(bytes.finish, to: slot) else { return false }
        if stream.wantsUsage, !send(bytes.usage, to: slot) { return false }
        return send(bytes.end, to: slot) && respondToRequests(slot)
    }

    private func bytes(of stream: MockConnection.Stream) -> MockStream { responses.stream(stream.format) }

    private func send(_ bytes: [UInt8], to slot: Int) -> Bool {
        bytes.withUnsafeBytes { send($0, to: slot) }
    }

    private func send(_ bytes: UnsafeRawBufferPointer, to slot: Int) -> Bool {
        guard connections[slot]?.send(bytes) == true else { return false }
        if connections[slot]?.unsent.isEmpty == false { watch(slot, [.read, .write]) }
        return true
    }

    /// Changes the poller's interest in a connection. This fails only for descriptors that are not open.
    private func watch(_ slot: Int, _ interest: Poller.Interest) {
        try? poller.modify(CInt(slot), token: slot, interest)
    }
}
