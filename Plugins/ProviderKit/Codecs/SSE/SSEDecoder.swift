/// An incremental decoder for server-sent events (`text/event-stream`).
///
/// It follows the WHATWG HTML standard, section 9.2.6, except for the fields `id` and `retry`, which only a client that
/// reconnects needs. They are ignored. Failures that the standard would drop are events: an event of the type `error`
/// without data, a field `error`, and a line that begins with `{`, which is data. The bytes may arrive in chunks of any
/// size: the events don't depend on where the stream is cut.
///
/// The caller keeps the bytes. Each call gets all bytes that are not consumed yet. Call ``nextEvent(_:)`` until it
/// returns nil, remove as many bytes from the front as ``consume()`` returns, and start again when more bytes have
/// arrived. No byte is scanned twice:
///
/// ```swift
/// var events = SSEDecoder()
/// var buffer: [UInt8] = []
/// while let chunk = nextChunk() {
///     buffer += chunk
///     while let event = try events.nextEvent(buffer.span.bytes) {
///         handle(event.joinedData ?? Array(buffer[event.data]))
///     }
///     buffer.removeFirst(events.consume())
/// }
/// ```
public struct SSEDecoder: Sendable {
    private var isAtStreamStart = true
    /// Whether the last line ended with a CR that was the last byte. An LF that follows belongs to that line end.
    private var skipsLineFeed = false
    private let maxEventBytes: Int
    private var frameStart = 0
    private var lineStart = 0
    private var scanned = 0
    private var fields = Fields()

    /// The fields of the event that is being assembled.
    private struct Fields {
        var lineCount = 0
        var hasCarriageReturn = false
        var data: Range<Int>?
        var joinedData: [UInt8]?
        var type: Range<Int>?

        mutating func shift(by count: Int) {
            data = data.map { $0.lowerBound &- count..<$0.upperBound &- count }
            type = type.map { $0.lowerBound &- count..<$0.upperBound &- count }
        }

        /// The empty data of an event that has only the type `error`; nil for other types.
        func errorWithoutData(_ bytes: RawSpan) -> Range<Int>? {
            type.flatMap { bytes.equals($0, "error") ? $0.upperBound..<$0.upperBound : nil }
        }
    }

    /// Creates a decoder.
    ///
    /// - Parameter maxEventBytes: the size of the largest event, in bytes from its first byte to the end of its last
    ///   line. A larger event is an error.
    public init(maxEventBytes: Int = 16 << 20) {
        self.maxEventBytes = maxEventBytes
    }

    /// The next complete event; nil if none is complete yet. An event is complete with the last byte of its blank line.
    ///
    /// - Parameter bytes: all bytes that are not consumed yet. They may only grow until the next ``consume()``.
    public mutating func nextEvent(_ bytes: RawSpan) throws(SSEError) -> SSEEvent? {
        guard passByteOrderMark(bytes) else { return nil }
        while scanned <= bytes.byteCount {
            passSecondHalfOfLineEnd(bytes)
            guard let end = bytes.firstLineEnd(from: scanned) else {
                scanned = max(scanned, bytes.byteCount)
                if scanned > lineStart { try checkSize(scanned) }
                return nil
            }
            let line = lineStart..<end
            passLineEnd(bytes, end)
            if line.isEmpty {
                if let event = dispatch(bytes) { return event }
            } else {
                try checkSize(end)
                read(line, in: bytes)
            }
        }
        return nil
    }

    /// The number of bytes at the front that are no longer needed: those of returned events, of comments and of blank
    /// lines since the last call. The caller must remove them, and all later ranges count from the new start.
    public mutating func consume() -> Int {
        let count = frameStart
        guard count > 0 else { return 0 }
        frameStart = 0
        lineStart &-= count
        scanned &-= count
        if fields.lineCount > 0 { fields.shift(by: count) }
        return count
    }

    /// The event that lacks its blank line because the stream was closed; nil if there is none.
    ///
    /// The standard drops such an event, but some servers leave out the last blank line. The event may be cut off in
    /// the middle of its data. Afterwards all bytes are consumed.
    ///
    /// - Parameter bytes: the bytes for which ``nextEvent(_:)`` has returned nil.
    public mutating func finish(_ bytes: RawSpan) -> SSEEvent? {
        if lineStart < bytes.byteCount { read(lineStart..<bytes.byteCount, in: bytes) }
        lineStart = max(lineStart, bytes.byteCount)
        scanned = lineStart
        return dispatch(bytes, isCutOff: true)
    }

    private func checkSize(_ end: Int) throws(SSEError) {
        guard end &- frameStart <= maxEventBytes else { throw .eventTooLarge(maxBytes: maxEventBytes) }
    }

    /// Ends the event that is being assembled; nil if it has no data and is thus dropped.
    private mutating func dispatch(_ bytes: RawSpan, isCutOff: Bool = false) -> SSEEvent? {
        let frame = frameStart..<lineStart
        frameStart = lineStart
        defer { fields = Fields() }
        guard let data = fields.data ?? fields.errorWithoutData(bytes) else { return nil }
        let isPlain = fields.joinedData == nil && !fields.hasCarriageReturn && !isCutOff
        return SSEEvent(
            frame: frame, data: data, joinedData: fields.joinedData, typeRange: fields.type,
            isCanonical: isPlain && fields.lineCount == 1, isPlain: isPlain
        )
    }
}

extension SSEDecoder {
    /// Skips a byte order mark at the start of the stream. False as long as the bytes may still become one.
    private mutating func passByteOrderMark(_ bytes: RawSpan) -> Bool {
        guard isAtStreamStart else { return true }
        switch bytes.byteOrderMark {
        case .absent: break
        case .undecided: return false
        case .present: beginLine(at: 3)
        }
        isAtStreamStart = false
        return true
    }

    private mutating func passSecondHalfOfLineEnd(_ bytes: RawSpan) {
        guard skipsLineFeed, scanned < bytes.byteCount else { return }
        skipsLineFeed = false
        guard bytes.byte(scanned) == ASCII.lineFeed else { return }
        beginLine(at: scanned &+ 1)
    }

    private mutating func passLineEnd(_ bytes: RawSpan, _ end: Int) {
        var next = end &+ 1
        if bytes.byte(end) == ASCII.carriageReturn {
            fields.hasCarriageReturn = true
            if bytes.byte(next) == ASCII.lineFeed { next &+= 1 } else { skipsLineFeed = next == bytes.byteCount }
        }
        lineStart = next
        scanned = next
    }

    private mutating func beginLine(at start: Int) {
        lineStart = start
        scanned = start
        if fields.lineCount == 0 { frameStart = start }
    }

    private mutating func read(_ line: Range<Int>, in bytes: RawSpan) {
        if bytes.halfWord(line.lowerBound) == 0x6174_6164, line.count >= 4 {  // "data" in little-endian order
            if line.count == 4 { return readData(line.upperBound..<line.upperBound, in: bytes) }
            if bytes.byte(line.lowerBound &+ 4) == ASCII.colon {
                return readData(fieldValue(of: line, colon: line.lowerBound &+ 4, in: bytes), in: bytes)
            }
        }
        if bytes.byte(line.lowerBound) == ASCII.openBrace {
            // Not in the standard: proxies write the JSON of a failure into a stream without a field name.
            fields.lineCount &+= 1
            return readData(line, in: bytes)
        }
        let colon = bytes.firstIndex(of: ASCII.colon, in: line)
        if colon == line.lowerBound { return skipComment() }
        fields.lineCount &+= 1
        let name = line.lowerBound..<(colon ?? line.upperBound)
        let value = colon.map { self.fieldValue(of: line, colon: $0, in: bytes) } ?? line.upperBound..<line.upperBound
        if bytes.equals(name, "event") {
            fields.type = value.isEmpty ? nil : value
        } else if bytes.equals(name, "error") {
            // Not in the standard: llama-server reports a failure in a field of its own. Source:
            // ggml-org/llama.cpp#14566.
            fields.type = name
            if !value.isEmpty { readData(value, in: bytes) }
        }
    }

    private func fieldValue(of line: Range<Int>, colon: Int, in bytes: RawSpan) -> Range<Int> {
        let start = colon &+ 1
        return (start < line.upperBound && bytes.byte(start) == ASCII.space ? start &+ 1 : start)..<line.upperBound
    }

    private mutating func readData(_ value: Range<Int>, in bytes: RawSpan) {
        fields.lineCount &+= 1
        guard let first = fields.data else {
            fields.data = value
            return
        }
        var joined = fields.joinedData.take() ?? Array(copying: first, of: bytes)
        joined.append(ASCII.lineFeed)
        joined.append(value, of: bytes)
        fields.joinedData = joined
    }

    /// Skips a comment line. Inside an event it is part of the event's frame; elsewhere it can be consumed immediately.
    private mutating func skipComment() {
        if fields.lineCount == 0 { frameStart = lineStart } else { fields.lineCount &+= 1 }
    }
}
