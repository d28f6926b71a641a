/// An incremental decoder for newline-delimited JSON: a stream with one JSON text on each line.
///
/// A line ends with LF or CR LF. Blank lines, and a byte order mark at the start of the stream, are skipped. The bytes
/// may arrive in chunks of any size: the lines don't depend on where the stream is cut.
///
/// The caller keeps the bytes. Each call gets all bytes that are not consumed yet. Call ``nextLine(_:)`` until it
/// returns nil, remove as many bytes from the front as ``consume()`` returns, and start again when more bytes have
/// arrived. No byte is scanned twice:
///
/// ```swift
/// var lines = NDJSONDecoder()
/// var buffer: [UInt8] = []
/// while let chunk = nextChunk() {
///     buffer += chunk
///     while let line = try lines.nextLine(buffer.span.bytes) { handle(buffer[line]) }
///     buffer.removeFirst(lines.consume())
/// }
/// if let line = try lines.finish(buffer.span.bytes) { handle(buffer[line]) }
/// ```
///
/// The decoder doesn't check whether a line is JSON. Check it where it is read, with ``JSON/members(of:)`` or
/// ``JSON/validate(_:)``.
public struct NDJSONDecoder: Sendable {
    private let maxLineBytes: Int
    private var lineStart = 0
    private var scanned = 0
    private var isAtStreamStart = true

    /// Creates a decoder.
    ///
    /// - Parameter maxLineBytes: the length of the longest line, in bytes without its line end. A longer line is an
    ///   error.
    public init(maxLineBytes: Int = 16 << 20) {
        self.maxLineBytes = maxLineBytes
    }

    /// The range of the next complete line, without its line end; nil if none is complete yet.
    ///
    /// - Parameter bytes: all bytes that are not consumed yet. They may only grow until the next ``consume()``.
    public mutating func nextLine(_ bytes: RawSpan) throws(NDJSONError) -> Range<Int>? {
        guard passByteOrderMark(bytes) else { return nil }
        while scanned < bytes.byteCount, let end = bytes.firstIndex(of: ASCII.lineFeed, in: scanned..<bytes.byteCount) {
            let line = withoutCarriageReturn(lineStart..<end, in: bytes)
            guard line.count <= maxLineBytes else { throw .lineTooLong(maxBytes: maxLineBytes) }
            lineStart = end &+ 1
            scanned = lineStart
            if !isBlank(line, in: bytes) { return line }
        }
        scanned = max(scanned, bytes.byteCount)
        // A CR at the end of the bytes may be half of a line end.
        guard scanned &- lineStart <= maxLineBytes &+ 1 else { throw .lineTooLong(maxBytes: maxLineBytes) }
        return nil
    }

    /// The number of bytes at the front that are no longer needed: those of the lines that were returned or skipped
    /// since the last call. The caller must remove them, and all later ranges count from the new start.
    public mutating func consume() -> Int {
        let count = lineStart
        lineStart = 0
        scanned &-= count
        return count
    }

    /// The last line of a stream that was closed without a final line end; nil if there are no bytes left.
    ///
    /// The line may be cut off, so it is checked here, and ``NDJSONError/cutOff(_:)`` is thrown if it is not exactly
    /// one JSON value. Afterwards all bytes are consumed.
    ///
    /// - Parameter bytes: the bytes for which ``nextLine(_:)`` has returned nil.
    public mutating func finish(_ bytes: RawSpan) throws(NDJSONError) -> Range<Int>? {
        guard lineStart < bytes.byteCount else { return nil }
        let line = withoutCarriageReturn(lineStart..<bytes.byteCount, in: bytes)
        lineStart = bytes.byteCount
        scanned = lineStart
        guard line.count <= maxLineBytes else { throw .lineTooLong(maxBytes: maxLineBytes) }
        guard !isBlank(line, in: bytes) else { return nil }
        do {
            try JSON.validate(bytes.extracting(line))
        } catch {
            throw .cutOff(error)
        }
        return line
    }

    private func withoutCarriageReturn(_ line: Range<Int>, in bytes: RawSpan) -> Range<Int> {
        guard let last = line.last, bytes.byte(last) == ASCII.carriageReturn else { return line }
        return line.lowerBound..<last
    }

    private func isBlank(_ line: Range<Int>, in bytes: RawSpan) -> Bool {
        line.allSatisfy { JSONGrammar.isWhitespace(bytes.byte($0)) }
    }

    /// Skips a byte order mark at the start of the stream. False as long as the bytes may still become one.
    private mutating func passByteOrderMark(_ bytes: RawSpan) -> Bool {
        guard isAtStreamStart else { return true }
        switch bytes.byteOrderMark {
        case .absent: break
        case .undecided: return false
        case .present:
            scanned = 3
            lineStart = 3
        }
        isAtStreamStart = false
        return true
    }
}

/// An error in a stream of JSON lines.
public enum NDJSONError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A line is longer than the decoder's limit.
    case lineTooLong(maxBytes: Int)
    /// The stream was closed in the middle of its last line. The offset of the error counts from the start of the line.
    case cutOff(JSONError)

    /// The error in words.
    public var description: String {
        switch self {
        case .lineTooLong(let maxBytes): "a line of the stream is longer than \(maxBytes) bytes"
        case .cutOff(let error): "the stream was cut off inside its last line: \(error)"
        }
    }
}
