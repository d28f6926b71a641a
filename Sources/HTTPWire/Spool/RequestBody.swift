package import NIOCore

/// A complete body of a request: in memory, or in a file.
package struct RequestBody: Sendable {
    /// The bytes in memory; empty for a body in a file.
    package let bytes: ByteBuffer
    /// nil for a body in memory.
    package let file: SpooledBody?

    package init(_ bytes: ByteBuffer, file: SpooledBody? = nil) {
        self.bytes = bytes
        self.file = file
    }

    package var count: Int { file?.count ?? bytes.readableBytes }

    /// The piece in `range`, or in the part of it that lies inside the body.
    package subscript(_ range: Range<Int>) -> BodyPiece {
        let range = range.clamped(to: 0..<count)
        if let file { return .file(file, range) }
        return .bytes(bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer())
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
