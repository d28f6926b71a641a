import Codecs
public import ProviderKit

extension OllamaChat {
    /// Reads a request to chat, for a provider with another format.
    ///
    /// Members about how Ollama itself runs a model, such as `keep_alive` and most `options`, are left out, and so are
    /// unknown ones. What changes the response and ``ChatRequest`` can't express is refused: see ``untranslatable`` and
    /// ``untranslatableOptions``.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that Ollama would refuse, with its place as `param`, and
    ///   ``FailureClass/unsupported`` for what no other format has.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        let root = try root(body)
        var request = ChatRequest(messages: try OllamaMessages.read(try root["messages"]?.elements() ?? []))
        for tool in try root["tools"]?.elements() ?? [] { request.tools.append(try readTool(tool)) }
        try readSettings(root, &request)
        return request
    }

    /// Reads a request to generate, for a provider with another format: the prompt becomes a user's message. The tokens
    /// of an earlier conversation in `context`, which Ollama has deprecated, are left out.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: as ``readRequest(_:)``.
    public static func readGenerateRequest(_ body: RawSpan) throws(ProviderError) -> ChatRequest {
        let root = try root(body)
        var request = ChatRequest(messages: [])
        if let system = try root["system"]?.text(), !system.isEmpty { request.messages.append(ChatMessage(.system, system)) }
        let prompt = try root["prompt"]?.text() ?? ""
        let texts = prompt.isEmpty ? [] : [ChatPart(.text(prompt))]
        request.messages.append(ChatMessage(.user, texts + (try OllamaMessages.media(root["images"]))))
        try readSettings(root, &request)
        return request
    }

    private static func root(_ body: RawSpan) throws(ProviderError) -> RequestValue {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        for (name, isUsed) in untranslatable {
            if let value = tree[name], isUsed(value) { throw .untranslatable("\(name)") }
        }
        return RequestValue(tree, "")
    }

    /// Members that change the response and that no other format has, and whether a value asks for something.
    static let untranslatable: [(name: StaticString, isUsed: @Sendable (JSONTree) -> Bool)] = [
        // Of `generate`: the text after the gap to fill, a prompt without the model's template, and another template.
        ("suffix", { $0.string?.isEmpty == false }),
        ("raw", { $0.bool == true }),
        ("template", { $0.string?.isEmpty == false }),
        // Of models that make images.
        ("width", { !$0.isNull }),
        ("height", { !$0.isNull }),
        ("steps", { !$0.isNull }),
    ]

    /// Options of how the next token is drawn that no other format has, and the values that say nothing. Sources:
    /// ollama/ollama, docs/modelfile.md, "Valid Parameters and Values", and `api/types.go`, `DefaultOptions`.
    static let untranslatableOptions: [(name: StaticString, neutral: [Double])] = [
        ("min_p", [0]), ("typical_p", [0, 1]), ("repeat_penalty", [0, 1, 1.1]), ("mirostat", [0]),
    ]

    private static func readTool(_ tool: RequestValue) throws(ProviderError) -> ChatTool {
        if let type = try tool["type"]?.text(), type != "function" { throw .cannotExpress("a tool of the type '\(type.prefix(64))'") }
        let function = try tool.required("function")
        return ChatTool(
            name: try function.required("name").text(), description: try function["description"]?.text(),
            parameters: function["parameters"]?.encoded)
    }

    private static func readSettings(_ root: RequestValue, _ request: inout ChatRequest) throws(ProviderError) {
        request.responseFormat = try root["format"]?.unlessEmpty.flatMap { format throws(ProviderError) in try readFormat(format) }
        request.reasoning = try root["think"].map { think throws(ProviderError) in try readThink(think) }
        if try root["logprobs"]?.bool() == true { request.topLogprobs = try root["top_logprobs"]?.integer() ?? 0 }
        guard let options = root["options"] else { return }
        for (name, neutral) in untranslatableOptions {
            if let value = try options[name]?.number(), !neutral.contains(value) { throw .untranslatable("options.\(name)") }
        }
        // -1 and -2 are no limit. Source: ollama/ollama, docs/modelfile.md, "num_predict".
        request.maxTokens = try options["num_predict"]?.integer()
        if let limit = request.maxTokens, limit <= 0 { request.maxTokens = nil }
        request.sampling.temperature = try options["temperature"]?.number()
        request.sampling.topP = try options["top_p"]?.number()
        request.sampling.topK = try options["top_k"]?.integer()
        request.sampling.frequencyPenalty = try options["frequency_penalty"]?.number()
        request.sampling.presencePenalty = try options["presence_penalty"]?.number()
        request.sampling.seed = try options["seed"]?.integer()
        // -1 is a random seed.
        if let seed = request.sampling.seed, seed < 0 { request.sampling.seed = nil }
        request.stop = try options["stop"].map { stop throws(ProviderError) in try stop.texts() } ?? []
    }

    /// `json`, or a schema.
    private static func readFormat(_ format: RequestValue) throws(ProviderError) -> ChatResponseFormat? {
        if format.tree.members != nil { return .schema(name: "response", description: nil, schema: format.encoded, isStrict: false) }
        switch try format.text() {
        case "json": return .json
        default: throw format.invalid("'json' or a schema")
        }
    }

    private static func readThink(_ think: RequestValue) throws(ProviderError) -> ChatReasoning {
        if let isOn = think.tree.bool { return .effort(isOn ? "medium" : "none") }
        guard let level = think.tree.string, ["low", "medium", "high", "max"].contains(level) else {
            throw think.invalid("true, false, 'low', 'medium', 'high' or 'max'")
        }
        return .effort(level)
    }
}
