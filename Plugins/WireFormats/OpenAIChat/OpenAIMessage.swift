import Codecs
import ProviderKit

/// A message of a request, in both directions.
enum OpenAIMessage {
    // MARK: Reading

    static func read(_ value: RequestValue) throws(ProviderError) -> ChatMessage {
        let role = try value.required("role").text()
        switch role {
        case "system", "developer": return ChatMessage(.system, name: try value["name"]?.text(), try parts(value["content"]))
        case "user": return ChatMessage(.user, name: try value["name"]?.text(), try parts(value["content"]))
        case "assistant": return ChatMessage(.assistant, name: try value["name"]?.text(), try assistantParts(value))
        case "tool", "function":
            let id = try role == "tool" ? value.required("tool_call_id").text() : value.required("name").text()
            return ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: id, parts: try parts(value["content"]))))])
        default: throw try value.required("role").invalid("'system', 'developer', 'user', 'assistant' or 'tool'")
        }
    }

    private static func assistantParts(_ value: RequestValue) throws(ProviderError) -> [ChatPart] {
        if value["audio"] != nil { throw .cannotExpress("an assistant's audio") }
        var parts: [ChatPart] = []
        let details = try value["reasoning_details"]?.elements().compactMap { OpenAIReasoningDetail.read($0.tree) } ?? []
        if !details.isEmpty {
            parts += details.map { ChatPart(.reasoning($0)) }
        } else if let text = ["reasoning_content", "reasoning"].lazy.compactMap({ value[$0]?.tree.string }).first(where: { !$0.isEmpty }) {
            // DeepSeek's and vLLM's name, and OpenRouter's.
            parts.append(ChatPart(.reasoning(ChatReasoningText(text: text))))
        }
        parts += try self.parts(value["content"], acceptsRefusals: true)
        if let refusal = value["refusal"] { parts.append(ChatPart(.refusal(try refusal.text()))) }
        for call in try value["tool_calls"]?.elements() ?? [] {
            let id = try call.required("id").text()
            if let custom = call["custom"], call["function"] == nil {
                let name = try custom.required("name").text(), input = try custom.required("input").text()
                parts.append(ChatPart(.toolCall(ChatToolCall(id: id, name: name, arguments: ChatTool.arguments(ofInput: input)))))
            } else {
                parts.append(ChatPart(.toolCall(try toolCall(try call.required("function"), id: id))))
            }
        }
        if let function = value["function_call"] {
            parts.append(ChatPart(.toolCall(try toolCall(function, id: try function.required("name").text()))))
        }
        return parts
    }

    private static func toolCall(_ function: RequestValue, id: String) throws(ProviderError) -> ChatToolCall {
        ChatToolCall(id: id, name: try function.required("name").text(), arguments: try function["arguments"]?.text() ?? "")
    }

    /// The parts of a content: a text, or a list of parts. An empty text says nothing.
    ///
    /// - Parameter acceptsRefusals: whether the content is the model's, which alone refuses.
    private static func parts(_ content: RequestValue?, acceptsRefusals: Bool = false) throws(ProviderError) -> [ChatPart] {
        guard let content else { return [] }
        if let text = content.tree.string { return text.isEmpty ? [] : [ChatPart(.text(text))] }
        var parts: [ChatPart] = []
        for element in try content.elements() {
            let part = try part(element)
            if part == .text("") { continue }
            if case .refusal = part, !acceptsRefusals { throw element.invalid("a part of another type than 'refusal'") }
            parts.append(ChatPart(part, cacheControl: element["cache_control"]?.encoded))
        }
        return parts
    }

    private static func part(_ value: RequestValue) throws(ProviderError) -> ChatPart.Content {
        let type = try value["type"]?.text() ?? "text"
        switch type {
        case "text": return .text(try value.required("text").text())
        case "refusal": return .refusal(try value.required("refusal").text())
        case "image_url":
            let image = try value.required("image_url")
            // Some clients send the URL itself instead of an object.
            if let url = image.tree.string { return .media(ChatMedia(.image, ChatMedia.Source(url: url))) }
            return .media(ChatMedia(.image, ChatMedia.Source(url: try image.required("url").text()), detail: try image["detail"]?.text()))
        case "video_url": return .media(ChatMedia(.video, ChatMedia.Source(url: try value.required("video_url").required("url").text())))
        case "input_audio":
            let audio = try value.required("input_audio")
            let mediaType = try audio["format"].map { format throws(ProviderError) in "audio/\(try format.text())" }
            return .media(ChatMedia(.audio, .base64(try audio.required("data").text(), mediaType: mediaType)))
        case "file":
            let file = try value.required("file"), name = try file["filename"]?.text()
            if let id = file["file_id"] { return .media(ChatMedia(.file, .id(try id.text()), filename: name)) }
            return .media(ChatMedia(.file, ChatMedia.Source(url: try file.required("file_data").text()), filename: name))
        default: throw .cannotExpress("a part of the type '\(type.prefix(64))'")
        }
    }

    // MARK: Writing

    /// The parts that stand in `content`, encoded.
    static func contents(of parts: [ChatPart], _ dialect: OpenAIDialect) throws(ProviderError) -> [Content] {
        var contents: [Content] = []
        for part in parts {
            let cacheControl = dialect.hasCacheControl ? part.cacheControl : nil
            switch part.content {
            case .text(let text): contents.append(Content(text: cacheControl == nil ? text : nil, json: encoded(text, cacheControl)))
            case .media(let media): contents.append(Content(text: nil, json: try encoded(media, cacheControl, dialect)))
            case .toolCall, .reasoning, .refusal: continue
            case .toolResult: throw .cannotExpress("a tool's result inside a message")
            }
        }
        return contents
    }

    struct Content {
        /// The text, if the part is nothing else.
        var text: String?
        var json: [UInt8]
    }

    private static func encoded(_ text: String, _ cacheControl: [UInt8]?) -> [UInt8] {
        var writer = JSONWriter(capacity: text.utf8.count + 32)
        writer.object {
            $0.member("type", "text")
            $0.member("text", text)
            $0.cacheControl(cacheControl)
        }
        return writer.bytes
    }

    private static func encoded(
        _ media: ChatMedia, _ cacheControl: [UInt8]?, _ dialect: OpenAIDialect
    ) throws(ProviderError) -> [UInt8] {
        var writer = JSONWriter()
        let url = media.source.url
        switch (media.kind, media.source) {
        case (.image, .id), (.video, .id), (.audio, .id), (.audio, .url): throw .cannotExpress("\(media.kind.withArticle) by reference")
        case (.file, .id(let id)) where id.hasPrefix(AnthropicMessage.fileMark):
            throw .cannotExpress("a file with the id of another provider")
        case (.file, .url) where !dialect.hasFileURLs: throw .cannotExpress("a file by URL; send its bytes")
        case (.image, _), (.video, _):
            writer.object { writer in
                let name: StaticString = media.kind == .image ? "image_url" : "video_url"
                writer.member("type", "\(name)")
                writer.key(name)
                writer.object {
                    $0.member("url", url ?? "")
                    if let detail = media.detail { $0.member("detail", detail) }
                }
                writer.cacheControl(cacheControl)
            }
        case (.audio, .base64(let data, _)):
            writer.object { writer in
                writer.member("type", "input_audio")
                writer.key("input_audio")
                writer.object {
                    $0.member("data", data)
                    if let format = media.audioFormat { $0.member("format", format) }
                }
                writer.cacheControl(cacheControl)
            }
        case (.file, let source):
            writer.object { writer in
                writer.member("type", "file")
                writer.key("file")
                writer.object {
                    if case .id(let id) = source { $0.member("file_id", id) } else { $0.member("file_data", url ?? "") }
                    if let filename = media.filename { $0.member("filename", filename) }
                }
                writer.cacheControl(cacheControl)
            }
        }
        return writer.bytes
    }
}

extension JSONWriter {
    /// A content: one text, or a list of parts.
    mutating func content(_ contents: [OpenAIMessage.Content]) {
        if contents.isEmpty { return string("") }
        if contents.count == 1, let text = contents[0].text { return string(text) }
        array { for content in contents { $0.raw(content.json) } }
    }

    /// An element of `tool_calls`.
    ///
    /// - Parameter signature: Google's signature of it; nil if it has none.
    mutating func toolCall(_ call: ChatToolCall, signature: String? = nil) {
        object {
            $0.member("id", call.id)
            $0.member("type", "function")
            $0.key("function")
            $0.object {
                $0.member("name", call.name)
                $0.member("arguments", call.arguments)
            }
            if let signature { $0.thoughtSignature(signature) }
        }
    }
}
