import NIOCore

/// The bytes of a response on their way out: collects head, chunks and framing in one buffer that is used again and again.
struct ResponseOutput {
    enum Framing { case none, sized, chunked, untilClose }

    /// Pieces up to this size are copied into the buffer; larger ones are written beside it.
    static let copyLimit = 4096
    static let bufferedCopyLimit = 16 * 1024
    private static let keptCapacity = 16 * 1024
    /// More than one read of an upstream mostly brings, so that it goes out as one buffer; beyond it a buffer would only grow.
    private static let fullAt = 32 * 1024

    private(set) var buffer = ByteBuffer()
    private var isTaken = false
    private var isHeadRequest = false
    private var isHTTP10 = false

    private(set) var framing: Framing = .none
    /// The head of a streamed response that waits for its first bytes.
    var heldHead: ResponseHead?
    var closesConnection = false
    var needsFlush = false
    /// Bytes given to the channel since the connection began.
    var handedOver = 0

    var isFull: Bool { buffer.readableBytes > Self.fullAt }

    mutating func start(isHeadRequest: Bool, isHTTP10: Bool) {
        self.isHeadRequest = isHeadRequest
        self.isHTTP10 = isHTTP10
        heldHead = nil
        closesConnection = false
        framing = .none
    }

    /// The bytes to write next; nil where there are none. They are the channel's until it has written them.
    mutating func take() -> ByteBuffer? {
        guard !isTaken, buffer.readableBytes > 0 else { return nil }
        isTaken = true
        handedOver &+= buffer.readableBytes
        return buffer
    }

    private mutating func prepare(_ capacity: Int) {
        guard isTaken || buffer.capacity == 0 else { return }
        isTaken = false
        if buffer.capacity > Self.keptCapacity { buffer = ByteBuffer() }
        buffer.clear(minimumCapacity: max(capacity, 512))
    }

    mutating func writeContinue() {
        prepare(32)
        buffer.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Writes the head of a response with `bodyBytes` bytes, or of a streamed one.
    mutating func writeHead(_ head: ResponseHead, bodyBytes: Int?, date: [UInt8]) {
        let mayHaveBody = head.status >= 200 && head.status != 204 && head.status != 304
        if !mayHaveBody {
            framing = .none
        } else if bodyBytes != nil {
            framing = isHeadRequest ? .none : .sized
        } else {
            framing = isHTTP10 ? .untilClose : .chunked
            if isHTTP10 { closesConnection = true }
        }
        prepare(head.lines.readableBytes + 160 + (bodyBytes.map { $0 <= Self.bufferedCopyLimit ? $0 : 0 } ?? 512))
        buffer.writeStatusLine(head.status)
        buffer.writeBytes(date)
        if mayHaveBody {
            if let bodyBytes {
                buffer.writeStaticString("\r\ncontent-length: ")
                buffer.writeDecimal(bodyBytes)
            } else if framing == .chunked {
                buffer.writeStaticString("\r\ntransfer-encoding: chunked")
            }
        }
        if closesConnection {
            buffer.writeStaticString("\r\nconnection: close\r\n")
        } else {
            buffer.writeStaticString(isHTTP10 ? "\r\nconnection: keep-alive\r\n" : "\r\n")
        }
        buffer.writeImmutableBuffer(head.lines)
        buffer.writeStaticString("\r\n")
        if isHeadRequest { framing = .none }
    }

    /// Begins a piece of the body; true where its bytes are to be written beside the buffer.
    mutating func writePart(_ bytes: ByteBuffer, copyLimit: Int = ResponseOutput.copyLimit) -> Bool {
        let isBeside = bytes.readableBytes > copyLimit
        prepare(isBeside ? 32 : bytes.readableBytes + 32)
        switch (framing == .chunked, isBeside) {
        case (true, true): buffer.writeChunkSize(bytes.readableBytes)
        case (true, false): buffer.writeChunk(bytes)
        case (false, true): break
        case (false, false): buffer.writeImmutableBuffer(bytes)
        }
        return isBeside
    }

    /// The body of a sized answer, right behind its head.
    mutating func writeBody(_ write: (inout ByteBuffer) -> Void) { write(&buffer) }

    /// Behind a piece that was written beside the buffer.
    mutating func endPart() {
        prepare(16)
        if framing == .chunked { buffer.writeStaticString("\r\n") }
    }

    mutating func writeLastChunk() {
        guard framing == .chunked else { return }
        prepare(16)
        buffer.writeStaticString("0\r\n\r\n")
    }
}
