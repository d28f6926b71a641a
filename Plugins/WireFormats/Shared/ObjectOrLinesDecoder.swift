import Codecs
import ProviderKit

/// A decoder for one object that may turn out to be lines of objects: of a stream, only the first line had arrived when
/// the router judged the body, and a response that isn't streamed is not searched for lines. It consumes nothing before
/// the end.
struct ObjectOrLinesDecoder<Object: ResponseDecoder, Lines: ResponseDecoder>: ResponseDecoder {
    private var object: Object
    private var lines: Lines

    /// - Parameter lines: gives typed events.
    init(_ object: Object, orLines lines: Lines) {
        self.object = object
        self.lines = lines
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        do throws(ProviderError) { try object.finish(bytes, into: &response) } catch {
            guard error.isUnreadable, Self.areLines(bytes) else { throw error }
            let consumed = try lines.decode(bytes, into: &response)
            if !response.isComplete { try lines.finish(bytes.extracting(consumed..<bytes.byteCount), into: &response) }
        }
    }

    /// Whether an object begins on the line after the first object.
    private static func areLines(_ bytes: RawSpan) -> Bool {
        var cursor = JSONCursor()
        guard (try? cursor.peekKind(bytes)) == .object, let end = try? cursor.skipValue(bytes).range.upperBound,
            let lineEnd = bytes.firstIndex(of: ASCII.lineFeed, in: end..<bytes.byteCount)
        else { return false }
        cursor = JSONCursor(at: lineEnd)
        return (try? cursor.peekKind(bytes)) == .object
    }
}
