/// Finds the lines in a stream of JSON texts, one a line, cut anywhere. A line ends with LF or CR LF; blank ones are passed over,
/// a byte order mark at the very start too.
///
/// It is fed as `SSEDecoder` is. Whether a line is JSON is checked where it is read, with `JSON.members` or `JSON.validate`.
public struct NDJSONDecoder: Sendable {
    private let maxLineBytes: Int
    private var lineStart = 0
    private var scanned = 0
    private var isAtStreamStart = true

    public init(maxLineBytes: Int = 16 << 20) {
        self.maxLineBytes = maxLineBytes
    }

    /// The next line, without its end; nil: it is not complete yet. `bytes` begin where the last `consume` said.
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
        // A CR at the end may be half of the line's end.
        guard scanned &- lineStart <= maxLineBytes &+ 1 else { throw .lineTooLong(maxBytes: maxLineBytes) }
        return nil
    }

    /// How many bytes at the front are done with since the last call. From now on all offsets count from behind them.
    public mutating func consume() -> Int {
        let count = lineStart
        lineStart = 0
        scanned &-= count
        return count
    }

    /// The last line, where the stream closed without an end for it; nil: nothing was left. It counts only if it is whole, so it is checked here.
    /// `bytes` are those for which `nextLine` gave nil; afterwards they are all consumed.
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

    /// False while the first bytes may still become a byte order mark.
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

public enum NDJSONError: Error, Sendable, Equatable, CustomStringConvertible {
    case lineTooLong(maxBytes: Int)
    /// The stream closed in the middle of its last line. The offset counts from that line's start.
    case cutOff(JSONError)

    public var description: String {
        switch self {
        case .lineTooLong(let maxBytes): "a line of the stream is longer than \(maxBytes) bytes"
        case .cutOff(let error): "the stream was cut off inside its last line: \(error)"
        }
    }
}
