import NIOCore

/// How a message's body is delimited.
enum BodyLength: Equatable {
    case none, sized(Int), chunked
    /// The body ends with the connection. Only for responses.
    case untilClose
}

/// The result of reading a part of a body.
enum BodySource {
    case bytes(ByteBuffer)
    /// All input is read, and the body is not complete.
    case more
    case end
}

/// Reads one body with any framing. It never takes a byte that follows the body.
struct BodyReader {
    private let length: BodyLength
    private var remaining: Int
    private var chunks = ChunkedDecoder()

    init(_ length: BodyLength) {
        self.length = length
        remaining = if case .sized(let size) = length { size } else { 0 }
    }

    /// The number of bytes that are still to come; nil if it is unknown.
    var knownRemaining: Int? {
        switch length {
        case .none: 0
        case .sized: remaining
        case .chunked, .untilClose: nil
        }
    }

    /// The bytes that are announced and not read yet: the rest of the body or of the current chunk.
    var announcedBytes: Int {
        switch length {
        case .none, .untilClose: 0
        case .sized: remaining
        case .chunked: chunks.announcedBytes
        }
    }

    /// Takes the next bytes of the body off `input`, a slice of at most `limit` bytes.
    mutating func next(_ input: inout ByteBuffer, limit: Int = 64 * 1024) throws(WireFault) -> BodySource {
        switch length {
        case .none:
            return .end
        case .sized:
            if remaining == 0 { return .end }
            guard let bytes = input.readSlice(length: min(remaining, limit, input.readableBytes)), bytes.readableBytes > 0 else {
                return .more
            }
            remaining &-= bytes.readableBytes
            return .bytes(bytes)
        case .chunked:
            return try chunks.next(&input, limit: limit)
        case .untilClose:
            guard let bytes = input.readSlice(length: min(limit, input.readableBytes)), bytes.readableBytes > 0 else { return .more }
            return .bytes(bytes)
        }
    }
}
