import Codecs
import ProviderKit

/// The messages of a request, in both directions.
enum AnthropicMessage {
    /// Reads a message. The results of tools, which stand in a user's message here, become a message of their own.
    static func read(_ value: RequestValue) throws(ProviderError) -> [ChatMessage] {
        let role = try value.required("role"), content = try value.required("content")
        switch try role.text() {
        case "system": return [ChatMessage(.system, try texts(content))]
        case "assistant": return [ChatMessage(.assistant, try parts(content, of: .assistant))]
        case "user":
            let parts = try parts(content, of: .user)
            let results = parts.filter(\.isToolResult), others = parts.filter { !$0.isToolResult }
            return (results.isEmpty ? [] : [ChatMessage(.tool, results)])
                + (others.isEmpty && !results.isEmpty ? [] : [ChatMessage(.user, others)])
        default: throw role.invalid("'user', 'assistant' or 'system'")
        }
    }

    /// A text, or a list of blocks of text.
    static func texts(_ content: RequestValue) throws(ProviderError) -> [ChatPart] {
        try parts(content, of: .system)
    }

    private static func parts(_ content: RequestValue, of role: ChatMessage.Role) throws(ProviderError) -> [ChatPart] {
        if let text = content.tree.string { return text.isEmpty ? [] : [ChatPart(.text(text))] }
        var parts: [ChatPart] = []
        for block in try content.elements() {
            guard let part = try part(block, of: role) else { continue }
            parts.append(ChatPart(part, cacheControl: block["cache_control"]?.encoded))
        }
        return parts
    }

    /// The content of a block; nil for one that says nothing to other models.
    private static func part(_ block: RequestValue, of role: ChatMessage.Role) throws(ProviderError) -> ChatPart.Content? {
        let type = try block.required("type").text()
        switch (type, role) {
        case ("text", _): return .text(try block.required("text").text())
        case ("image", .user): return .media(ChatMedia(.image, try source(block.required("source"))))
        case ("document", .user): return try document(block)
        case ("tool_result", .user):
            let content = try block["content"].map { content throws(ProviderError) in try parts(content, of: .user) }
            return .toolResult(
                ChatToolResult(
                    callID: try block.required("tool_use_id").text(), parts: content ?? [], isError: try block["is_error"]?.bool() ?? false)
            )
        case ("tool_use", .assistant):
            return .toolCall(
                ChatToolCall(
                    id: try block.required("id").text(), name: try block.required("name").text(),
                    arguments: String(decoding: try block.required("input").encoded, as: UTF8.self)))
        case ("thinking", .assistant):
            let token = try block["signature"].flatMap { signature throws(ProviderError) in
                OpaqueToken(tagged: try signature.text(), .signature, in: AnthropicMessages.format)
            }
            return .reasoning(ChatReasoningText(text: try block.required("thinking").text(), token: token))
        case ("redacted_thinking", .assistant):
            let data = try block.required("data").text()
            return OpaqueToken(tagged: data, .encrypted, in: AnthropicMessages.format).map {
                .reasoning(ChatReasoningText(text: "", token: $0))
            }
        // It marks where another model has taken over, and is no content. Source: the SDK's `BetaFallbackBlockParam`.
        case ("fallback", .assistant): return nil
        default: throw .cannotExpress("a block of the type '\(type.prefix(64))'")
        }
    }

    /// A document with a text is that text, because other formats only have binary ones.
    private static func document(_ block: RequestValue) throws(ProviderError) -> ChatPart.Content {
        let source = try block.required("source"), title = try block["title"]?.text()
        switch try source.required("type").text() {
        case "text":
            let text = try source.required("data").text()
            return .text(title.map { "\($0)\n\n\(text)" } ?? text)
        case "content":
            let text = try texts(source.required("content")).compactMap(\.text).joined(separator: "\n")
            return .text(title.map { "\($0)\n\n\(text)" } ?? text)
        default: return .media(ChatMedia(.file, try self.source(source), filename: title))
        }
    }

    private static func source(_ source: RequestValue) throws(ProviderError) -> ChatMedia.Source {
        let type = try source.required("type")
        switch try type.text() {
        case "base64": return .base64(try source.required("data").text(), mediaType: try source["media_type"]?.text())
        case "url": return .url(try source.required("url").text())
        case "file": return .id(try source.required("file_id").text())
        default: throw type.invalid("'base64', 'url' or 'file'")
        }
    }
}

extension ChatPart {
    /// The text, if the part is one.
    var text: String? { if case .text(let text) = content { text } else { nil } }

    var isToolResult: Bool { if case .toolResult = content { true } else { false } }
}
