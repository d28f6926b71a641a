import Codecs
import ProviderKit

/// Writes messages as items.
struct ResponsesItems {
    private let call: Call
    /// The names of the tools that take a text.
    private let customTools: Set<String>
    /// The ids of the calls of these tools, so far.
    private var customCalls: Set<String> = []

    init(_ call: Call, customTools: Set<String>) {
        self.call = call
        self.customTools = customTools
    }

    /// Writes the value of `input`.
    mutating func write(_ messages: ArraySlice<ChatMessage>, to writer: inout JSONWriter) throws(ProviderError) {
        writer.beginArray()
        for message in messages {
            switch message.role {
            case .system: try write(message.parts, "developer", to: &writer)
            case .user: try write(message.parts, "user", to: &writer)
            case .assistant: try writeTurn(message.parts, to: &writer)
            case .tool: for part in message.parts { try writeResult(part, to: &writer) }
            }
        }
        writer.endArray()
    }

    private func write(_ parts: [ChatPart], _ role: String, to writer: inout JSONWriter) throws(ProviderError) {
        let contents = try contents(parts, texts: role == "assistant" ? "output_text" : "input_text")
        writer.object {
            $0.member("type", "message")
            $0.member("role", role)
            $0.key("content")
            $0.array { for content in contents { $0.raw(content) } }
        }
    }

    /// A turn of the assistant: items in the order of its parts, of which texts in a row are one.
    private mutating func writeTurn(_ parts: [ChatPart], to writer: inout JSONWriter) throws(ProviderError) {
        var texts: [ChatPart] = []
        func flush(_ writer: inout JSONWriter) throws(ProviderError) {
            if !texts.isEmpty { try write(texts, "assistant", to: &writer) }
            texts = []
        }
        for part in parts {
            switch part.content {
            case .text, .refusal, .media: texts.append(part)
            case .reasoning(let reasoning):
                guard let value = part.token(for: call) else { continue }
                try flush(&writer)
                writer.object {
                    $0.member("type", "reasoning")
                    $0.key("summary")
                    $0.array { if reasoning.token?.kind == .signature { $0.part("summary_text", reasoning.text) } }
                    $0.member("encrypted_content", value)
                }
            case .toolCall(let call) where customTools.contains(call.name):
                try flush(&writer)
                customCalls.insert(call.id)
                writer.object {
                    $0.member("type", "custom_tool_call")
                    $0.member("call_id", call.id)
                    $0.member("name", call.name)
                    $0.member("input", ChatTool.input(ofArguments: call.arguments))
                }
            case .toolCall(let call):
                try flush(&writer)
                writer.object {
                    $0.member("type", "function_call")
                    $0.member("call_id", call.id)
                    $0.member("name", call.name)
                    $0.member("arguments", call.arguments.isEmpty ? "{}" : call.arguments)
                }
            case .toolResult: throw .cannotExpress("a tool's result inside a message")
            }
        }
        try flush(&writer)
    }

    private func writeResult(_ part: ChatPart, to writer: inout JSONWriter) throws(ProviderError) {
        guard case .toolResult(let result) = part.content else { throw .cannotExpress("a tool's message without a result") }
        let parts = result.markedParts
        let contents = parts.allSatisfy { $0.text != nil } ? nil : try self.contents(parts, texts: "input_text")
        writer.object {
            $0.member("type", customCalls.contains(result.callID) ? "custom_tool_call_output" : "function_call_output")
            $0.member("call_id", result.callID)
            $0.key("output")
            if let contents { $0.array { for content in contents { $0.raw(content) } } } else { $0.string(parts.joinedText) }
        }
    }

    // MARK: Parts

    /// - Parameter type: the type of texts, which depends on who says them.
    private func contents(_ parts: [ChatPart], texts type: String) throws(ProviderError) -> [[UInt8]] {
        var contents: [[UInt8]] = []
        for part in parts {
            var writer = JSONWriter()
            switch part.content {
            case .text(let text): writer.part(type, text)
            case .refusal(let text): writer.object { Self.write(refusal: text, to: &$0) }
            case .media(let media): try Self.write(media, to: &writer)
            case .toolCall, .toolResult, .reasoning: throw .cannotExpress("a call inside a message")
            }
            contents.append(writer.bytes)
        }
        return contents
    }

    private static func write(refusal text: String, to writer: inout JSONWriter) {
        writer.member("type", "refusal")
        writer.member("refusal", text)
    }

    private static func write(_ media: ChatMedia, to writer: inout JSONWriter) throws(ProviderError) {
        switch media.kind {
        case .image:
            writer.object {
                $0.member("type", "input_image")
                if case .id(let id) = media.source { $0.member("file_id", id) } else { $0.member("image_url", media.source.url ?? "") }
                $0.member("detail", media.detail ?? "auto")
            }
        case .file:
            writer.object {
                $0.member("type", "input_file")
                switch media.source {
                case .id(let id): $0.member("file_id", id)
                case .url(let url): $0.member("file_url", url)
                case .base64: $0.member("file_data", media.source.url ?? "")
                }
                if let filename = media.filename { $0.member("filename", filename) }
            }
        case .audio:
            guard case .base64(let data, _) = media.source else { throw .cannotExpress("audio by reference") }
            writer.object {
                $0.member("type", "input_audio")
                $0.key("input_audio")
                $0.object {
                    $0.member("data", data)
                    if let format = media.audioFormat { $0.member("format", format) }
                }
            }
        case .video: throw .cannotExpress("video")
        }
    }
}

extension JSONWriter {
    /// Writes a part that is a text.
    mutating func part(_ type: String, _ text: String) {
        object {
            $0.member("type", type)
            $0.member("text", text)
        }
    }
}
