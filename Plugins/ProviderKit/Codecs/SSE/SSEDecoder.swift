/// Finds the events in a stream of server-sent events, by the rules of the WHATWG HTML standard (section 9.2.6), cut anywhere.
///
/// The client keeps the bytes: it calls `nextEvent` with all that were not consumed until that gives nil, drops from the front what
/// `consume` says, and comes back when more have arrived. No byte is scanned twice.
public struct SSEDecoder: Sendable {
    private var isAtStreamStart = true
    /// The last line ended with a CR that was the last byte, so an LF that follows belongs to it.
    private var skipsLineFeed = false
    private let maxEventBytes: Int
    private var frameStart = 0
    private var lineStart = 0
    private var scanned = 0
    private var fields = Fields()

    /// The last `id` that a finished event or a blank line confirmed. After `nextEvent` it is that event's.
    public private(set) var lastEventID: [UInt8] = []
    /// The last `retry` line, if the number fits.
    public private(set) var retryMilliseconds: Int?
    /// Comment lines passed so far, keep-alives for the most part.
    public private(set) var commentCount = 0
    /// What stands behind the last comment's colon, until `consume`.
    public private(set) var lastComment: Range<Int>?

    /// The lines of the event under assembly.
    private struct Fields {
        var lineCount = 0
        var hasCarriageReturn = false
        var data: Range<Int>?
        var joinedData: [UInt8]?
        var type: Range<Int>?
        var id: Range<Int>?

        mutating func shift(by count: Int) {
            data = data.map { $0.lowerBound &- count..<$0.upperBound &- count }
            type = type.map { $0.lowerBound &- count..<$0.upperBound &- count }
            id = id.map { $0.lowerBound &- count..<$0.upperBound &- count }
        }
    }

    /// `maxEventBytes` bounds an event from its first byte to the end of its last line.
    public init(maxEventBytes: Int = 16 << 20) {
        self.maxEventBytes = maxEventBytes
    }

    /// The next event; nil: it is not complete yet. `bytes` begin where the last `consume` said.
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

    /// How many bytes at the front are done with since the last call: of events that were returned, of comments and of blank lines.
    /// From now on all offsets count from behind them.
    public mutating func consume() -> Int {
        let count = frameStart
        guard count > 0 else { return 0 }
        frameStart = 0
        lineStart &-= count
        scanned &-= count
        if fields.lineCount > 0 { fields.shift(by: count) }
        lastComment = nil
        return count
    }

    /// The event that the end of the stream cut off, for those who take it although the standard drops it: some servers leave out
    /// the last blank line. `bytes` are those for which `nextEvent` gave nil; afterwards they are all consumed.
    public mutating func finish(_ bytes: RawSpan) -> SSEEvent? {
        if lineStart < bytes.byteCount { read(lineStart..<bytes.byteCount, in: bytes) }
        lineStart = max(lineStart, bytes.byteCount)
        scanned = lineStart
        return dispatch(bytes, isCutOff: true)
    }

    private func checkSize(_ end: Int) throws(SSEError) {
        guard end &- frameStart <= maxEventBytes else { throw .eventTooLarge(maxBytes: maxEventBytes) }
    }

    /// Ends the event under assembly. One without data is none, but its `id` counts.
    private mutating func dispatch(_ bytes: RawSpan, isCutOff: Bool = false) -> SSEEvent? {
        let frame = frameStart..<lineStart
        frameStart = lineStart
        defer { fields = Fields() }
        if let id = fields.id { lastEventID = Array(copying: id, of: bytes) }
        guard let data = fields.data else { return nil }
        return SSEEvent(
            frame: frame, data: data, joinedData: fields.joinedData, typeRange: fields.type,
            isCanonical: fields.lineCount == 1 && !fields.hasCarriageReturn && !isCutOff
        )
    }
}

extension SSEDecoder {
    /// False while the first bytes may still become a byte order mark.
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
        if bytes.halfWord(line.lowerBound) == 0x6174_6164, line.count >= 4 {  // a t a d
            if line.count == 4 { return readData(line.upperBound..<line.upperBound, in: bytes) }
            if bytes.byte(line.lowerBound &+ 4) == ASCII.colon {
                return readData(fieldValue(of: line, colon: line.lowerBound &+ 4, in: bytes), in: bytes)
            }
        }
        let colon = bytes.firstIndex(of: ASCII.colon, in: line)
        if colon == line.lowerBound { return readComment(line) }
        fields.lineCount &+= 1
        let name = line.lowerBound..<(colon ?? line.upperBound)
        let value = colon.map { self.fieldValue(of: line, colon: $0, in: bytes) } ?? line.upperBound..<line.upperBound
        if bytes.equals(name, "event") {
            fields.type = value.isEmpty ? nil : value
        } else if bytes.equals(name, "id") {
            if bytes.firstIndex(of: 0, in: value) == nil { fields.id = value }
        } else if bytes.equals(name, "retry") {
            readRetry(value, in: bytes)
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

    /// A comment inside an event is part of its frame; elsewhere it is done with at once.
    private mutating func readComment(_ line: Range<Int>) {
        commentCount &+= 1
        lastComment = (line.lowerBound &+ 1)..<line.upperBound
        if fields.lineCount == 0 { frameStart = lineStart } else { fields.lineCount &+= 1 }
    }

    private mutating func readRetry(_ value: Range<Int>, in bytes: RawSpan) {
        var milliseconds = 0
        guard !value.isEmpty, value.count <= 18 else { return }
        for i in value {
            guard let digit = ASCII.digit(bytes.byte(i)) else { return }
            milliseconds = milliseconds &* 10 &+ Int(digit)
        }
        retryMilliseconds = milliseconds
    }
}
