import Codecs
public import ProviderKit

extension Gemini {
    /// Reads a request for a provider with another format: that of `generateContent`, or of `countTokens`, which may
    /// contain one.
    ///
    /// Members that are settings of Google's own service, such as `safetySettings`, `labels` and `serviceTier`, are
    /// left out, and so are unknown ones. Members that change the response and that ``ChatRequest`` can't express, such
    /// as `cachedContent` and Google's own tools, are refused.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that Gemini would refuse, with its place as `param`, and
    ///   ``FailureClass/unsupported`` for what no other format has.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        var root = RequestValue(tree, "")
        root = root[proto: "generateContentRequest"] ?? root
        if root[proto: "cachedContent"]?.unlessEmpty != nil { throw .untranslatable("cachedContent") }
        var request = ChatRequest(messages: [])
        if let system = root[proto: "systemInstruction"] {
            let parts = try GeminiContents.texts(system)
            if !parts.isEmpty { request.messages.append(ChatMessage(.system, parts)) }
        }
        guard let contents = root["contents"] else {
            throw ProviderError(.clientError, status: 400, message: "'contents' is missing", code: "missing_field", param: "contents")
        }
        request.messages += try GeminiContents.read(contents)
        for tool in try root["tools"]?.repeated() ?? [] { request.tools += try readTool(tool) }
        if let choice = root[proto: "toolConfig"]?[proto: "functionCallingConfig"] { try readToolChoice(choice, &request) }
        if let config = root[proto: "generationConfig"] { try readConfig(config, &request) }
        return request
    }

    /// Whether a request asks for the model's thoughts in words. Otherwise a response has none.
    ///
    /// - Parameter body: one valid JSON object.
    public static func wantsThoughts(_ body: RawSpan) -> Bool {
        JSONTree(body)?[proto: "generationConfig"]?[proto: "thinkingConfig"]?[proto: "includeThoughts"]?.bool ?? false
    }

    // MARK: Tools

    private static func readTool(_ tool: RequestValue) throws(ProviderError) -> [ChatTool] {
        let known: Set = ["functionDeclarations", "function_declarations"]
        if let other = tool.tree.members?.first(where: { !known.contains($0.name) && !$0.value.isNull }) {
            throw .cannotExpress("the tool '\(other.name.prefix(64))'")
        }
        var tools: [ChatTool] = []
        for function in try tool[proto: "functionDeclarations"]?.repeated() ?? [] {
            let schema =
                function[proto: "parametersJsonSchema"]?.encoded ?? function["parameters"].map { GeminiSchema.jsonSchema($0.tree).encoded }
            tools.append(
                ChatTool(name: try function.required("name").text(), description: try function["description"]?.text(), parameters: schema))
        }
        return tools
    }

    private static func readToolChoice(_ choice: RequestValue, _ request: inout ChatRequest) throws(ProviderError) {
        let allowed = try choice[proto: "allowedFunctionNames"].map { names throws(ProviderError) in try names.texts() } ?? []
        guard let mode = choice["mode"]?.unlessEmpty else { return }
        switch try mode.text() {
        case "AUTO", "MODE_UNSPECIFIED": request.toolChoice = .auto
        case "VALIDATED":
            request.toolChoice = .auto
            for index in request.tools.indices { request.tools[index].isStrict = true }
        case "NONE": request.toolChoice = ChatToolChoice.none
        case "ANY":
            request.toolChoice = .required
            try request.refuseChoiceWithoutTools(choice)
            guard !allowed.isEmpty else { return }
            // One of several functions must be called: the others are left out.
            let left = request.tools.filter { allowed.contains($0.name) }
            guard !left.isEmpty else { throw choice.invalid("names of functions that are declared") }
            if left.count == 1 { request.toolChoice = .tool(left[0].name) } else { request.tools = left }
        default: throw mode.invalid("'AUTO', 'ANY', 'NONE' or 'VALIDATED'")
        }
    }

    // MARK: Configuration

    private static func readConfig(_ config: RequestValue, _ request: inout ChatRequest) throws(ProviderError) {
        try refuseUntranslatable(config)
        request.maxTokens = try config[proto: "maxOutputTokens"]?.integer()
        request.sampling.temperature = try config["temperature"]?.number()
        request.sampling.topP = try config[proto: "topP"]?.number()
        // The SDKs take a number with a fraction.
        request.sampling.topK = try config[proto: "topK"].map { topK throws(ProviderError) in
            Int(exactly: try topK.number().rounded()) ?? .max
        }
        request.sampling.frequencyPenalty = try config[proto: "frequencyPenalty"]?.number()
        request.sampling.presencePenalty = try config[proto: "presencePenalty"]?.number()
        request.sampling.seed = try config["seed"]?.integer()
        if try config[proto: "responseLogprobs"]?.bool() == true { request.topLogprobs = try config["logprobs"]?.integer() ?? 0 }
        request.stop = try config[proto: "stopSequences"].map { stop throws(ProviderError) in try stop.texts() } ?? []
        request.responseFormat = try readFormat(config)
        request.reasoning = try config[proto: "thinkingConfig"].flatMap { thinking throws(ProviderError) in try readReasoning(thinking) }
    }

    private static func refuseUntranslatable(_ config: RequestValue) throws(ProviderError) {
        if let count = try config[proto: "candidateCount"]?.integer(), count > 1 {
            throw .untranslatable("generationConfig.candidateCount")
        }
        for kind in try config[proto: "responseModalities"]?.elements() ?? [] where try kind.text().uppercased() != "TEXT" {
            throw .untranslatable("generationConfig.responseModalities")
        }
    }

    private static func readFormat(_ config: RequestValue) throws(ProviderError) -> ChatResponseFormat? {
        guard let type = try config[proto: "responseMimeType"]?.unlessEmpty?.text(), type != "text/plain" else { return nil }
        guard type == "application/json" else { throw .cannotExpress("the response type '\(type.prefix(64))'") }
        let schema =
            config[proto: "responseJsonSchema"]?.encoded ?? config[proto: "responseSchema"].map { GeminiSchema.jsonSchema($0.tree).encoded }
        return schema.map { .schema(name: "response", description: nil, schema: $0, isStrict: false) } ?? .json
    }

    /// A budget of -1 lets the model decide. Source: the guide "Gemini thinking", "Thinking budgets".
    private static func readReasoning(_ thinking: RequestValue) throws(ProviderError) -> ChatReasoning? {
        if let budget = try thinking[proto: "thinkingBudget"]?.integer() { return budget < 0 ? .adaptive : .budget(tokens: budget) }
        guard let level = try thinking[proto: "thinkingLevel"]?.unlessEmpty?.text(), level != "THINKING_LEVEL_UNSPECIFIED" else {
            return nil
        }
        return .effort(level.lowercased())
    }
}
