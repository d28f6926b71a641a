import NIOCore

/// What of a request is still to be written, piece by piece: no more than the channel takes, so that TLS never encrypts a whole large body at once.
struct RequestWriter {
    /// A request whose body is no larger goes out as one copy in one write.
    static let copyLimit = 16 * 1024
    static let pieceBytes = 64 * 1024
    private static let keptCapacity = 4096

    /// Used again from request to request, once the channel has let go of it.
    private var whole = ByteBuffer()
    private var pieces: [ByteBuffer] = []
    private var index = 0
    private(set) var isEmpty = true
    /// Whether the socket may not take all of it at once, so that only the last write's success says that it is sent.
    private(set) var needsProof = false
    var isSent = false

    mutating func begin(_ message: UpstreamMessage) {
        let size = message.head.readableBytes + message.bodyBytes
        needsProof = size > Self.pieceBytes
        isSent = false
        isEmpty = false
        index = 0
        if message.bodyBytes <= Self.copyLimit {
            if whole.capacity > Self.keptCapacity { whole = ByteBuffer() }
            whole.clear(minimumCapacity: size)
            whole.writeImmutableBuffer(message.head)
            for piece in message.body { whole.writeImmutableBuffer(piece) }
            pieces = []
        } else {
            pieces = [message.head] + message.body.filter { $0.readableBytes > 0 }
        }
    }

    /// The next bytes to write; nil at the end.
    mutating func next() -> ByteBuffer? {
        guard !isEmpty else { return nil }
        guard index < pieces.count else {
            isEmpty = true
            return whole
        }
        guard pieces[index].readableBytes > Self.pieceBytes else {
            defer {
                index += 1
                isEmpty = index == pieces.count
            }
            return pieces[index]
        }
        return pieces[index].readSlice(length: Self.pieceBytes)
    }

    /// Lets go of what is not written.
    mutating func stop() {
        pieces = []
        isEmpty = true
    }
}
