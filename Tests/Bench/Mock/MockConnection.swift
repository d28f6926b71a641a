import Glibc

/// One connection to the mock: received bytes, bytes that the socket has not accepted yet, and the running stream.
struct MockConnection {
    struct Stream {
        var sent = 0
        let format: StreamFormat
        let chunks: Int
        let wantsUsage: Bool
    }

    enum Request {
        case buffered, embeddings, models, traces, unknown, unframed
        case stream(Stream)
    }

    let socket: CInt
    /// Distinguishes the timers of this connection from those of an earlier one in the same slot.
    let generation: UInt32
    var received = ByteQueue(capacity: 8192)
    var unsent = ByteQueue(capacity: 64)
    var stream: Stream?

    init(socket: CInt, generation: UInt32) {
        self.socket = socket
        self.generation = generation
    }

    func deallocate() {
        close(socket)
        received.deallocate()
        unsent.deallocate()
    }

    /// Removes the next complete request from the queue; nil if there is none yet.
    mutating func nextRequest() -> Request? {
        let bytes = received.bytes
        var at = 0
        var length = 0
        while true {
            guard let line = bytes.position(of: 0x0A, from: at) else { return nil }
            if line - at <= 1 {
                at = line + 1
                break
            }
            if bytes.hasField("content-length:", at: at) { length = bytes.decimal(at: at + 15).map { Int($0.value) } ?? 0 }
            if bytes.hasField("transfer-encoding:", at: at) { return .unframed }
            at = line + 1
        }
        guard bytes.count - at >= length else { return nil }
        defer { received.consume(at + length) }
        if bytes.hasBytes("GET /v1/models", at: 0) { return .models }
        if bytes.hasBytes("POST /v1/embeddings", at: 0) { return .embeddings }
        if bytes.hasBytes("POST /v1/traces", at: 0) { return .traces }
        guard let (_, format) = MockConnection.paths.first(where: { bytes.hasBytes($0.0, at: 0) }) else { return .unknown }
        let body = UnsafeRawBufferPointer(rebasing: bytes[at..<(at + length)])
        if format == .gemini || format == .bedrock {
            // Both the model and the wish for a stream are in the path.
            let line = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.position(of: 0x0D) ?? 0)])
            let end = line.end(of: ":streamGenerateContent").map { $0 - 22 } ?? line.end(of: "/converse-stream").map { $0 - 16 }
            return end.map { .stream(Stream(format: format, chunks: MockConnection.chunks(before: $0, in: line), wantsUsage: false)) }
                ?? .unknown
        }
        guard MockConnection.isTrue("\"stream\"", in: body) else { return .buffered }
        let wantsUsage = MockConnection.isTrue("\"include_usage\"", in: body)
        return .stream(Stream(format: format, chunks: MockConnection.chunks(in: body), wantsUsage: wantsUsage))
    }

    /// Sends the bytes and queues those that the socket does not accept. Returns false if the peer has closed.
    mutating func send(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard unsent.isEmpty else {
            unsent.append(bytes)
            return true
        }
        let count = Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        if count == bytes.count { return true }
        guard count >= 0 || errno == EAGAIN else { return false }
        unsent.append(UnsafeRawBufferPointer(rebasing: bytes[max(0, count)...]))
        return true
    }

    mutating func flush() -> Bool {
        let bytes = unsent.bytes
        let count = Glibc.send(socket, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
        guard count >= 0 || errno == EAGAIN else { return false }
        unsent.consume(max(0, count))
        return true
    }

    private static let paths: [(StaticString, StreamFormat)] = [
        ("POST /v1/chat/completions", .openAI), ("POST /v1/messages", .anthropic), ("POST /v1/responses", .responses),
        ("POST /v1beta/models/", .gemini), ("POST /api/chat", .ollama), ("POST /model/", .bedrock),
    ]

    private static func isTrue(_ key: StaticString, in body: UnsafeRawBufferPointer) -> Bool {
        guard var at = body.end(of: key) else { return false }
        while at < body.count, body[at] == 0x20 || body[at] == 0x3A { at += 1 }
        return body.hasBytes("true", at: at)
    }

    /// The number at the end of the model's name (`mock-200`); 200 if there is none.
    private static func chunks(in body: UnsafeRawBufferPointer) -> Int {
        guard let key = body.end(of: "\"model\""), let open = body.position(of: 0x22, from: key),
            let close = body.position(of: 0x22, from: open + 1)
        else { return 200 }
        return chunks(before: close, in: body)
    }

    /// The number before an offset.
    private static func chunks(before end: Int, in body: UnsafeRawBufferPointer) -> Int {
        var at = end
        while at > 0, body[at - 1] >= 0x30, body[at - 1] <= 0x39 { at -= 1 }
        return body.decimal(at: at).map { max(1, min(9999, Int($0.value))) } ?? 200
    }
}
