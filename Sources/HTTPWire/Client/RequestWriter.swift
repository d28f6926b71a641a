import NIOCore

/// What of a request is still to be written, piece by piece: no more than the channel takes, so that TLS never encrypts a whole large body at once.
struct RequestWriter {
    /// A request up to this size goes out as one copy in one write.
    static let copyLimit = 16 * 1024
    static let pieceBytes = 64 * 1024

    private var pieces: [ByteBuffer] = []
    private var index = 0
    /// Whether the socket may not take all of it at once, so that only the last write's success says that it is sent.
    let needsProof: Bool
    var isSent = false

    init() { needsProof = false }

    init(_ message: UpstreamMessage) {
        needsProof = message.head.readableBytes + message.bodyBytes > Self.pieceBytes
        if message.bodyBytes <= Self.copyLimit {
            var whole = ByteBuffer()
            whole.reserveCapacity(message.head.readableBytes + message.bodyBytes)
            whole.writeImmutableBuffer(message.head)
            for piece in message.body { whole.writeImmutableBuffer(piece) }
            pieces = [whole]
        } else {
            pieces = [message.head] + message.body.filter { $0.readableBytes > 0 }
        }
    }

    var isEmpty: Bool { index >= pieces.count }

    /// The next bytes to write; nil at the end.
    mutating func next() -> ByteBuffer? {
        guard index < pieces.count else { return nil }
        guard pieces[index].readableBytes > Self.pieceBytes else {
            defer { index += 1 }
            return pieces[index]
        }
        return pieces[index].readSlice(length: Self.pieceBytes)
    }
}
