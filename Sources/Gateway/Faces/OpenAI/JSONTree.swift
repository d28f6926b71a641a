import Codecs

/// A JSON value that can be changed. Strings and numbers keep their bytes, so that nothing is lost on the way.
indirect enum JSONTree {
    /// The bytes between the quotes, escapes included.
    case string([UInt8])
    /// A number, `true`, `false` or `null`.
    case scalar([UInt8])
    case array([JSONTree])
    case object([Member])

    struct Member {
        /// The bytes between the quotes, escapes included.
        var key: [UInt8]
        var value: JSONTree

        func hasKey(_ name: StaticString) -> Bool {
            key.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }
    }

    /// Reads a value. nil if the bytes are not exactly one JSON value.
    init?(_ bytes: RawSpan) {
        var cursor = JSONCursor()
        do throws(JSONError) {
            self = try JSONTree(&cursor, bytes)
            try cursor.end(bytes)
        } catch {
            return nil
        }
    }

    /// The recursion is as deep as the value, whose depth the cursor limits.
    private init(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        switch try cursor.peekKind(bytes) {
        case .object:
            var members: [Member] = []
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                members.append(Member(key: bytes.inner(key), value: try JSONTree(&cursor, bytes)))
            }
            self = .object(members)
        case .array:
            var elements: [JSONTree] = []
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) { elements.append(try JSONTree(&cursor, bytes)) }
            self = .array(elements)
        case .string:
            self = .string(bytes.inner(try cursor.skipValue(bytes).range))
        case .number, .true, .false, .null:
            let range = try cursor.skipValue(bytes).range
            self = .scalar(bytes.extracting(range).withUnsafeBytes { Array($0) })
        }
    }

    var isNull: Bool { scalar?.first == UInt8(ascii: "n") }

    var scalar: [UInt8]? { if case .scalar(let bytes) = self { bytes } else { nil } }

    func write(to writer: inout JSONWriter) {
        switch self {
        case .string(let inner): writer.raw([ASCII.quote] + inner + [ASCII.quote])
        case .scalar(let bytes): writer.raw(bytes)
        case .array(let elements): writer.array { for element in elements { element.write(to: &$0) } }
        case .object(let members): writer.object { for member in members { member.write(to: &$0) } }
        }
    }
}

extension JSONTree {
    /// Strings that name something. Servers that repeat them in each delta must not make them grow.
    private static let names = ["id", "type", "role", "name", "format", "index"].map { Array($0.utf8) }

    /// Adds a delta's members to what has been accumulated.
    static func accumulate(_ delta: [Member], into members: inout [Member]) {
        for part in delta {
            if let place = members.firstIndex(where: { $0.key == part.key }) {
                members[place].value.accumulate(part.value, isName: names.contains(part.key))
            } else {
                var value = part.value
                if case .array(let elements) = value {
                    value = .array([])
                    value.accumulate(.array(elements), isName: false)
                }
                members.append(Member(key: part.key, value: value))
            }
        }
    }

    private mutating func accumulate(_ delta: JSONTree, isName: Bool) {
        if delta.isNull { return }
        switch (self, delta) {
        case (.string(let text), .string(let more)):
            guard !isName || text.isEmpty else { return }
            self = .scalar([])  // a unique reference, so that the text grows in place
            var text = text
            text += more
            self = .string(text)
        case (.object(var members), .object(let more)):
            self = .scalar([])
            Self.accumulate(more, into: &members)
            self = .object(members)
        case (.array(var elements), .array(let more)):
            self = .scalar([])
            for element in more {
                if let index = element.index, let place = elements.firstIndex(where: { $0.index == index }) {
                    elements[place].accumulate(element, isName: false)
                } else {
                    elements.append(element)
                }
            }
            self = .array(elements)
        default:
            self = delta
        }
    }

    /// The member `index` of an element of a list.
    private var index: [UInt8]? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.hasKey("index") }?.value.scalar
    }
}

extension JSONTree.Member {
    func write(to writer: inout JSONWriter) {
        writer.key(escaped: key)
        value.write(to: &writer)
    }

    /// The same list, whose elements have no `index`, which only deltas have.
    var withoutIndices: JSONTree.Member {
        guard case .array(let elements) = value else { return self }
        let stripped = elements.map { element -> JSONTree in
            guard case .object(let members) = element else { return element }
            return .object(members.filter { !$0.hasKey("index") })
        }
        return JSONTree.Member(key: key, value: .array(stripped))
    }
}

extension [JSONTree.Member] {
    /// Sets a member, unless its value is null and there is one already.
    mutating func replace(_ member: JSONTree.Member) {
        guard let place = firstIndex(where: { $0.key == member.key }) else { return append(member) }
        if !member.value.isNull { self[place] = member }
    }
}

extension RawSpan {
    /// The bytes between a string's quotes.
    fileprivate func inner(_ literal: Range<Int>) -> [UInt8] {
        extracting((literal.lowerBound + 1)..<(literal.upperBound - 1)).withUnsafeBytes { Array($0) }
    }
}
