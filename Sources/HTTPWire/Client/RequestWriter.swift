import NIOCore

/// The unwritten part of a request, taken in parts of at most `partBytes`, so that TLS never encrypts a large body at
/// once.
struct RequestWriter {
    static let partBytes = 64 * 1024
    private static let maxKeptCapacity = 32 * 1024

    /// The head and a small body. The connection's next request reuses the buffer; by then the channel has released it.
    private var start = ByteBuffer.unshared()
    private var pending: ByteBuffer?
    private var remaining: ArraySlice<BodyPiece> = []
    private var isReading = false
    /// Whether the request may be too large for the socket's buffer, so that it is sent only when its last write
    /// succeeds.
    private(set) var needsWritePromise = false

    var isEmpty: Bool { pending == nil && remaining.isEmpty }

    mutating func begin(_ call: UpstreamCall) {
        if start.capacity > Self.maxKeptCapacity { start = .unshared() }
        call.message.writeStart(to: &start)
        pending = start
        remaining = call.message.separateBody[...]
        isReading = false
        needsWritePromise = remaining.reduce(start.readableBytes) { $0 + $1.count } > Self.partBytes
    }

    /// The next bytes to write; nil if all have been taken, or the next ones are in a file.
    mutating func next() -> ByteBuffer? {
        guard var current = pending.take() else { return nil }
        guard current.readableBytes > Self.partBytes else {
            if case .bytes(let bytes)? = remaining.first {
                pending = bytes
                remaining.removeFirst()
            }
            return current
        }
        let part = current.readSlice(length: Self.partBytes)
        pending = current
        return part
    }

    /// The part of a file to read next, for `didRead`; nil if it is being read, or is not next.
    mutating func nextRead() -> (file: SpooledBody, range: Range<Int>)? {
        guard pending == nil, !isReading, case .file(let file, let range)? = remaining.first else { return nil }
        isReading = true
        return (file, range.prefix(Self.partBytes))
    }

    /// The bytes of `nextRead` are the next to write.
    mutating func didRead(_ bytes: ByteBuffer) {
        guard isReading, case .file(let file, let range)? = remaining.popFirst() else { return }
        isReading = false
        pending = bytes
        if bytes.readableBytes < range.count {
            remaining = [.file(file, (range.lowerBound + bytes.readableBytes)..<range.upperBound)] + remaining
        }
    }

    /// Drops the unwritten bytes.
    mutating func clear() {
        isReading = false
        pending = nil
        remaining = []
    }
}
