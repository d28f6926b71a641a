import NIOCore

/// The unwritten part of a request, taken in parts of at most `partBytes`, so that TLS never encrypts a large body at
/// once.
struct RequestWriter {
    static let partBytes = 64 * 1024
    private static let maxKeptCapacity = 32 * 1024

    /// The head and a small body. The connection's next request reuses the buffer; by then the channel has released it.
    private var start = ByteBuffer.unshared()
    private var pending: ByteBuffer?
    private var remaining: ArraySlice<ByteBuffer> = []
    /// Whether the request may be too large for the socket's buffer, so that it is sent only when its last write
    /// succeeds.
    private(set) var needsWritePromise = false

    var isEmpty: Bool { pending == nil }

    mutating func begin(_ message: UpstreamMessage) {
        if start.capacity > Self.maxKeptCapacity { start = .unshared() }
        message.writeStart(to: &start)
        pending = start
        remaining = message.separateBody[...]
        needsWritePromise = remaining.reduce(start.readableBytes) { $0 + $1.readableBytes } > Self.partBytes
    }

    /// The next bytes to write; nil if all have been taken.
    mutating func next() -> ByteBuffer? {
        guard var current = pending else { return nil }
        guard current.readableBytes > Self.partBytes else {
            pending = remaining.popFirst()
            return current
        }
        let part = current.readSlice(length: Self.partBytes)
        pending = current
        return part
    }

    /// Drops the unwritten bytes.
    mutating func clear() {
        pending = nil
        remaining = []
    }
}
