import Codecs
public import ProviderKit

extension DemoProvider {
    /// An empty request. It is never sent, because the provider has no origin.
    public func request(for call: Call, body: RawSpan) throws(ProviderError) -> UpstreamRequest {
        UpstreamRequest(target: "/", fields: [], body: [])
    }
}

/// The parts of a chat request that the demo uses.
struct DemoPrompt {
    /// The text of the last message with the role `user`.
    private(set) var question = ""
    /// The texts of all messages, one a line.
    private(set) var text = ""
    /// Whether `response_format` requires JSON.
    private(set) var wantsJSON = false
    /// The function that `tool_choice` names; nil if it names none.
    private(set) var forcedFunction: String?

    init(_ call: Call, _ body: RawSpan) {
        for member in call.members {
            do throws(JSONError) {
                if JSON.isKey(member.key, "messages", in: body), member.value.kind == .array {
                    try readMessages(member.value, body)
                } else if JSON.isKey(member.key, "response_format", in: body), member.value.kind == .object {
                    let type = try Self.string("type", of: member.value, body)
                    wantsJSON = type == "json_object" || type == "json_schema"
                } else if JSON.isKey(member.key, "tool_choice", in: body), member.value.kind == .object {
                    forcedFunction = try Self.functionName(member.value, body)
                }
            } catch {
                continue  // not possible, because the client's body was checked
            }
        }
    }

    private mutating func readMessages(_ messages: JSONValue, _ body: RawSpan) throws(JSONError) {
        var cursor = JSONCursor(at: messages.range.lowerBound)
        try cursor.enterArray(body)
        while try cursor.nextElement(body) {
            guard try cursor.peekKind(body) == .object else {
                _ = try cursor.skipValue(body)
                continue
            }
            let (content, isUser) = try Self.message(&cursor, body)
            if isUser { question = content }
            text += text.isEmpty ? content : "\n" + content
        }
    }

    /// Reads the text of a message, which is a string or the `text` parts of a list, and whether its role is `user`.
    private static func message(_ cursor: inout JSONCursor, _ body: RawSpan) throws(JSONError) -> (content: String, isUser: Bool) {
        var content = ""
        var isUser = false
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            if JSON.isKey(key, "content", in: body), try cursor.peekKind(body) == .array {
                try cursor.enterArray(body)
                while try cursor.nextElement(body) { content += try string("text", of: try cursor.skipValue(body), body) ?? "" }
                continue
            }
            let value = try cursor.skipValue(body)
            if JSON.isKey(key, "role", in: body) { isUser = JSON.isString(value, "user", in: body) }
            if JSON.isKey(key, "content", in: body), value.kind == .string { content = JSON.string(value.range, in: body) }
        }
        return (content, isUser)
    }

    /// The name in `{"type": "function", "function": {"name": …}}`; nil if there is none.
    private static func functionName(_ choice: JSONValue, _ body: RawSpan) throws(JSONError) -> String? {
        guard let function = try member("function", of: choice, body) else { return nil }
        return try string("name", of: function, body)
    }

    private static func string(_ name: StaticString, of object: JSONValue, _ body: RawSpan) throws(JSONError) -> String? {
        try member(name, of: object, body).flatMap { $0.kind == .string ? JSON.string($0.range, in: body) : nil }
    }

    private static func member(_ name: StaticString, of object: JSONValue, _ body: RawSpan) throws(JSONError) -> JSONValue? {
        guard object.kind == .object else { return nil }
        var cursor = JSONCursor(at: object.range.lowerBound)
        var found: JSONValue?
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            let value = try cursor.skipValue(body)
            if JSON.isKey(key, name, in: body) { found = value }
        }
        return found
    }
}
