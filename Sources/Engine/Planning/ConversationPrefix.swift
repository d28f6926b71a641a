import Codecs
import ProviderKit

/// The beginning of a conversation, which stays the same with each further turn: its system prompt, its tools and its
/// messages up to the first of the user. The names are those of all formats, so that no format needs its own.
///
/// `cache_control` doesn't count: clients move it from message to message. Source: Anthropic's guide "Prompt caching".
enum ConversationPrefix {
    private static let constant: [StaticString] = [
        "system", "instructions", "systemInstruction", "system_instruction", "tools", "functions",
    ]
    private static let messages: [StaticString] = ["messages", "input", "contents", "prompt"]

    /// Adds the beginning to a hash. Returns false if the request has no messages.
    ///
    /// - Parameter members: the members of the request's body.
    static func add(_ members: [JSONMember], of bytes: RawSpan, to hasher: inout ConversationHash) -> Bool {
        var hasMessages = false
        do throws(JSONError) {
            for member in members {
                if let name = constant.first(where: { JSON.isKey(member.key, $0, in: bytes) }) {
                    hasher.combine("\(name)")
                    var cursor = JSONCursor(at: member.value.range.lowerBound)
                    try add(&cursor, bytes, to: &hasher)
                } else if messages.contains(where: { JSON.isKey(member.key, $0, in: bytes) }) {
                    hasMessages = try addMessages(member.value, bytes, to: &hasher) || hasMessages
                }
            }
        } catch {
            // Unreachable: the body has been checked.
            return false
        }
        return hasMessages
    }

    private static func addMessages(_ value: JSONValue, _ bytes: RawSpan, to hasher: inout ConversationHash) throws(JSONError) -> Bool {
        var cursor = JSONCursor(at: value.range.lowerBound)
        guard value.kind == .array else {
            try add(&cursor, bytes, to: &hasher)
            return value.kind == .string
        }
        var hasAny = false
        try cursor.enterArray(bytes)
        while try cursor.nextElement(bytes) {
            let isUser = try isUser(cursor, bytes)
            try add(&cursor, bytes, to: &hasher)
            hasAny = true
            if isUser { break }
        }
        return hasAny
    }

    /// Whether the message is the user's. One without a role is, in Gemini's format.
    private static func isUser(_ position: JSONCursor, _ bytes: RawSpan) throws(JSONError) -> Bool {
        var cursor = position, role: JSONValue?
        guard try cursor.peekKind(bytes) == .object else { return true }
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "role", in: bytes) { role = value }
        }
        return role.map { JSON.isString($0, "user", in: bytes) } ?? true
    }

    /// Adds the next value without its `cache_control` members. The recursion is as deep as the value, whose depth the
    /// cursor limits.
    private static func add(_ cursor: inout JSONCursor, _ bytes: RawSpan, to hasher: inout ConversationHash) throws(JSONError) {
        switch try cursor.peekKind(bytes) {
        case .object:
            hasher.combine("{")
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "cache_control", in: bytes) {
                    try cursor.skipValue(bytes)
                } else {
                    hasher.combine(bytes: bytes, key)
                    try add(&cursor, bytes, to: &hasher)
                }
            }
            hasher.combine("}")
        case .array:
            hasher.combine("[")
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) { try add(&cursor, bytes, to: &hasher) }
            hasher.combine("]")
        case .string, .number, .true, .false, .null:
            hasher.combine(bytes: bytes, try cursor.skipValue(bytes).range)
        }
    }
}
