import Codecs
public import ProviderKit

extension OpenAIResponses {
    /// Reads a request for a provider with another format.
    ///
    /// Left out are members that are hints or settings of this API alone, such as `store` and `truncation`, unknown
    /// ones, and tools that OpenAI runs itself: see ``ResponsesTools``.
    /// Members and items that change the response and that ``ChatRequest`` can't express are refused.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that OpenAI would refuse, with its place as `param`, and
    ///   ``FailureClass/unsupported`` for what no other format has.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        let root = RequestValue(tree, "")
        if root["prompt"]?.unlessEmpty != nil { throw .untranslatable("prompt") }
        let tools = try ResponsesTools(root["tools"])
        var request = ChatRequest(messages: [])
        request.messages = try ResponsesInput.read(instructions: root["instructions"], input: root.required("input"), tools)
        request.tools = tools.functions
        try readToolChoice(root["tool_choice"]?.unlessEmpty, tools, &request)
        request.allowsParallelTools = try root["parallel_tool_calls"]?.bool()
        let topLogprobs = try root["top_logprobs"]?.integer() ?? 0
        let includesLogprobs = try root["include"]?.texts().contains("message.output_text.logprobs") == true
        if topLogprobs > 0 || includesLogprobs { request.topLogprobs = topLogprobs }
        request.maxTokens = try root["max_output_tokens"]?.integer()
        request.sampling.temperature = try root["temperature"]?.number()
        request.sampling.topP = try root["top_p"]?.number()
        request.responseFormat = try root["text"]?["format"].flatMap { format throws(ProviderError) in try responseFormat(format) }
        request.reasoning = try root["reasoning"]?["effort"]?.unlessEmpty.map { effort throws(ProviderError) in .effort(try effort.text()) }
        request.user = try (root["user"] ?? root["safety_identifier"])?.text()
        request.service.verbosity = try root["text"]?["verbosity"]?.unlessEmpty?.text()
        request.service.tier = try root["service_tier"]?.unlessEmpty?.text()
        request.service.promptCacheKey = try root["prompt_cache_key"]?.unlessEmpty?.text()
        request.service.promptCacheRetention = try root["prompt_cache_retention"]?.unlessEmpty?.text()
        request.metadata = try root["metadata"].map { metadata throws(ProviderError) in try metadata.dictionary() } ?? [:]
        return request
    }

    private static func readToolChoice(
        _ choice: RequestValue?, _ tools: ResponsesTools, _ request: inout ChatRequest
    ) throws(ProviderError) {
        guard let choice else { return }
        guard let word = choice.tree.string else {
            let type = try choice.required("type").text()
            switch type {
            case "function", "custom":
                let name = try choice.required("name").text(), namespace = try choice["namespace"]?.text()
                request.toolChoice = .tool(ResponsesTool(.function, name, namespace: namespace).functionName)
            case "local_shell": request.toolChoice = .tool(ResponsesTool.localShell.functionName)
            case "allowed_tools":
                var allowed: Set<String> = []
                for tool in try choice.required("tools").elements() {
                    if try tool.required("type").text() == "local_shell" {
                        allowed.insert(ResponsesTool.localShell.functionName)
                    } else if let name = try tool["name"]?.text() {
                        allowed.insert(ResponsesTool(.function, name, namespace: try tool["namespace"]?.text()).functionName)
                    }
                }
                request.tools.removeAll { !allowed.contains($0.name) }
                request.toolChoice = try choice["mode"]?.text() == "required" ? .required : .auto
            default: throw .cannotExpress("the tool choice '\(type.prefix(64))'")
            }
            return try request.refuseChoiceWithoutTools(choice)
        }
        switch word {
        case "auto": request.toolChoice = .auto
        case "none": request.toolChoice = ChatToolChoice.none
        case "required":
            if request.tools.isEmpty { throw .cannotExpress("tools that OpenAI runs") }
            request.toolChoice = .required
        default: throw choice.invalid("'auto', 'none', 'required' or an object that names a tool")
        }
    }

    private static func responseFormat(_ value: RequestValue) throws(ProviderError) -> ChatResponseFormat? {
        switch try value["type"]?.unlessEmpty?.text() {
        case nil: return nil
        case "text": return .text
        case "json_object": return .json
        case "json_schema":
            return .schema(
                name: try value["name"]?.text() ?? "response", description: try value["description"]?.text(),
                schema: value["schema"]?.encoded ?? Array("{}".utf8), isStrict: try value["strict"]?.bool() ?? false)
        case let type?: throw .cannotExpress("the text format '\(type.prefix(64))'")
        }
    }
}
