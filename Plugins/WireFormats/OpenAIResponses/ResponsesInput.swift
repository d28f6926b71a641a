import Codecs
import ProviderKit

/// The items of a request, as messages.
///
/// Here a turn of the assistant is a row of items: reasoning, texts and calls of tools. They become one message, and so
/// do the results of tools in a row.
struct ResponsesInput {
    private(set) var messages: [ChatMessage] = []
    private let tools: ResponsesTools
    /// The id of each shell call's result, by the id of the call's item, which some clients name instead.
    private var shellCalls: [String: String] = [:]

    private init(_ tools: ResponsesTools) {
        self.tools = tools
    }

    /// Reads `instructions`, which may be missing, and the `input` behind them.
    static func read(
        instructions: RequestValue?, input: RequestValue, _ tools: ResponsesTools
    ) throws(ProviderError) -> [ChatMessage] {
        var conversation = ResponsesInput(tools)
        if let instructions { try conversation.add(instructions, as: .system) }
        try conversation.add(input, as: .user)
        return conversation.messages
    }

    /// Adds a text, or a list of items.
    ///
    /// - Parameter role: who says the text.
    private mutating func add(_ value: RequestValue, as role: ChatMessage.Role) throws(ProviderError) {
        if let text = value.tree.string {
            if !text.isEmpty || role != .system { messages.append(ChatMessage(role, text)) }
        } else {
            for item in try value.elements() { try add(item) }
        }
    }

    /// Items of tools that OpenAI has run itself. What they have found is in the model's text. Source: the SDK's
    /// `ResponseInputItemParam`.
    private static let ownItems: Set = [
        "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_list_tools", "mcp_call",
        "mcp_approval_request", "mcp_approval_response", "tool_search_call", "tool_search_output",
    ]

    private mutating func add(_ item: RequestValue) throws(ProviderError) {
        let type = try item["type"]?.text() ?? "message"
        switch type {
        case "message": try addMessage(item)
        case "reasoning": append(.reasoning(try reasoning(item)), to: .assistant)
        case "function_call":
            let tool = ResponsesTool(.function, try item.required("name").text(), namespace: try item["namespace"]?.text())
            append(call(tool, try item.required("call_id").text(), arguments: try item["arguments"]?.text() ?? ""), to: .assistant)
        case "custom_tool_call":
            let tool = ResponsesTool(.custom, try item.required("name").text(), namespace: try item["namespace"]?.text())
            let arguments = ChatTool.arguments(ofInput: try item.required("input").text())
            append(call(tool, try item.required("call_id").text(), arguments: arguments), to: .assistant)
        case "local_shell_call":
            let id = try item.required(item["call_id"] == nil ? "id" : "call_id").text()
            if let itemID = try item["id"]?.text() { shellCalls[itemID] = id }
            append(call(.localShell, id, arguments: try Self.shellArguments(item.required("action"))), to: .assistant)
        case "function_call_output", "custom_tool_call_output": try addResult(item, callID: try item.required("call_id").text())
        case "local_shell_call_output":
            let id = try item.required(item["call_id"] == nil ? "id" : "call_id").text()
            try addResult(item, callID: shellCalls[id] ?? id)
        default:
            guard Self.ownItems.contains(type) else { throw .cannotExpress("an item of the type '\(type.prefix(64))'") }
        }
    }

    /// Adds to the last message if that is another part of the same turn.
    private mutating func append(_ content: ChatPart.Content, to role: ChatMessage.Role) {
        if messages.last?.role == role {
            messages[messages.count - 1].parts.append(ChatPart(content))
        } else {
            messages.append(ChatMessage(role, [ChatPart(content)]))
        }
    }

    private mutating func addMessage(_ item: RequestValue) throws(ProviderError) {
        let role = try item.required("role"), parts = try Self.parts(item.required("content"))
        switch try role.text() {
        case "user": messages.append(ChatMessage(.user, parts))
        case "system", "developer": messages.append(ChatMessage(.system, parts))
        case "assistant": for part in parts { append(part.content, to: .assistant) }
        default: throw role.invalid("'user', 'assistant', 'system' or 'developer'")
        }
    }

    private func call(_ tool: ResponsesTool, _ id: String, arguments: String) -> ChatPart.Content {
        .toolCall(ChatToolCall(id: id, name: tool.functionName, arguments: arguments))
    }

    private mutating func addResult(_ item: RequestValue, callID: String) throws(ProviderError) {
        let parts = try Self.parts(item.required("output"))
        append(.toolResult(ChatToolResult(callID: callID, parts: parts)), to: .tool)
    }

    /// A shell call's action without its type, of which there is one.
    private static func shellArguments(_ action: RequestValue) throws(ProviderError) -> String {
        guard let members = action.tree.members else { throw action.invalid("an object") }
        let arguments = JSONTree.object(members.filter { !$0.hasKey("type") && !$0.value.isNull })
        return String(decoding: arguments.encoded, as: UTF8.self)
    }

    /// Reasoning with a token. A summary, if only an empty one, says that the token is the signature of words; see
    /// ``ResponsesItem``.
    private func reasoning(_ item: RequestValue) throws(ProviderError) -> ChatReasoningText {
        let summary = try item["summary"]?.elements() ?? [], content = try item["content"]?.elements() ?? []
        var texts: [String] = []
        for part in summary.isEmpty ? content : summary { texts.append(try part.required("text").text()) }
        let token = try item["encrypted_content"].flatMap { token throws(ProviderError) in
            OpaqueToken(tagged: try token.text(), texts.isEmpty ? .encrypted : .signature, in: OpenAIResponses.format)
        }
        return ChatReasoningText(text: texts.joined(separator: "\n\n"), token: token)
    }

    // MARK: Parts

    /// The parts of a content: a text, or a list of parts.
    private static func parts(_ content: RequestValue) throws(ProviderError) -> [ChatPart] {
        if let text = content.tree.string { return text.isEmpty ? [] : [ChatPart(.text(text))] }
        var parts: [ChatPart] = []
        for element in try content.elements() { parts.append(ChatPart(try part(element))) }
        return parts
    }

    private static func part(_ value: RequestValue) throws(ProviderError) -> ChatPart.Content {
        let type = try value.required("type").text()
        switch type {
        case "input_text", "output_text", "text": return .text(try value.required("text").text())
        case "refusal": return .refusal(try value.required("refusal").text())
        case "input_image":
            let given = try value["detail"]?.text(), detail = given == "auto" ? nil : given  // what the others have by default
            if let id = value["file_id"] { return .media(ChatMedia(.image, .id(try id.text()), detail: detail)) }
            return .media(ChatMedia(.image, ChatMedia.Source(url: try value.required("image_url").text()), detail: detail))
        case "input_file":
            let name = try value["filename"]?.text()
            if let id = value["file_id"] { return .media(ChatMedia(.file, .id(try id.text()), filename: name)) }
            if let url = value["file_url"] { return .media(ChatMedia(.file, ChatMedia.Source(url: try url.text()), filename: name)) }
            let data = try value.required("file_data").text()
            let source = data.hasPrefix("data:") ? ChatMedia.Source(url: data) : .base64(data, mediaType: nil)
            return .media(ChatMedia(.file, source, filename: name))
        case "input_audio":
            let audio = try value.required("input_audio")
            let mediaType = try audio["format"].map { format throws(ProviderError) in "audio/\(try format.text())" }
            return .media(ChatMedia(.audio, .base64(try audio.required("data").text(), mediaType: mediaType)))
        default: throw .cannotExpress("a part of the type '\(type.prefix(64))'")
        }
    }
}
