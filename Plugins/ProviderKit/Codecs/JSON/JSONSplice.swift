/// A builder for a new JSON object out of the members of the client's object and of other members.
///
/// Unchanged parts are sent as the client wrote them, with the whitespace and the commas between neighbours. If nothing
/// changes, the result is one range: the entire body. A member that is neither kept, replaced nor extended is dropped.
///
/// The body must be exactly one object that is already checked, and the same bytes must be passed to each call. Handle
/// members in the order of the body, and append new ones after them:
///
/// ```swift
/// var splice = JSONSplice()
/// for member in try JSON.members(of: body) {
///     if JSON.isKey(member.key, "model", in: body) {
///         splice.replace(member, with: Array(#""gpt-5""#.utf8), in: body)
///     } else {
///         splice.keep(member, in: body)
///     }
/// }
/// splice.append(key: "stream_options", json: Array(#"{"include_usage":true}"#.utf8))
/// let sources = splice.finish(in: body)
/// ```
public struct JSONSplice: Sendable {
    private var sources: [BodySource] = []
    /// The client's bytes that follow `sources`; empty if none do. Apart from these, because most members extend them.
    private var run = 0..<0
    /// The end of the client's member that was written last, as long as its own bytes may follow it; otherwise nil.
    private var clientEnd: Int?

    /// Creates a splice without members.
    public init() {
        sources.reserveCapacity(4)
    }

    /// Keeps a member as it is.
    public mutating func keep(_ member: JSONMember, in body: RawSpan) {
        separate(before: member.range.lowerBound, in: body)
        appendClient(member.range)
        clientEnd = member.range.upperBound
    }

    /// Keeps a member's key, and replaces its value by `json`, which must be one JSON value.
    public mutating func replace(_ member: JSONMember, with json: [UInt8], in body: RawSpan) {
        separate(before: member.range.lowerBound, in: body)
        appendClient(member.key.lowerBound..<max(member.key.lowerBound, member.value.range.lowerBound))
        appendBytes(json)
        clientEnd = member.range.upperBound
    }

    /// Keeps a member whose value is an array, and adds one more element, `json`, at the end of the array. A member
    /// whose value is not an array is kept as it is.
    public mutating func extend(_ member: JSONMember, with json: [UInt8], in body: RawSpan) {
        guard member.value.kind == .array, !member.value.range.isEmpty else { return keep(member, in: body) }
        separate(before: member.range.lowerBound, in: body)
        let end = member.range.upperBound - 1
        appendClient(member.range.lowerBound..<end)
        let isEmpty = Self.offset(after: ASCII.openBracket, at: member.value.range.lowerBound, in: body) == end
        appendBytes(isEmpty ? json : [ASCII.comma] + json)
        appendClient(end..<member.range.upperBound)
        clientEnd = member.range.upperBound
    }

    /// Adds a new member. Its key is any text, and `json` must be one JSON value.
    public mutating func append(key: String, json: [UInt8]) {
        var writer = JSONWriter(capacity: key.utf8.count + json.count + 4)
        writer.key(escaping: key)
        writer.raw(json)
        appendBytes([isEmpty ? ASCII.openBrace : ASCII.comma])
        appendBytes(writer.bytes)
        clientEnd = nil
    }

    /// The new object, as a list of sources whose client ranges refer to `body`. The splice can't be used afterwards.
    public mutating func finish(in body: RawSpan) -> [BodySource] {
        if isEmpty {
            let inside = Self.offset(after: ASCII.openBrace, at: 0, in: body)
            if let inside, Self.offset(after: ASCII.closeBrace, at: inside, in: body) == body.byteCount {
                return [.client(0..<body.byteCount)]
            }
            return [.bytes([ASCII.openBrace, ASCII.closeBrace])]
        }
        if let clientEnd, Self.offset(after: ASCII.closeBrace, at: clientEnd, in: body) == body.byteCount {
            appendClient(clientEnd..<body.byteCount)
        } else {
            appendBytes([ASCII.closeBrace])
        }
        endRun()
        return sources
    }

    private var isEmpty: Bool { sources.isEmpty && run.isEmpty }

    /// Writes the bytes that come before a client's member: the client's own bytes, if nothing else is between.
    private mutating func separate(before start: Int, in body: RawSpan) {
        if isEmpty {
            if Self.offset(after: ASCII.openBrace, at: 0, in: body) == start {
                appendClient(0..<start)
            } else {
                appendBytes([ASCII.openBrace])
            }
        } else if let clientEnd, Self.offset(after: ASCII.comma, at: clientEnd, in: body) == start {
            appendClient(clientEnd..<start)
        } else {
            appendBytes([ASCII.comma])
        }
    }

    /// The offset after `mark` and the whitespace around it; nil if the next byte is another one.
    private static func offset(after mark: UInt8, at start: Int, in body: RawSpan) -> Int? {
        var i = start
        JSONGrammar.skipWhitespace(body, &i)
        guard body.byte(i) == mark else { return nil }
        i &+= 1
        JSONGrammar.skipWhitespace(body, &i)
        return i
    }

    private mutating func appendClient(_ range: Range<Int>) {
        if range.lowerBound == run.upperBound {
            run = run.lowerBound..<range.upperBound
        } else {
            endRun()
            run = range
        }
    }

    private mutating func endRun() {
        if !run.isEmpty { sources.append(.client(run)) }
        run = 0..<0
    }

    private mutating func appendBytes(_ bytes: [UInt8]) {
        endRun()
        if case .bytes(let last) = sources.last {
            sources[sources.count - 1] = .bytes(last + bytes)
        } else {
            sources.append(.bytes(bytes))
        }
    }
}
