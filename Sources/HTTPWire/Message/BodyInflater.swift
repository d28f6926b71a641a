import CZlib
package import NIOCore

/// Decodes a response's body that arrives compressed although the request asked for `identity`.
///
/// gzip (RFC 1952), zlib (RFC 1950) and the bare deflate (RFC 1951) that some servers send under the name `deflate`.
package final class BodyInflater {
    private static let partBytes = 64 * 1024
    /// A body may expand to this many times its size: JSON shrinks to about a tenth, the most regular of real streams
    /// to a fiftieth. Deflate's own limit is 1,032.
    private static let maxRatio = 100
    /// Below this size, the ratio doesn't matter.
    private static let freeBytes = 1 << 20

    /// At a fixed address, because zlib's state points back to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private var inputBytes = 0
    private var outputBytes = 0
    /// Whether the end of the compressed data was seen.
    package private(set) var isComplete = false

    package static let firstGzipByte: UInt8 = 0x1F

    /// The inflater for a body that begins with these bytes, whatever the head says about it; nil if it isn't
    /// compressed.
    ///
    /// - Parameter mayBeBare: whether the body is deflate without a header if it has no header. Nothing in its bytes
    ///   tells.
    package init?(for start: ByteBuffer, mayBeBare: Bool) {
        guard let (first, second) = start.getMultipleIntegers(at: start.readerIndex, as: (UInt8, UInt8).self) else { return nil }
        let isGzip = first == Self.firstGzipByte && second == 0x8B
        // The two bytes are a multiple of 31, and the low bits of the first name the method 8.
        let isZlib = first & 0x0F == 8 && (Int(first) << 8 | Int(second)) % 31 == 0
        guard isGzip || mayBeBare else { return nil }
        // The size of the window, and the choice of formats. Source: zlib.h, inflateInit2.
        let window: CInt = 15, anyHeader: CInt = 32
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let bits = isGzip || isZlib ? window + anyHeader : -window
        guard inflateInit2_(stream, bits, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Decodes the next bytes, and passes the result on in parts of at most 64 KiB.
    package func inflate(_ bytes: ByteBuffer, _ deliver: (ByteBuffer) -> Void) throws(WireFault) {
        var input = bytes
        inputBytes &+= input.readableBytes
        while input.readableBytes > 0, !isComplete || restart(input) {
            var output = ByteBuffer.unshared(capacity: Self.partBytes)
            try fill(&output, from: &input)
            if output.readableBytes > 0 { deliver(output) }
        }
    }

    /// Begins the next member of a gzip file that consists of several; false if other bytes follow the end.
    private func restart(_ input: ByteBuffer) -> Bool {
        guard input.getInteger(at: input.readerIndex, as: UInt8.self) == 0x1F, inflateReset(stream) == Z_OK else { return false }
        isComplete = false
        return true
    }

    private func fill(_ output: inout ByteBuffer, from input: inout ByteBuffer) throws(WireFault) {
        var result = Z_OK
        var taken = 0
        let produced = output.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.partBytes) { room in
            input.withUnsafeReadableBytes { bytes in
                stream.pointee.next_in = UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_in = CUnsignedInt(clamping: bytes.count)
                stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = CUnsignedInt(Self.partBytes)
                result = CZlib.inflate(stream, Z_SYNC_FLUSH)
                taken = bytes.count - Int(stream.pointee.avail_in)
            }
            return Self.partBytes - Int(stream.pointee.avail_out)
        }
        input.moveReaderIndex(forwardBy: taken)
        outputBytes &+= produced
        switch result {
        case Z_STREAM_END: isComplete = true
        case Z_OK where taken > 0 || produced > 0, Z_BUF_ERROR where taken > 0 || produced > 0: break
        default: throw WireFault("its compressed body is damaged")
        }
        guard outputBytes <= Self.freeBytes || outputBytes / Self.maxRatio <= inputBytes else {
            throw WireFault("its compressed body expands to more than \(Self.maxRatio) times its size")
        }
    }
}
