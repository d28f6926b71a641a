import Codecs
public import ProviderKit

extension AnthropicMessages {
    /// Reads a request for a provider with another format.
    ///
    /// Members that are hints, or settings of Anthropic's own service, are left out, such as `cache_control` at the top
    /// level, `context_management`, `service_tier`, `speed`, `container` and `diagnostics`; so are unknown ones.
    /// Members and blocks that change the response and that ``ChatRequest`` can't express, such as server tools, are
    /// refused.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that Anthropic would refuse, with its place as `param`, and
    ///   ``FailureClass/unsupported`` for what no other format has.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        let root = RequestValue(tree, "")
        var request = ChatRequest(messages: [])
        if let system = root["system"] {
            let parts = try AnthropicMessage.texts(system)
            if !parts.isEmpty { request.messages.append(ChatMessage(.system, parts)) }
        }
        for message in try root.required("messages").elements() { request.messages += try AnthropicMessage.read(message) }
        if root["mcp_servers"]?.unlessEmpty != nil { throw .untranslatable("mcp_servers") }
        for tool in try root["tools"]?.elements() ?? [] { request.tools.append(try readTool(tool)) }
        if let choice = root["tool_choice"] { try readToolChoice(choice, &request) }
        request.maxTokens = try root["max_tokens"]?.integer()
        request.sampling.temperature = try root["temperature"]?.number()
        request.sampling.topP = try root["top_p"]?.number()
        request.sampling.topK = try root["top_k"]?.integer()
        request.stop = try root["stop_sequences"].map { stop throws(ProviderError) in try stop.texts() } ?? []
        let output = root["output_config"]
        request.responseFormat = try (output?["format"]?.unlessEmpty ?? root["output_format"]?.unlessEmpty).map {
            format throws(ProviderError) in
            try readResponseFormat(format)
        }
        request.reasoning = try readReasoning(root["thinking"], effort: output?["effort"]?.unlessEmpty)
        request.user = try root["metadata"]?["user_id"]?.text()
        return request
    }

    // MARK: Tools

    /// Reads a tool that the client runs, described by a schema. The types of all others name their versions, such as
    /// `web_search_20260318`.
    private static func readTool(_ tool: RequestValue) throws(ProviderError) -> ChatTool {
        if let type = try tool["type"]?.text(), type != "custom" { throw .cannotExpress("a tool of the type '\(type.prefix(64))'") }
        return ChatTool(
            name: try tool.required("name").text(), description: try tool["description"]?.text(),
            parameters: try tool.required("input_schema").encoded, isStrict: try tool["strict"]?.bool(),
            cacheControl: tool["cache_control"]?.encoded)
    }

    private static func readToolChoice(_ choice: RequestValue, _ request: inout ChatRequest) throws(ProviderError) {
        let type = try choice.required("type")
        switch try type.text() {
        case "auto": request.toolChoice = .auto
        case "any": request.toolChoice = .required
        case "none": request.toolChoice = ChatToolChoice.none
        case "tool": request.toolChoice = .tool(try choice.required("name").text())
        default: throw type.invalid("'auto', 'any', 'tool' or 'none'")
        }
        try request.refuseChoiceWithoutTools(choice)
        if let isDisabled = try choice["disable_parallel_tool_use"]?.bool() { request.allowsParallelTools = !isDisabled }
    }

    // MARK: Output

    private static func readResponseFormat(_ format: RequestValue) throws(ProviderError) -> ChatResponseFormat {
        let type = try format.required("type").text()
        guard type == "json_schema" else { throw .cannotExpress("the output format '\(type.prefix(64))'") }
        return .schema(name: "response", description: nil, schema: try format.required("schema").encoded, isStrict: true)
    }

    /// Reads `thinking` and the effort, which says how much an adaptive model thinks.
    ///
    /// - Parameter requiresBudget: whether `enabled` has a budget, as Anthropic's own format requires.
    static func readReasoning(
        _ thinking: RequestValue?, effort: RequestValue?, requiresBudget: Bool = true
    ) throws(ProviderError) -> ChatReasoning? {
        let effort = try effort.map { effort throws(ProviderError) in ChatReasoning.effort(try effort.text()) }
        guard let thinking else { return effort }
        let type = try thinking.required("type")
        switch try type.text() {
        case "adaptive": return effort ?? .adaptive
        case "enabled" where !requiresBudget && thinking["budget_tokens"] == nil: return effort ?? .adaptive
        case "enabled": return .budget(tokens: try thinking.required("budget_tokens").integer())
        case "disabled": return .effort("none")
        default: throw type.invalid("'adaptive', 'enabled' or 'disabled'")
        }
    }
}
