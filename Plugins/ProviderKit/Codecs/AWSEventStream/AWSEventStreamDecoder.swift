/// An incremental decoder for Amazon's binary event streams (`application/vnd.amazon.eventstream`).
///
/// A message consists of its length and that of its headers, a checksum of these, the headers, the payload, and a
/// checksum of all that, in big-endian order. The bytes may arrive in chunks of any size: the messages don't depend on
/// where the stream is cut.
///
/// The caller keeps the bytes. Each call gets all bytes that are not consumed yet. Call ``nextMessage(_:)`` until it
/// returns nil, remove as many bytes from the front as ``consume()`` returns, and start again when more bytes have
/// arrived. After the last bytes, ``isAtEnd(_:)`` says whether the stream was closed between two messages.
///
/// Source: botocore 1.44.8, `eventstream.py`.
public struct AWSEventStreamDecoder: Sendable {
    /// The longest headers and the longest payload.
    static let maxHeaderBytes = 128 << 10, maxPayloadBytes = 24 << 20
    private static let preludeBytes = 12, checksumBytes = 4

    private var start = 0

    /// Creates a decoder.
    public init() {}

    /// The next complete message; nil if none is complete yet.
    ///
    /// - Parameter bytes: all bytes that are not consumed yet. They may only grow until the next ``consume()``.
    public mutating func nextMessage(_ bytes: RawSpan) throws(AWSEventStreamError) -> AWSEventStreamMessage? {
        guard bytes.byteCount - start >= Self.preludeBytes else { return nil }
        let total = Int(bytes.word32(start)), headers = Int(bytes.word32(start + 4))
        guard CRC32.checksum(of: bytes.extracting(start..<start + 8)) == bytes.word32(start + 8) else { throw .wrongChecksum }
        let payload = total - headers - Self.preludeBytes - Self.checksumBytes
        guard payload >= 0, headers <= Self.maxHeaderBytes, payload <= Self.maxPayloadBytes else { throw .invalidLength }
        guard bytes.byteCount - start >= total else { return nil }
        let end = start + total - Self.checksumBytes
        guard CRC32.checksum(of: bytes.extracting(start..<end)) == bytes.word32(end) else { throw .wrongChecksum }
        let headersStart = start + Self.preludeBytes
        let message = AWSEventStreamMessage(
            headers: try Self.headers(in: bytes.extracting(headersStart..<headersStart + headers)), payload: headersStart + headers..<end)
        start += total
        return message
    }

    /// The number of bytes at the front that are no longer needed: those of the messages that were returned since the
    /// last call. The caller must remove them.
    public mutating func consume() -> Int {
        defer { start = 0 }
        return start
    }

    /// Whether no part of a message is left.
    ///
    /// - Parameter bytes: the bytes for which ``nextMessage(_:)`` has returned nil.
    public func isAtEnd(_ bytes: RawSpan) -> Bool { start >= bytes.byteCount }

    /// The lengths of the values of headers by their type: true, false, four integers, bytes, a text, a time, a UUID.
    private static let lengths: [Int?] = [0, 0, 1, 2, 4, 8, nil, nil, 8, 16]
    private static let textType = 7

    private static func headers(in bytes: RawSpan) throws(AWSEventStreamError) -> [String: String] {
        var headers: [String: String] = [:], names: Set<String> = [], offset = 0
        while offset < bytes.byteCount {
            let nameEnd = offset + 1 + Int(bytes.byte(offset)), type = Int(bytes.byte(nameEnd))
            guard nameEnd < bytes.byteCount, lengths.indices.contains(type) else { throw .invalidHeader }
            var valueStart = nameEnd + 1
            let length: Int
            if let fixed = lengths[type] {
                length = fixed
            } else {
                guard bytes.byteCount - valueStart >= 2 else { throw .invalidHeader }
                length = Int(bytes.byte(valueStart)) << 8 | Int(bytes.byte(valueStart + 1))
                valueStart += 2
            }
            guard bytes.byteCount - valueStart >= length else { throw .invalidHeader }
            let name = String(decoding: Array(copying: offset + 1..<nameEnd, of: bytes), as: UTF8.self)
            guard names.insert(name).inserted else { throw .invalidHeader }
            if type == textType {
                headers[name] = String(decoding: Array(copying: valueStart..<valueStart + length, of: bytes), as: UTF8.self)
            }
            offset = valueStart + length
        }
        return headers
    }
}

/// A message of an event stream.
public struct AWSEventStreamMessage: Sendable, Equatable {
    /// The headers whose values are texts, such as `:event-type`.
    public let headers: [String: String]
    /// The range of the payload, in the bytes that the decoder got.
    public let payload: Range<Int>
}

/// An error in an event stream.
public enum AWSEventStreamError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The checksum of a message, or of its lengths, is wrong.
    case wrongChecksum
    /// The lengths contradict each other, or are over the limits.
    case invalidLength
    /// A header is cut off, occurs twice or has an unknown type.
    case invalidHeader

    /// The error in words.
    public var description: String {
        switch self {
        case .wrongChecksum: "a message has a wrong checksum"
        case .invalidLength: "a message has an invalid length"
        case .invalidHeader: "a message has an invalid header"
        }
    }
}

/// The checksum of zip files and of event streams. Source: RFC 1952, section 8.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 0 ? value >> 1 : value >> 1 ^ 0xEDB8_8320 }
    }

    static func checksum(of bytes: RawSpan) -> UInt32 {
        let table = table
        var checksum = UInt32.max
        for offset in 0..<bytes.byteCount {
            checksum = checksum >> 8 ^ table[Int(UInt8(truncatingIfNeeded: checksum) ^ bytes.byte(offset))]
        }
        return ~checksum
    }
}

extension RawSpan {
    /// The four bytes at an offset, the first in the highest bits. Missing bytes are 0.
    fileprivate func word32(_ offset: Int) -> UInt32 { (0..<4).reduce(0) { $0 << 8 | UInt32(byte(offset + $1)) } }
}
