import Codecs
import ProviderKit

extension OpenAIResponses {
    /// Writes a request in this format, without `model`.
    ///
    /// The server must not store the response, because the router always sends the conversation in full. So it is asked
    /// for its reasoning in encrypted form, if the request asks for reasoning or has some. The seed is left out, which
    /// OpenAI calls a best effort.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call) throws(ProviderError) -> [UInt8] {
        if request.choices > 1 { throw .cannotExpress("several choices ('n')") }
        if !request.stop.isEmpty { throw .cannotExpress("stop sequences ('stop')") }
        if request.sampling.topK != nil { throw .cannotExpress("'top_k'") }
        for penalty in [request.sampling.frequencyPenalty, request.sampling.presencePenalty] where penalty ?? 0 != 0 {
            throw .cannotExpress("'frequency_penalty' or 'presence_penalty'")
        }
        var messages = request.messages[...]
        // An empty input is refused.
        let instructions = messages.count > 1 ? messages.first?.instructions : nil
        if instructions != nil { messages = messages.dropFirst() }
        // OpenAI looks for the demand in the input alone ("Response input messages must contain the word 'json'").
        if request.responseFormat == .json, !messages.mentionJSON { messages = [.jsonDemand] + messages }
        var input = JSONWriter(capacity: 1024)
        try ResponsesItems(call).write(messages, to: &input)
        let effort = request.reasoning?.effortName
        let hasTokens = request.messages.contains { $0.parts.contains { $0.token(for: call) != nil } }
        var writer = JSONWriter(capacity: 1024)
        writer.object { writer in
            if let instructions { writer.member("instructions", instructions) }
            writer.key("input")
            input.withBytes { writer.raw(Array($0)) }
            if call.isStream { writer.member("stream", true) }
            writer.member("store", false)
            writeTools(of: request, to: &writer)
            if let maxTokens = request.maxTokens { writer.member("max_output_tokens", maxTokens) }
            writer.number("temperature", request.sampling.temperature)
            writer.number("top_p", request.sampling.topP)
            writeText(request, to: &writer)
            if let effort {
                writer.key("reasoning")
                writer.object {
                    // Only other formats have the effort `max`.
                    $0.member("effort", effort == "max" ? "xhigh" : effort)
                    if effort != "none" { $0.member("summary", "auto") }
                }
            }
            if hasTokens || effort ?? "none" != "none" {
                writer.key("include")
                writer.array { $0.string("reasoning.encrypted_content") }
            }
            if let user = request.user, user.unicodeScalars.count <= maxUserLength { writer.member("user", user) }
            writer.members(of: request.service)
            if !request.metadata.isEmpty {
                writer.key("metadata")
                writer.object { for (name, value) in request.metadata.sorted(by: { $0.key < $1.key }) { $0.member(escaping: name, value) } }
            }
        }
        return writer.bytes
    }

    /// OpenAI refuses a longer `user`. Source: as recorded by its clients.
    private static let maxUserLength = 64

    private static func writeTools(of request: ChatRequest, to writer: inout JSONWriter) {
        guard !request.tools.isEmpty else { return }
        writer.key("tools")
        writer.array { for tool in request.tools { write(tool, to: &$0) } }
        if let allows = request.allowsParallelTools { writer.member("parallel_tool_calls", allows) }
        switch request.toolChoice {
        case nil: break
        case .auto: writer.member("tool_choice", "auto")
        case .some(.none): writer.member("tool_choice", "none")
        case .required: writer.member("tool_choice", "required")
        case .tool(let name):
            writer.key("tool_choice")
            writer.object {
                $0.member("type", "function")
                $0.member("name", name)
            }
        }
    }

    private static func write(_ tool: ChatTool, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "function")
            $0.member("name", tool.name)
            if let description = tool.description { $0.member("description", description) }
            $0.key("parameters")
            if let parameters = tool.parameters { $0.raw(parameters) } else { $0.null() }
            // Without it, OpenAI makes the schema strict, which no other format does. Source: the SDK's `FunctionTool`.
            $0.member("strict", tool.isStrict ?? false)
        }
    }

    private static func writeText(_ request: ChatRequest, to writer: inout JSONWriter) {
        let format = request.responseFormat, verbosity = request.service.verbosity
        guard format != nil || verbosity != nil else { return }
        writer.key("text")
        writer.object { writer in
            if let format {
                writer.key("format")
                writer.object { write(format, to: &$0) }
            }
            if let verbosity { writer.member("verbosity", verbosity) }
        }
    }

    private static func write(_ format: ChatResponseFormat, to writer: inout JSONWriter) {
        switch format {
        case .text: writer.member("type", "text")
        case .json: writer.member("type", "json_object")
        case .schema(let name, let description, let schema, let isStrict):
            writer.member("type", "json_schema")
            writer.member("name", name)
            if let description { writer.member("description", description) }
            writer.key("schema")
            writer.raw(schema)
            writer.member("strict", isStrict)
        }
    }
}

extension ChatPart {
    /// The token of reasoning that the call's provider has made, and has not refused.
    func token(for call: Call) -> String? {
        guard case .reasoning(let reasoning) = content, !call.repairs.contains(.withoutTokens) else { return nil }
        return reasoning.token?.value(for: call, in: OpenAIResponses.format)
    }
}

extension ChatMessage {
    /// The text of a system message that is nothing else.
    fileprivate var instructions: String? {
        guard role == .system, parts.count == 1, let text = parts[0].text, !text.isEmpty else { return nil }
        return text
    }
}

/// Writes messages as items.
private struct ResponsesItems {
    private let call: Call

    init(_ call: Call) { self.call = call }

    /// Writes the value of `input`.
    func write(_ messages: ArraySlice<ChatMessage>, to writer: inout JSONWriter) throws(ProviderError) {
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
    private func writeTurn(_ parts: [ChatPart], to writer: inout JSONWriter) throws(ProviderError) {
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
            $0.member("type", "function_call_output")
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
            guard case .base64(let data, let type) = media.source else { throw .cannotExpress("audio by reference") }
            writer.object {
                $0.member("type", "input_audio")
                $0.key("input_audio")
                $0.object {
                    $0.member("data", data)
                    if let format = type?.split(separator: "/").last { $0.member("format", String(format)) }
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
