import Codecs
import ProviderKit

/// The messages of a request, in both directions.
enum OllamaMessages {
    // MARK: Reading

    /// Reads a conversation.
    ///
    /// Tool calls have had ids only since 2025, so each call without one gets the number of its place, and a result
    /// without one belongs to the first call of its tool that has none yet, or else to the first call of any.
    static func read(_ values: [RequestValue]) throws(ProviderError) -> [ChatMessage] {
        var messages: [ChatMessage] = [], count = 0
        var waiting: [ChatToolCall] = []
        for value in values {
            let role = try value.required("role")
            let text = try value["content"]?.text() ?? ""
            var parts = text.isEmpty ? [] : [ChatPart(.text(text))]
            parts += try media(value["images"])
            switch try role.text().lowercased() {
            case "system", "developer": messages.append(ChatMessage(.system, parts))
            case "user": messages.append(ChatMessage(.user, parts))
            case "assistant":
                if let thinking = try value["thinking"]?.text(), !thinking.isEmpty {
                    parts.insert(ChatPart(.reasoning(ChatReasoningText(text: thinking))), at: 0)
                }
                let calls = try value["tool_calls"]?.elements() ?? []
                if !calls.isEmpty { waiting = [] }
                for call in calls {
                    let call = try toolCall(call, id: "call_\(count)")
                    count += 1
                    waiting.append(call)
                    parts.append(ChatPart(.toolCall(call)))
                }
                messages.append(ChatMessage(.assistant, parts))
            case "tool":
                let name = try value["tool_name"]?.text(), given = try value["tool_call_id"]?.text()
                let place =
                    waiting.firstIndex { given != nil ? $0.id == given : $0.name == name } ?? (given == nil ? waiting.indices.first : nil)
                let call = place.map { waiting.remove(at: $0) }
                let id = given ?? call?.id ?? name ?? "call_\(count)"
                messages.append(ChatMessage(.tool, [ChatPart(.toolResult(ChatToolResult(callID: id, parts: parts)))]))
            default: throw role.invalid("'system', 'user', 'assistant' or 'tool'")
            }
        }
        return messages
    }

    private static func toolCall(_ value: RequestValue, id: String) throws(ProviderError) -> ChatToolCall {
        let function = try value.required("function"), arguments = function["arguments"]
        let given = try value["id"]?.text() ?? ""
        return ChatToolCall(
            id: given.isEmpty ? id : given, name: try function.required("name").text(),
            arguments: arguments?.tree.string ?? arguments.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "{}")
    }

    /// The images of a message: a list of base64 texts. Their bytes show whether one is a sound.
    static func media(_ images: RequestValue?) throws(ProviderError) -> [ChatPart] {
        var parts: [ChatPart] = []
        for image in try images?.elements() ?? [] {
            var data = try image.text()[...]
            // Some clients leave the head of a `data:` URL in front.
            if data.hasPrefix("data:"), let comma = data.firstIndex(of: ",") { data = data[data.index(after: comma)...] }
            // Ollama's own decoder passes over line breaks, and those of other providers may not. Source: Go's
            // encoding/base64.
            let digits =
                data.utf8.contains(where: { $0 <= ASCII.space })
                ? Substring(decoding: data.utf8.filter { $0 > ASCII.space }, as: UTF8.self) : data
            let base64 = Base64.standard(String(digits)), type = MediaType.ofBase64(base64) ?? "image/png"
            parts.append(
                ChatPart(.media(ChatMedia(type.hasPrefix("audio/") ? .audio : .image, .base64(base64, mediaType: type)))))
        }
        return parts
    }

    // MARK: Writing

    /// Writes the value of `messages`. Each result of a tool is a message.
    static func write(_ messages: [ChatMessage], to writer: inout JSONWriter) throws(ProviderError) {
        var names: [String: String] = [:]
        writer.beginArray()
        for message in messages {
            guard message.role == .tool else {
                for part in message.parts { if case .toolCall(let call) = part.content { names[call.id] = call.name } }
                try write(message.role.rawValue, message.parts, to: &writer)
                continue
            }
            for part in message.parts {
                guard case .toolResult(let result) = part.content else { throw .cannotExpress("a tool's message without a result") }
                try write("tool", result.markedParts, to: &writer) {
                    if let name = names[result.callID] { $0.member("tool_name", name) }
                    $0.member("tool_call_id", result.callID)
                }
            }
        }
        writer.endArray()
    }

    /// Writes a message, of which the texts become one.
    private static func write(
        _ role: String, _ parts: [ChatPart], to writer: inout JSONWriter, members: (inout JSONWriter) -> Void = { _ in }
    ) throws(ProviderError) {
        var texts: [String] = [], images: [String] = [], thinking = "", calls: [ChatToolCall] = []
        for part in parts {
            switch part.content {
            case .text(let text), .refusal(let text): texts.append(text)
            case .media(let media): images.append(try data(of: media))
            case .reasoning(let reasoning): thinking += reasoning.text
            case .toolCall(let call): calls.append(call)
            case .toolResult: throw .cannotExpress("a tool's result inside a message")
            }
        }
        writer.object { writer in
            writer.member("role", role)
            writer.member("content", texts.joined(separator: "\n"))
            if !thinking.isEmpty { writer.member("thinking", thinking) }
            if !images.isEmpty {
                writer.key("images")
                writer.array { for image in images { $0.string(image) } }
            }
            if !calls.isEmpty {
                writer.key("tool_calls")
                writer.array {
                    for (index, call) in calls.enumerated() { $0.ollamaToolCall(call, index: index, arguments: call.argumentsObject) }
                }
            }
            members(&writer)
        }
    }

    /// An image or a sound in base64. Nothing is fetched by URL, neither by Ollama nor by the router.
    private static func data(of media: ChatMedia) throws(ProviderError) -> String {
        let what = media.kind == .image ? "an image" : "a sound"
        switch (media.kind, media.source) {
        case (.image, .base64(let data, _)), (.audio, .base64(let data, _)): return data
        case (.image, .url), (.audio, .url): throw .cannotExpress("\(what) by URL; send its bytes")
        case (.image, .id), (.audio, .id): throw .cannotExpress("\(what) by reference; send its bytes")
        case (.file, _), (.video, _): throw .cannotExpress(media.kind == .file ? "a file" : "video")
        }
    }
}

extension JSONWriter {
    /// An element of `tool_calls`.
    mutating func ollamaToolCall(_ call: ChatToolCall, index: Int, arguments: [UInt8]) {
        object {
            $0.member("id", call.id)
            $0.key("function")
            $0.object {
                $0.member("index", index)
                $0.member("name", call.name)
                $0.key("arguments")
                $0.raw(arguments)
            }
        }
    }
}
