import NIOCore

/// The outgoing bytes of a connection's responses: collects head, chunks and framing in one reused buffer.
struct ResponseOutput {
    enum Framing { case none, sized, chunked, untilClose }

    /// How far the response is.
    enum Progress {
        /// The handler has not responded.
        case awaited
        /// The head of a streamed response, held until the first write, flush or end.
        case held(ResponseHead)
        /// The head is written.
        case begun(Framing)
    }

    /// Body parts up to this size are copied into the buffer; larger ones are written separately, without a copy.
    static let copyLimit = 4096
    static let bufferedCopyLimit = 16 * 1024
    private static let maxKeptCapacity = 16 * 1024
    /// The buffer is written out above this size. One read of an upstream usually brings less and goes out as one
    /// buffer.
    private static let fullThreshold = 32 * 1024

    private(set) var buffer = ByteBuffer()
    private var isHandedOver = false
    private var isHeadRequest = false
    private var isHTTP10 = false

    private(set) var progress: Progress = .awaited
    var closesConnection = false
    /// Bytes passed to the socket since the connection was opened.
    var handedOverBytes = 0

    /// How the body is delimited; `none` if no body is sent.
    var framing: Framing { if case .begun(let framing) = progress { framing } else { .none } }

    var isAwaited: Bool { if case .awaited = progress { true } else { false } }

    var isFull: Bool { buffer.readableBytes > Self.fullThreshold }

    mutating func start(isHeadRequest: Bool, isHTTP10: Bool) {
        self.isHeadRequest = isHeadRequest
        self.isHTTP10 = isHTTP10
        progress = .awaited
        closesConnection = false
    }

    /// The bytes to write next; nil if there are none. The next write starts with an empty buffer.
    mutating func take() -> ByteBuffer? {
        guard !isHandedOver, buffer.readableBytes > 0 else { return nil }
        isHandedOver = true
        handedOverBytes &+= buffer.readableBytes
        return buffer
    }

    private mutating func prepare(_ capacity: Int) {
        guard isHandedOver || buffer.capacity == 0 else { return }
        isHandedOver = false
        if buffer.capacity > Self.maxKeptCapacity { buffer = ByteBuffer() }
        buffer.clear(minimumCapacity: max(capacity, 512))
    }

    mutating func writeContinue() {
        prepare(32)
        buffer.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n")
    }

    mutating func hold(_ head: ResponseHead) { progress = .held(head) }

    /// Writes the head of a response with a body of `bodyBytes` bytes; nil means a streamed response.
    mutating func writeHead(_ head: ResponseHead, bodyBytes: Int?, date: [UInt8]) {
        let allowsBody = head.status >= 200 && head.status != 204 && head.status != 304
        let isStreamed = allowsBody && bodyBytes == nil
        if isStreamed, isHTTP10 { closesConnection = true }
        let headBytes = head.lines.readableBytes + 160
        prepare(headBytes + (bodyBytes.map { $0 <= Self.bufferedCopyLimit ? $0 : 0 } ?? 512))
        buffer.writeText(capacity: headBytes) { text in
            text.putStatusLine(head.status)
            date.withUnsafeBytes { text.put($0) }
            if allowsBody {
                if let bodyBytes {
                    text.put("\r\ncontent-length: ")
                    text.put(decimal: bodyBytes)
                } else if !isHTTP10 {
                    text.put("\r\ntransfer-encoding: chunked")
                }
            }
            text.putLineEnd()
            if closesConnection {
                text.put("connection: close\r\n")
            } else if isHTTP10 {
                text.put("connection: keep-alive\r\n")
            }
            head.lines.withUnsafeReadableBytes { text.put($0) }
            text.putLineEnd()
        }
        progress = .begun(isHeadRequest || !allowsBody ? .none : !isStreamed ? .sized : isHTTP10 ? .untilClose : .chunked)
    }

    /// Writes a part of the body with its framing. Returns true if the caller must write the bytes separately, then
    /// call `endPart`.
    mutating func writePart(_ bytes: ByteBuffer, copyLimit: Int = ResponseOutput.copyLimit) -> Bool {
        let isSeparate = bytes.readableBytes > copyLimit
        prepare(isSeparate ? 32 : bytes.readableBytes + 32)
        switch (framing == .chunked, isSeparate) {
        case (true, true): buffer.writeChunkSize(bytes.readableBytes)
        case (true, false): buffer.writeChunk(bytes)
        case (false, true): break
        case (false, false): buffer.writeImmutableBuffer(bytes)
        }
        return isSeparate
    }

    /// Writes the body of a sized response directly after its head.
    mutating func writeBody(_ write: (inout ByteBuffer) -> Void) { write(&buffer) }

    /// Ends a body part whose bytes were written separately.
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
