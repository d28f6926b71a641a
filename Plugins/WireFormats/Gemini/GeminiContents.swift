import Codecs
import ProviderKit

/// The conversation of a request, as it is read.
///
/// Calls and results of functions need no ids here, so those without one are numbered: a result belongs to the oldest
/// call of its name that has no result.
struct GeminiContents {
    private var messages: [ChatMessage] = []
    /// The calls that have no result, in order.
    private var open: [ChatToolCall] = []
    private var calls = 0

    /// Reads the value of `contents`: a list, or one content.
    static func read(_ value: RequestValue) throws(ProviderError) -> [ChatMessage] {
        var contents = GeminiContents()
        for content in try value.repeated() { try contents.add(content) }
        return contents.messages
    }

    /// The texts of a content, for the system instruction and for embeddings.
    static func texts(_ content: RequestValue) throws(ProviderError) -> [ChatPart] {
        if let text = content.tree.string { return text.isEmpty ? [] : [ChatPart(.text(text))] }
        var parts: [ChatPart] = []
        for part in try content["parts"]?.repeated() ?? [] {
            guard let text = try part["text"]?.text() else { throw .cannotExpress("a part that is no text in '\(content.place)'") }
            if !text.isEmpty { parts.append(ChatPart(.text(text))) }
        }
        return parts
    }

    private mutating func add(_ content: RequestValue) throws(ProviderError) {
        let role = try content["role"]?.text() ?? "user", parts = try content["parts"]?.repeated() ?? []
        switch role {
        case "model": messages.append(ChatMessage(.assistant, try modelParts(parts)))
        case "user", "function", "tool", "":
            var results: [ChatPart] = [], others: [ChatPart] = []
            for part in parts {
                if let response = part[proto: "functionResponse"] {
                    results.append(ChatPart(.toolResult(try result(response))))
                } else if let content = try Self.content(part) {
                    others.append(ChatPart(content))
                }
            }
            if !results.isEmpty { messages.append(ChatMessage(.tool, results)) }
            if !others.isEmpty || results.isEmpty { messages.append(ChatMessage(.user, others)) }
        default: throw RequestValue(content.tree, "\(content.place).role").invalid("'user' or 'model'")
        }
    }

    /// The model's parts. Thoughts and the signature behind them are one part.
    private mutating func modelParts(_ parts: [RequestValue]) throws(ProviderError) -> [ChatPart] {
        var read: [ChatPart] = [], thoughts = ""
        func flush(_ token: OpaqueToken?) {
            if !thoughts.isEmpty || token != nil { read.append(ChatPart(.reasoning(ChatReasoningText(text: thoughts, token: token)))) }
            thoughts = ""
        }
        for part in parts {
            let isThought = try part["thought"]?.bool() == true
            let token = try part[proto: "thoughtSignature"].flatMap { text throws(ProviderError) in
                GeminiSignature.token(try text.text(), isThought ? .encrypted : .signature)
            }
            if isThought {
                thoughts += try part["text"]?.text() ?? ""
                if token != nil { flush(token) }
                continue
            }
            if token != nil { flush(token) }
            if let call = part[proto: "functionCall"] {
                flush(nil)
                read.append(ChatPart(.toolCall(try self.call(call))))
            } else if let content = try Self.content(part) {
                flush(nil)
                read.append(ChatPart(content))
            }
        }
        flush(nil)
        return read
    }

    // MARK: Functions

    private mutating func call(_ value: RequestValue) throws(ProviderError) -> ChatToolCall {
        let id = try value["id"]?.text() ?? ""
        let call = ChatToolCall(
            id: id.isEmpty ? "call_\(calls)" : id, name: try value.required("name").text(),
            arguments: String(decoding: value["args"]?.encoded ?? Array("{}".utf8), as: UTF8.self))
        calls += 1
        open.append(call)
        return call
    }

    private mutating func result(_ value: RequestValue) throws(ProviderError) -> ChatToolResult {
        let name = try value["name"]?.text(), id = try value["id"]?.text() ?? ""
        let place = open.firstIndex { id.isEmpty ? $0.name == name : $0.id == id }
        guard let callID = place.map({ open.remove(at: $0).id }) ?? (id.isEmpty ? nil : id) else {
            throw value.invalid("the response to a function call before it")
        }
        var result = ChatToolResult(callID: callID, parts: [])
        if let response = value["response"] {
            let (text, isError) = Self.text(of: response.tree)
            result.isError = isError
            if !text.isEmpty { result.parts.append(ChatPart(.text(text))) }
        }
        for part in try value["parts"]?.repeated() ?? [] {
            if let content = try Self.content(part) { result.parts.append(ChatPart(content)) }
        }
        return result
    }

    /// The result in a function's response: its `output` or its `error`, or else all of it.
    /// Source: the SDK's `FunctionResponse`.
    private static func text(of response: JSONTree) -> (String, isError: Bool) {
        if response.members?.count == 1 {
            if let output = response["output"]?.string { return (output, false) }
            if let error = response["error"]?.string { return (error, true) }
        }
        return (String(decoding: response.encoded, as: UTF8.self), false)
    }

    // MARK: Parts

    /// The content of a part that is a text or a medium; nil for one that says nothing.
    private static func content(_ part: RequestValue) throws(ProviderError) -> ChatPart.Content? {
        if let text = part["text"] {
            let text = try text.text()
            return text.isEmpty ? nil : .text(text)
        }
        if let data = part[proto: "inlineData"] {
            // The SDKs write bytes in the alphabet for URLs, which other providers don't read.
            // Sources: google-genai 3.6.1 for Python, `_common.py`, `encode_unserializable_types`; ProtoJSON, "bytes".
            let type = try data[proto: "mimeType"]?.text()
            return .media(
                ChatMedia(
                    kind(type), .base64(Base64.standard(try data.required("data").text()), mediaType: type),
                    filename: try data[proto: "displayName"]?.text()))
        }
        if let file = part[proto: "fileData"] {
            let type = try file[proto: "mimeType"]?.text(), uri = try file[proto: "fileUri"]?.text() ?? ""
            // Others can't read what is kept at Google.
            guard uri.hasPrefix("https://") || uri.hasPrefix("http://"), !uri.contains(".googleapis.com/") else {
                throw .cannotExpress("a file that Google keeps")
            }
            return .media(ChatMedia(kind(type), .url(uri), filename: try file[proto: "displayName"]?.text()))
        }
        // Members that only describe the part.
        let about: Set = [
            "thoughtSignature", "thought_signature", "thought", "partMetadata", "part_metadata", "mediaResolution", "media_resolution",
            "videoMetadata", "video_metadata",
        ]
        guard let other = part.tree.members?.first(where: { !about.contains($0.name) && !$0.value.isNull }) else { return nil }
        throw .cannotExpress("a part with '\(other.name.prefix(64))'")
    }

    private static func kind(_ mediaType: String?) -> ChatMedia.Kind {
        let kinds: [ChatMedia.Kind] = [.image, .audio, .video]
        return kinds.first { mediaType?.lowercased().hasPrefix("\($0.rawValue)/") == true } ?? .file
    }
}
