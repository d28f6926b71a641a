import Codecs

/// Folds the chunks of a stream into one `chat.completion` object, for a client that wants the response as one from an
/// upstream that streams whatever is asked.
///
/// Members that the router doesn't know are kept. The rules for deltas are those of OpenAI's SDK: texts are joined, and
/// elements of lists are matched by their `index`, but tool calls as ``OpenAIToolCalls`` does. Source: openai-python,
/// `lib/streaming/_deltas.py`.
public struct ChunkFold: Sendable {
    /// The chunks' members beside `choices` and `usage`; the first value that isn't null counts.
    private var members: [JSONTree.Member] = []
    private var usage: JSONTree?
    private var choices: [Choice] = []
    /// The bytes of all chunks.
    public private(set) var foldedBytes = 0

    /// Creates an empty fold.
    public init() {}

    private struct Choice: Sendable {
        var index: [UInt8]
        /// The choice's members beside `index` and the message.
        var members: [JSONTree.Member] = []
        var message: [JSONTree.Member] = []
        var toolCalls = OpenAIToolCalls()

        /// Adds a delta to the message.
        mutating func add(_ delta: [JSONTree.Member]) {
            var delta = delta
            for place in delta.indices where delta[place].hasKey("tool_calls") {
                guard case .array(let calls) = delta[place].value else { continue }
                delta[place].value = .array(calls.map { $0.numbered(toolCalls.place(of: $0)) })
            }
            JSONTree.accumulate(delta, into: &message)
        }
    }

    /// Members that describe the stream or a chunk of it, and an error, which says nothing in a chunk that is passed
    /// on.
    private static let dropped = ["object", "obfuscation", "_router", "error"].map { Array($0.utf8) }

    /// Adds a chunk.
    ///
    /// - Parameter chunk: one valid JSON object.
    public mutating func add(_ chunk: RawSpan) {
        guard case .object(let parts)? = JSONTree(chunk) else { return }
        foldedBytes &+= chunk.byteCount
        for part in parts where !Self.dropped.contains(part.key) {
            if part.hasKey("choices") {
                if case .array(let choices) = part.value { for choice in choices { add(choice: choice) } }
            } else if part.hasKey("usage") {
                if !part.value.isNull { usage = part.value }
            } else if !members.contains(where: { $0.key == part.key }), !part.value.isNull {
                members.append(part)
            }
        }
    }

    private mutating func add(choice: JSONTree) {
        guard case .object(let parts) = choice else { return }
        let index = parts.first { $0.hasKey("index") }?.value.scalar ?? Array("0".utf8)
        let place = choices.firstIndex { $0.index == index } ?? choices.count
        if place == choices.count { choices.append(Choice(index: index)) }
        for part in parts where !part.hasKey("index") {
            if part.hasKey("delta") || part.hasKey("message") {
                if case .object(let delta) = part.value { choices[place].add(delta) }
            } else if part.hasKey("logprobs") {
                JSONTree.accumulate([part], into: &choices[place].members)
            } else {
                choices[place].members.replace(part)
            }
        }
    }

    /// The `chat.completion` object.
    public var completion: [UInt8] {
        var writer = JSONWriter(capacity: foldedBytes / 4)
        writer.object { writer in
            writer.member("object", "chat.completion")
            for member in members { member.write(to: &writer) }
            writer.key("choices")
            writer.array { writer in
                for choice in choices.sorted(by: { Self.number($0.index) < Self.number($1.index) }) {
                    Self.write(choice, to: &writer)
                }
            }
            if let usage {
                writer.key("usage")
                usage.write(to: &writer)
            }
        }
        return writer.bytes
    }

    private static func number(_ index: [UInt8]) -> Int { Int(String(decoding: index, as: UTF8.self)) ?? .max }

    private static func write(_ choice: Choice, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("index")
            writer.raw(choice.index)
            writer.key("message")
            writer.object { writer in
                if !choice.message.contains(where: { $0.hasKey("role") }) { writer.member("role", "assistant") }
                if !choice.message.contains(where: { $0.hasKey("content") }) {
                    writer.key("content")
                    writer.null()
                }
                for member in choice.message { (member.hasKey("tool_calls") ? member.withoutIndices : member).write(to: &writer) }
            }
            for member in choice.members { member.write(to: &writer) }
            if !choice.members.contains(where: { $0.hasKey("finish_reason") }) { writer.member("finish_reason", "stop") }
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

    /// The object with this `index`; any other value as it is.
    fileprivate func numbered(_ index: Int) -> JSONTree {
        guard case .object(let members) = self else { return self }
        let number = Member(key: Array("index".utf8), value: .scalar(Array("\(index)".utf8)))
        return .object([number] + members.filter { !$0.hasKey("index") })
    }

    /// The member `index` of an element of a list.
    private var index: [UInt8]? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.hasKey("index") }?.value.scalar
    }
}

extension JSONTree.Member {
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
