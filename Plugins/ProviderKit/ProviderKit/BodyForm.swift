import Codecs

/// What the body of a response is, judged by its first bytes.
///
/// Servers label their bodies wrongly, and gateways in front of them respond in their own way: an event stream arrives
/// as `text/plain`, JSON as `text/event-stream`, and a page of HTML as anything.
public enum BodyForm: Sendable, Equatable, CaseIterable {
    /// Server-sent events.
    case eventStream
    /// One JSON object. More may follow it, unless a stream was asked for and the first bytes show them.
    case jsonObject
    /// One JSON array.
    case jsonArray
    /// JSON objects, each on a line of its own.
    case jsonLines
    /// A page of HTML, or XML.
    case markup
    /// Anything else, such as plain text.
    case other

    /// Judges a body by its beginning; nil if more bytes are needed.
    ///
    /// - Parameters:
    ///   - bytes: the bytes of the body so far, without white space and a complete byte order mark in front.
    ///   - contentType: the head's `content-type`. It decides only between one JSON object and lines of them, as long
    ///     as the first line is not over, and whether fields that no one knows may begin an event stream.
    ///   - isStream: whether a stream was asked for. Only then are lines of JSON looked for, which the client is to get
    ///     one by one.
    public init?(_ bytes: RawSpan, contentType: @autoclosure () -> String?, isStream: Bool) {
        guard bytes.byteCount > 0 else { return nil }
        switch bytes.byte(0) {
        case UInt8(ascii: "{"):
            guard isStream else {
                self = .jsonObject
                return
            }
            guard let isLines = Self.isLines(bytes, contentType()) else { return nil }
            self = isLines ? .jsonLines : .jsonObject
        case UInt8(ascii: "["): self = .jsonArray
        case UInt8(ascii: "<"): self = .markup
        case UInt8(ascii: ":"): self = .eventStream
        case 0xEF where bytes.byteCount < 3: return nil  // half of a byte order mark
        default:
            guard var isEvents = Self.beginsWithField(bytes) else { return nil }
            if !isEvents, Self.isEventStream(contentType()) {
                guard let isLater = Self.hasFieldAfterOthers(bytes) else { return nil }
                isEvents = isLater
            }
            self = isEvents ? .eventStream : .other
        }
    }

    /// The content types of JSON lines, which have no registration. Source: the pages jsonlines.org and ndjson.org.
    private static let linesTypes = ["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"]

    /// Whether the bytes are lines of objects; nil if more bytes are needed.
    private static func isLines(_ bytes: RawSpan, _ contentType: String?) -> Bool? {
        // Almost always it is the shorter `application/json`.
        let isNamed =
            contentType.map { type in
                type.utf8.count > "application/json".utf8.count
                    && linesTypes.contains { type.utf8.lazy.map(ASCII.lowercased).starts(with: $0.utf8) }
            } ?? false
        guard let end = bytes.firstIndex(of: ASCII.lineFeed, in: 0..<bytes.byteCount) else {
            return isNamed && bytes.byteCount < 2 ? nil : isNamed
        }
        // An object that is written over several lines is none of them.
        if isNamed { return (try? JSON.validate(bytes.extracting(0..<end))) != nil }
        // A complete object on the first line, and another one after it.
        var next = end + 1
        while next < bytes.byteCount, JSON.isBlank(bytes.byte(next)) { next += 1 }
        guard next < bytes.byteCount, bytes.byte(next) == UInt8(ascii: "{") else { return false }
        return (try? JSON.validate(bytes.extracting(0..<end))) != nil
    }

    /// The field names of server-sent events, and `error`, which llama.cpp's server sends.
    /// Source: WHATWG HTML, section 9.2.6; ggml-org/llama.cpp, tools/server.
    private static let fieldNames = ["data", "event", "id", "retry", "error"]

    /// After so many bytes of other fields none is waited for.
    private static let maxUndecidedBytes = 4096

    private static func isEventStream(_ contentType: String?) -> Bool {
        contentType?.utf8.lazy.map(ASCII.lowercased).starts(with: "text/event-stream".utf8) == true
    }

    /// Whether one of the fields follows lines of other fields, which the format ignores; nil if one may still follow.
    /// Source: WHATWG HTML, section 9.2.6, "Otherwise: The field is ignored."
    private static func hasFieldAfterOthers(_ bytes: RawSpan) -> Bool? {
        var start = 0
        while start < bytes.byteCount {
            if bytes.byte(start) == ASCII.colon { return true }
            guard let isField = beginsWithField(bytes.extracting(start..<bytes.byteCount)) else { return nil }
            if isField { return true }
            let end = bytes.firstIndex(of: ASCII.lineFeed, in: start..<bytes.byteCount) ?? bytes.byteCount
            let name = (start..<end).prefix { ASCII.isLetter(bytes.byte($0)) || "-_".utf8.contains(bytes.byte($0)) }
            let isOther = name.isEmpty ? JSON.isBlank(bytes.byte(start)) : name.endIndex < end && bytes.byte(name.endIndex) == ASCII.colon
            guard isOther else { return false }
            start = end + 1
        }
        return bytes.byteCount < maxUndecidedBytes ? nil : false
    }

    /// Whether the bytes begin with one of the field names and a colon; nil if they may become one.
    private static func beginsWithField(_ bytes: RawSpan) -> Bool? {
        var mayBecome = false
        for name in fieldNames {
            let line = Array(name.utf8) + [UInt8(ascii: ":")]
            let common = min(line.count, bytes.byteCount)
            guard (0..<common).allSatisfy({ bytes.byte($0) == line[$0] }) else { continue }
            if common == line.count { return true }
            mayBecome = true
        }
        return mayBecome ? nil : false
    }
}
