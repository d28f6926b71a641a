import Codecs
public import ProviderKit

extension OpenAIChat {
    /// Reads a request for a provider with another format.
    ///
    /// Members that only OpenAI has and that its reference calls hints, such as `store` and `prediction`, are left out,
    /// and so are unknown ones. Members that change the response and that ``ChatRequest`` can't express are refused:
    /// see ``untranslatable``.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that OpenAI would refuse, with its place as `param`, and
    ///   ``FailureClass/unsupported`` for what no other format has.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        for (name, isUsed) in untranslatable {
            if let value = tree[name], isUsed(value) { throw .untranslatable("\(name)") }
        }
        let root = RequestValue(tree, "")
        var request = ChatRequest(messages: [])
        for message in try root.required("messages").elements() {
            request.messages.append(try OpenAIMessage.read(message))
        }
        try readTools(root, &request)
        request.maxTokens = try (root["max_completion_tokens"] ?? root["max_tokens"])?.integer()
        request.sampling.temperature = try root["temperature"]?.number()
        request.sampling.topP = try root["top_p"]?.number()
        request.sampling.topK = try root["top_k"]?.integer()
        request.sampling.frequencyPenalty = try root["frequency_penalty"]?.number()
        request.sampling.presencePenalty = try root["presence_penalty"]?.number()
        request.sampling.seed = try root["seed"]?.integer()
        request.choices = max(1, try root["n"]?.integer() ?? 1)
        if try root["logprobs"]?.bool() == true { request.topLogprobs = try root["top_logprobs"]?.integer() ?? 0 }
        request.stop = try root["stop"].map { stop throws(ProviderError) in try stop.texts() } ?? []
        request.responseFormat = try root["response_format"].flatMap { format throws(ProviderError) in try responseFormat(format) }
        // Sources: Anthropic's guide "OpenAI SDK compatibility"; DeepSeek's guide "Thinking Mode".
        request.reasoning = try AnthropicMessages.readReasoning(
            root["thinking"], effort: root["reasoning_effort"], requiresBudget: false)
        request.user = try (root["user"] ?? root["safety_identifier"])?.text()
        request.service.verbosity = try root["verbosity"]?.text()
        request.service.tier = try root["service_tier"]?.text()
        request.service.promptCacheKey = try root["prompt_cache_key"]?.text()
        request.service.promptCacheRetention = try root["prompt_cache_retention"]?.text()
        request.metadata = try root["metadata"].map { metadata throws(ProviderError) in try metadata.dictionary() } ?? [:]
        return request
    }

    /// Members that change the response and that no other format has, and whether a value asks for something.
    static let untranslatable: [(name: StaticString, isUsed: @Sendable (JSONTree) -> Bool)] = [
        ("audio", { !$0.isNull }),
        ("modalities", { $0.elements?.contains { $0.string != "text" } ?? false }),
        ("logit_bias", { !($0.members ?? []).isEmpty }),
        ("web_search_options", { !$0.isNull }),
    ]

    // MARK: Tools

    /// The names of the tools of a request that take a text instead of JSON.
    ///
    /// - Parameter body: one valid JSON object.
    public static func customTools(of body: RawSpan) -> Set<String> {
        let member = (try? JSON.members(of: body))?.last { JSON.isKey($0.key, "tools", in: body) }
        let tools = member.flatMap { JSONTree(body.extracting($0.value.range)) }?.elements ?? []
        return Set(tools.filter { $0["type"]?.string == "custom" }.compactMap { $0["custom"]?["name"]?.string })
    }

    private static func readTools(_ root: RequestValue, _ request: inout ChatRequest) throws(ProviderError) {
        for tool in try root["tools"]?.elements() ?? [] {
            switch try tool["type"]?.text() ?? "function" {
            case "function":
                request.tools.append(try function(try tool.required("function"), cacheControl: tool["cache_control"]?.encoded))
            case "custom":
                let custom = try tool.required("custom")
                request.tools.append(
                    ChatTool(
                        customNamed: try custom.required("name").text(), description: try custom["description"]?.text(),
                        grammar: try ChatGrammar.read(custom["format"]?["grammar"])))
            case let type: throw .cannotExpress("a tool of the type '\(type.prefix(64))'")
            }
        }
        for function in try root["functions"]?.elements() ?? [] { request.tools.append(try self.function(function, cacheControl: nil)) }
        request.allowsParallelTools = try root["parallel_tool_calls"]?.bool()
        guard let choice = root["tool_choice"] ?? root["function_call"] else { return }
        if let allowed = choice["allowed_tools"] {
            // The model may only call these, as if there were no others.
            let names = try allowed.required("tools").elements().map { tool throws(ProviderError) in
                try (tool["function"] ?? tool["custom"] ?? tool).required("name").text()
            }
            request.tools.removeAll { !names.contains($0.name) }
            request.toolChoice = try toolChoice(allowed.required("mode"))
        } else {
            request.toolChoice = try toolChoice(choice)
        }
        try request.refuseChoiceWithoutTools(choice)
    }

    private static func function(_ value: RequestValue, cacheControl: [UInt8]?) throws(ProviderError) -> ChatTool {
        ChatTool(
            name: try value.required("name").text(), description: try value["description"]?.text(),
            parameters: value["parameters"]?.encoded, isStrict: try value["strict"]?.bool(), cacheControl: cacheControl)
    }

    private static func toolChoice(_ value: RequestValue) throws(ProviderError) -> ChatToolChoice {
        guard let word = value.tree.string else {
            let type = try value["type"]?.text() ?? "function"
            guard ["function", "custom"].contains(type) else { throw .cannotExpress("the tool choice '\(type.prefix(64))'") }
            return .tool(try (value["function"] ?? value["custom"] ?? value).required("name").text())
        }
        switch word {
        case "auto": return .auto
        case "none": return .none
        case "required": return .required
        default: throw value.invalid("'auto', 'none', 'required' or an object that names a function")
        }
    }

    private static func responseFormat(_ value: RequestValue) throws(ProviderError) -> ChatResponseFormat? {
        switch try value["type"]?.text() {
        case nil: return nil
        case "text": return .text
        case "json_object": return .json
        case "json_schema":
            let schema = try value.required("json_schema")
            return .schema(
                name: try schema["name"]?.text() ?? "response", description: try schema["description"]?.text(),
                schema: schema["schema"]?.encoded ?? Array("{}".utf8), isStrict: try schema["strict"]?.bool() ?? false)
        case let type?: throw .cannotExpress("the response format '\(type.prefix(64))'")
        }
    }
}
