package import NIOCore

extension ByteBuffer {
    /// An empty buffer with memory of its own. That of `ByteBuffer()` is one object for all threads: whoever holds it makes its reference count travel
    /// between cores, which on the way of every message costs more than the memory.
    package static func unshared(capacity: Int = 1) -> ByteBuffer { ByteBufferAllocator().buffer(capacity: max(1, capacity)) }

    /// The text at `range`, counted from the first readable byte; what is not UTF-8 becomes U+FFFD.
    func string(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }

    /// The same bytes; copied where they would keep a much larger read buffer alive.
    func detached() -> ByteBuffer {
        storageCapacity > 16 * 1024 && storageCapacity > 2 * readableBytes ? ByteBuffer(bytes: readableBytesView) : self
    }

    mutating func writeDecimal(_ number: Int) {
        writeWithUnsafeMutableBytes(minimumWritableBytes: 20) { Decimal.write(number, to: $0) }
    }

    mutating func writeHex(_ number: Int) {
        var shift = max(0, (Int.bitWidth - 1 - number.leadingZeroBitCount) / 4 * 4)
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: number &>> shift) & 0xF
            writeInteger(digit < 10 ? 0x30 &+ digit : 0x57 &+ digit)
            shift -= 4
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
