/// A new object made of a client's members and of others. What is kept is sent as it came, the spaces and commas between neighbours
/// included: where nothing changes, the result is one range, the whole body.
///
/// The body is exactly one object, already checked. A member that isn't kept is dropped.
public struct JSONSplice: Sendable {
    private var pieces: [BodySource] = []
    /// Behind the client's last member that was written, while its own bytes may still follow it.
    private var clientEnd: Int?

    public init() {
        pieces.reserveCapacity(4)
    }

    public mutating func keep(_ member: JSONMember, in body: RawSpan) {
        separate(before: member.range.lowerBound, in: body)
        client(member.range)
        clientEnd = member.range.upperBound
    }

    /// Keeps a member's key, with `json` as its value.
    public mutating func replace(_ member: JSONMember, with json: [UInt8], in body: RawSpan) {
        separate(before: member.range.lowerBound, in: body)
        client(member.key.lowerBound..<max(member.key.lowerBound, member.value.range.lowerBound))
        own(json)
        clientEnd = member.range.upperBound
    }

    /// Keeps a member whose value is an array, with one more element, `json`, behind the others. A member with another value is kept as it is.
    public mutating func extend(_ member: JSONMember, with json: [UInt8], in body: RawSpan) {
        guard member.value.kind == .array, !member.value.range.isEmpty else { return keep(member, in: body) }
        separate(before: member.range.lowerBound, in: body)
        let end = member.range.upperBound - 1
        client(member.range.lowerBound..<end)
        let isEmpty = Self.behind(ASCII.openBracket, at: member.value.range.lowerBound, in: body) == end
        own(isEmpty ? json : [ASCII.comma] + json)
        client(end..<member.range.upperBound)
        clientEnd = member.range.upperBound
    }

    /// A member of our own, with `json` as its value.
    public mutating func append(key: String, json: [UInt8]) {
        var writer = JSONWriter(capacity: key.utf8.count + json.count + 4)
        writer.key(escaping: key)
        writer.raw(json)
        own([pieces.isEmpty ? ASCII.openBrace : ASCII.comma])
        own(writer.bytes)
        clientEnd = nil
    }

    /// The new body. The splice is used up.
    public consuming func finish(in body: RawSpan) -> [BodySource] {
        if pieces.isEmpty {
            let inside = Self.behind(ASCII.openBrace, at: 0, in: body)
            if let inside, Self.behind(ASCII.closeBrace, at: inside, in: body) == body.byteCount { return [.client(0..<body.byteCount)] }
            return [.bytes([ASCII.openBrace, ASCII.closeBrace])]
        }
        if let clientEnd, Self.behind(ASCII.closeBrace, at: clientEnd, in: body) == body.byteCount {
            client(clientEnd..<body.byteCount)
        } else {
            own([ASCII.closeBrace])
        }
        return pieces
    }

    /// Writes what stands before a client's member: the client's own bytes where they are just that.
    private mutating func separate(before start: Int, in body: RawSpan) {
        if pieces.isEmpty {
            if Self.behind(ASCII.openBrace, at: 0, in: body) == start {
                client(0..<start)
            } else {
                own([ASCII.openBrace])
            }
        } else if let clientEnd, Self.behind(ASCII.comma, at: clientEnd, in: body) == start {
            client(clientEnd..<start)
        } else {
            own([ASCII.comma])
        }
    }

    /// Where the bytes go on after `mark` and the whitespace around it; nil where something else stands there.
    private static func behind(_ mark: UInt8, at start: Int, in body: RawSpan) -> Int? {
        var i = start
        JSONGrammar.skipWhitespace(body, &i)
        guard body.byte(i) == mark else { return nil }
        i &+= 1
        JSONGrammar.skipWhitespace(body, &i)
        return i
    }

    private mutating func client(_ range: Range<Int>) {
        let last = pieces.count - 1
        if last >= 0, case .client(let before) = pieces[last], before.upperBound == range.lowerBound {
            pieces[last] = .client(before.lowerBound..<range.upperBound)
        } else {
            pieces.append(.client(range))
        }
    }

    private mutating func own(_ bytes: [UInt8]) {
        if case .bytes(let last) = pieces.last {
            pieces[pieces.count - 1] = .bytes(last + bytes)
        } else {
            pieces.append(.bytes(bytes))
        }
    }
}
