package import NIOCore

extension ByteBuffer {
    /// An empty buffer with separate storage. All `ByteBuffer()` share one storage object, and its reference count
    /// moves between the cores at every use; for each message that costs more than the memory.
    package static func unshared(capacity: Int = 1) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: max(1, capacity)) }

    /// The text in `range`, counted from the first readable byte. Bytes that are not UTF-8 become U+FFFD.
    func string(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }

    /// The same bytes, copied if they would otherwise keep a much larger read buffer alive.
    func detached() -> ByteBuffer {
        storageCapacity > 16 * 1024 && storageCapacity > 2 * readableBytes ? ByteBuffer(bytes: readableBytesView) : self
    }

    /// Writes a number that isn't negative.
    package mutating func writeDecimal(_ number: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { Decimal.write(number, to: $0) }
    }

    /// Writes the size line of a chunk.
    mutating func writeChunkSize(_ size: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: Chunk.maxSizeBytes) { Chunk.writeSize(size, to: $0) }
    }

    /// Writes a complete chunk: its size line, its bytes and CR LF.
    mutating func writeChunk(_ bytes: ByteBuffer) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.readableBytes + Chunk.maxSizeBytes + 2) { memory in
            bytes.withUnsafeReadableBytes { bytes in
                let start = Chunk.writeSize(bytes.count, to: memory)
                UnsafeMutableRawBufferPointer(rebasing: memory[start...]).copyMemory(from: bytes)
                return start + bytes.count + Chunk.writeLineEnd(to: memory, at: start + bytes.count)
            }
        }
    }

    mutating func writeStatusLine(_ status: Int) {
        switch status {
        case 200: writeStaticString("HTTP/1.1 200 OK\r\n")
        default:
            writeStaticString("HTTP/1.1 ")
            writeDecimal((100...999).contains(status) ? status : 500)
            writeStaticString(" ")
            writeStaticString(Self.reason(status))
            writeStaticString("\r\n")
        }
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 529: "Overloaded"
        default: "Status"
        }
    }
}

private enum Chunk {
    /// 16 digits and CR LF.
    static let maxSizeBytes = 18

    static func writeSize(_ size: Int, to memory: UnsafeMutableRawBufferPointer) -> Int {
        let digits = max(1, (Int.bitWidth - size.leadingZeroBitCount + 3) / 4)
        for index in 0..<digits {
            let digit = UInt8(truncatingIfNeeded: size &>> (4 * (digits - 1 - index))) & 0xF
            memory[index] = digit < 10 ? 0x30 &+ digit : 0x57 &+ digit
        }
        return digits + writeLineEnd(to: memory, at: digits)
    }

    static func writeLineEnd(to memory: UnsafeMutableRawBufferPointer, at index: Int) -> Int {
        memory[index] = Octet.cr
        memory[index + 1] = Octet.lf
        return 2
    }
}
