import NIOCore

/// How a message's body is delimited.
enum BodyLength: Equatable {
    case none, sized(Int), chunked
    /// The rest of the connection: responses alone.
    case untilClose
}

/// What a reader of a body found next.
enum BodySource {
    case bytes(ByteBuffer)
    /// All input is read, and the body goes on.
    case more
    case end
}

/// The reader of one body, whatever its framing. It never takes a byte that stands behind the body.
struct BodyReader {
    private let length: BodyLength
    private var remaining: Int
    private var chunks = ChunkedDecoder()

    init(_ length: BodyLength) {
        self.length = length
        remaining = if case .sized(let size) = length { size } else { 0 }
    }

    /// How many bytes are still to come, where that is known.
    var knownRemaining: Int? {
        switch length {
        case .none: 0
        case .sized: remaining
        case .chunked, .untilClose: nil
        }
    }

    /// Bytes that are sure to come: the rest of the body, or of the chunk that is being read.
    var announcedBytes: Int {
        switch length {
        case .none, .untilClose: 0
        case .sized: remaining
        case .chunked: chunks.announcedBytes
        }
    }

    /// Takes the next piece off `input`, a slice of at most `limit` bytes.
    mutating func next(_ input: inout ByteBuffer, limit: Int = 64 * 1024) throws(WireFault) -> BodySource {
        switch length {
        case .none:
            return .end
        case .sized:
            if remaining == 0 { return .end }
            guard let piece = input.readSlice(length: min(remaining, limit, input.readableBytes)), piece.readableBytes > 0 else {
                return .more
            }
            remaining &-= piece.readableBytes
            return .bytes(piece)
        case .chunked:
            return try chunks.next(&input, limit: limit)
        case .untilClose:
            guard let piece = input.readSlice(length: min(limit, input.readableBytes)), piece.readableBytes > 0 else { return .more }
            return .bytes(piece)
        }
    }
}
