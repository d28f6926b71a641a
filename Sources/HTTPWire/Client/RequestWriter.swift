import NIOCore

/// What of a request is still to be written, piece by piece: no more than the channel takes, so that TLS never encrypts a whole large body at once.
struct RequestWriter {
    static let partBytes = 64 * 1024
    private static let keptCapacity = 32 * 1024

    /// Head and small body, used again by the connection's next request: by then the channel has let go of it.
    private var start = ByteBuffer.unshared()
    private var piece: ByteBuffer?
    private var rest: ArraySlice<ByteBuffer> = []
    /// Whether the socket may not take all of it at once, so that only the last write's success says that it is sent.
    private(set) var needsProof = false
    var isSent = false

    var isEmpty: Bool { piece == nil }

    mutating func begin(_ message: UpstreamMessage) {
        if start.capacity > Self.keptCapacity { start = .unshared() }
        message.writeStart(to: &start)
        piece = start
        rest = message.rest[...]
        needsProof = rest.reduce(start.readableBytes) { $0 + $1.readableBytes } > Self.partBytes
        isSent = false
    }

    /// The next bytes to write; nil at the end.
    mutating func next() -> ByteBuffer? {
        guard var current = piece else { return nil }
        guard current.readableBytes > Self.partBytes else {
            piece = rest.popFirst()
            return current
        }
        let part = current.readSlice(length: Self.partBytes)
        piece = current
        return part
    }

    /// Lets go of what is not written.
    mutating func stop() {
        piece = nil
        rest = []
    }
}
