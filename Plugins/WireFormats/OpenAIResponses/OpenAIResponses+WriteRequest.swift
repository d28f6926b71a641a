import Codecs
import ProviderKit

extension OpenAIResponses {
    /// Writes a request in this format, without `model`.
    ///
    /// The server must not store the response, because the router always sends the conversation in full. So it is asked
    /// for its reasoning in encrypted form, if the request asks for reasoning or has some. Left out, by the rule of
    /// ``ChatRequest``: the seed.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call) throws(ProviderError) -> [UInt8] {
        try request.refuseLogprobs(for: call)
        if request.choices > 1 { throw .cannotExpress("several choices ('n')") }
        if !request.stop.isEmpty { throw .cannotExpress("stop sequences ('stop')") }
        if request.sampling.topK != nil { throw .cannotExpress("'top_k'") }
        for penalty in [request.sampling.frequencyPenalty, request.sampling.presencePenalty] where penalty ?? 0 != 0 {
            throw .cannotExpress("'frequency_penalty' or 'presence_penalty'")
        }
        let wantsJSON = request.responseFormat == .json
        let said = request.messages.filter { !$0.isSilent(for: call) }
        var messages = (wantsJSON && !said.mentionJSON ? said.demandingJSON : said)[...]
        // An empty input is refused. And OpenAI looks for the demand in the input alone ("Response input messages must
        // contain the word 'json'").
        let rest = messages.dropFirst()
        let instructions = rest.isEmpty || wantsJSON && !rest.mentionJSON ? nil : messages.first?.instructions
        if instructions != nil { messages = rest }
        var input = JSONWriter(capacity: 1024)
        var items = ResponsesItems(call, customTools: request.customTools)
        try items.write(messages, to: &input)
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
                $0.member("type", request.customTools.contains(name) ? "custom" : "function")
                $0.member("name", name)
            }
        }
    }

    private static func write(_ tool: ChatTool, to writer: inout JSONWriter) {
        if let custom = tool.custom { return write(custom, tool.name, to: &writer) }
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

    private static func write(_ tool: ChatCustomTool, _ name: String, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "custom")
            $0.member("name", name)
            if let description = tool.description { $0.member("description", description) }
            guard let grammar = tool.grammar else { return }
            $0.key("format")
            $0.object {
                $0.member("type", "grammar")
                $0.member("syntax", grammar.syntax)
                $0.member("definition", grammar.definition)
            }
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
    /// Whether a turn has nothing that the call's provider gets, such as the reasoning of another provider.
    fileprivate func isSilent(for call: Call) -> Bool {
        role == .assistant && parts.allSatisfy { if case .reasoning = $0.content { $0.token(for: call) == nil } else { false } }
    }

    /// The text of a system message that is nothing else.
    fileprivate var instructions: String? {
        guard role == .system, parts.count == 1, let text = parts[0].text, !text.isEmpty else { return nil }
        return text
    }
}

extension ChatRequest {
    /// The names of the tools that take a text instead of JSON.
    fileprivate var customTools: Set<String> { Set(tools.lazy.filter { $0.custom != nil }.map(\.name)) }
}
