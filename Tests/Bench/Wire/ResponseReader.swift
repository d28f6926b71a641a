/// Reads one HTTP/1.1 response from bytes that may be cut anywhere.
struct ResponseReader {
    enum State: Equatable {
        case head, length, chunkSize, chunkData, chunkEnd, trailer
        case complete
        /// The bytes are not a valid HTTP/1.1 response, and the connection can't be used any more.
        case malformed
    }

    private(set) var state = State.head
    private(set) var status = 0
    /// Whether the response has `Connection: close`.
    private(set) var closes = false
    private var remaining: UInt64 = 0

    /// Consumes as many of `bytes` as possible and returns their number. The rest must be passed again, followed by
    /// more bytes. `body` gets the payload without the framing. Reading stops after the last byte of the response, in
    /// the state `complete`.
    @inline(__always)
    mutating func take(_ bytes: UnsafeRawBufferPointer, body: (UnsafeRawBufferPointer) -> Void) -> Int {
        var at = 0
        while state != .complete, state != .malformed {
            let before = at
            at = step(bytes, at, body)
            if at == before, state != .complete { break }
        }
        return at
    }

    @inline(__always)
    private mutating func step(_ bytes: UnsafeRawBufferPointer, _ at: Int, _ body: (UnsafeRawBufferPointer) -> Void) -> Int {
        switch state {
        case .head: return takeHead(bytes, at)
        case .length: return takeData(bytes, at, body, then: .complete)
        case .chunkData: return takeData(bytes, at, body, then: .chunkEnd)
        case .chunkSize: return takeChunkSize(bytes, at)
        case .chunkEnd: return takeLine(bytes, at, then: .chunkSize)
        case .trailer: return takeLine(bytes, at, then: .complete)
        case .complete, .malformed: return at
        }
    }

    private mutating func takeHead(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard var line = bytes.position(of: 0x0A, from: start) else { return start }
        guard bytes.hasBytes("HTTP/1.1 ", at: start), let code = bytes.decimal(at: start + 9) else { return fail(start) }
        var length: UInt64?
        var chunked = false
        var close = false
        while true {
            let field = line + 1
            guard let end = bytes.position(of: 0x0A, from: field) else { return start }
            if end - field <= 1 {
                line = end
                break
            }
            if bytes.hasField("content-length:", at: field) {
                length = bytes.decimal(at: field + 15)?.value
            } else if bytes.hasField("transfer-encoding: chunked", at: field) {
                chunked = true
            } else if bytes.hasField("connection: close", at: field) {
                close = true
            }
            line = end
        }
        (status, closes) = (Int(code.value), close)
        if chunked {
            state = .chunkSize
        } else if let length {
            remaining = length
            state = length == 0 ? .complete : .length
        } else {
            return fail(start)
        }
        return line + 1
    }

    private mutating func takeData(
        _ bytes: UnsafeRawBufferPointer, _ at: Int, _ body: (UnsafeRawBufferPointer) -> Void, then next: State
    ) -> Int {
        let count = Int(min(remaining, UInt64(bytes.count - at)))
        guard count > 0 else { return at }
        body(UnsafeRawBufferPointer(rebasing: bytes[at..<(at + count)]))
        remaining -= UInt64(count)
        if remaining == 0 { state = next }
        return at + count
    }

    private mutating func takeChunkSize(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard let line = bytes.position(of: 0x0A, from: start) else { return start }
        var at = start
        remaining = 0
        while at < line, let digit = Character(UnicodeScalar(bytes[at])).hexDigitValue, at - start < 8 {
            remaining = remaining << 4 | UInt64(digit)
            at += 1
        }
        guard at > start, bytes[at] == 0x0D || bytes[at] == 0x3B else { return fail(start) }
        state = remaining == 0 ? .trailer : .chunkData
        return line + 1
    }

    /// Reads the empty line after a chunk or after the last chunk. The measured servers send no trailers.
    private mutating func takeLine(_ bytes: UnsafeRawBufferPointer, _ at: Int, then next: State) -> Int {
        guard bytes.count - at >= 2 else { return at }
        guard bytes[at] == 0x0D, bytes[at + 1] == 0x0A else { return fail(at) }
        state = next
        return at + 2
    }

    private mutating func fail(_ at: Int) -> Int {
        state = .malformed
        return at
    }
}
