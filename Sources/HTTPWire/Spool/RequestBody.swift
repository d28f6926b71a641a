package import NIOCore

/// A complete body of a request: in memory, or in a file.
package enum RequestBody: Sendable {
    case memory(ByteBuffer)
    case spooled(SpooledBody)

    package var count: Int {
        switch self {
        case .memory(let bytes): bytes.readableBytes
        case .spooled(let body): body.count
        }
    }

    /// The bytes in memory; empty for a body in a file.
    package var bytes: ByteBuffer {
        switch self {
        case .memory(let bytes): bytes
        case .spooled: ByteBuffer()
        }
    }

    /// The piece in `range`, or in the part of it that lies inside the body.
    package subscript(_ range: Range<Int>) -> BodyPiece {
        let range = range.clamped(to: 0..<count)
        switch self {
        case .memory(let bytes):
            return .bytes(bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer())
        case .spooled(let body): return .file(body, range)
        }
    }
}

/// A piece of the body of a request to an upstream.
package enum BodyPiece: Sendable {
    case bytes(ByteBuffer)
    /// A range of an upload. It is read when it is sent, so it can be sent again.
    case file(SpooledBody, Range<Int>)

    package var count: Int {
        switch self {
        case .bytes(let bytes): bytes.readableBytes
        case .file(_, let range): range.count
        }
    }
}
