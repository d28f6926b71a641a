import Codecs
import ProviderKit

extension BedrockConverse {
    /// Writes a request in this format.
    ///
    /// Left out, by the rule of ``ChatRequest``: the seed, the user, the metadata, a speaker's name, the detail of an
    /// image and ``ChatRequest/allowsParallelTools``; for models other than Claude also an effort, and whether a tool's
    /// schema is strict. JSON without a schema, which this format can't enforce, is demanded in the prompt.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call) throws(ProviderError) -> [UInt8] {
        let model = BedrockModel(call.model)
        try request.refuseLogprobs(for: call)
        if request.choices > 1 { throw .cannotExpress("several choices ('n')") }
        for penalty in [request.sampling.frequencyPenalty, request.sampling.presencePenalty] where penalty ?? 0 != 0 {
            throw .cannotExpress("'frequency_penalty' or 'presence_penalty'")
        }
        if request.sampling.topK != nil, model.claude == nil { throw .cannotExpress("'top_k' with this model") }
        let messages = request.responseFormat == .json ? request.messages.demandingJSON : request.messages
        let turns = try BedrockTurns(messages, model, call)
        let tools = try tools(of: request, turns, model)
        // What isn't set is the model's own limit, which is only a bound for a budget here.
        let maxTokens = request.maxTokens ?? call.maxOutput
        let reasoning = model.claude.map {
            AnthropicReasoning(request, lacksThinking: turns.lacksThinking, $0, maxTokens: maxTokens ?? $0.maxTokens)
        }
        var writer = JSONWriter(capacity: 2048)
        writer.object {
            $0.key("messages")
            turns.write(to: &$0)
            if !turns.system.isEmpty {
                $0.key("system")
                $0.array { for block in turns.system { $0.raw(block) } }
            }
            writeInference(request, maxTokens, model, to: &$0)
            if let tools {
                $0.key("toolConfig")
                $0.raw(tools)
            }
            writeOutput(request.responseFormat, reasoning?.effort, to: &$0)
            writeMore(request.sampling.topK, reasoning, to: &$0)
        }
        return writer.bytes
    }

    /// The sampling as the API gets it, whose temperatures end at 1 for every model. Source: Amazon Bedrock's API
    /// reference, `InferenceConfiguration`.
    private static func sampling(_ sampling: ChatSampling, _ model: BedrockModel) -> ChatSampling {
        if let claude = model.claude { return claude.sampling(sampling) }
        var sampling = sampling
        sampling.temperature = sampling.temperature.map { min(1, $0) }
        return sampling
    }

    private static func writeInference(_ request: ChatRequest, _ maxTokens: Int?, _ model: BedrockModel, to writer: inout JSONWriter) {
        let sampling = sampling(request.sampling, model)
        guard maxTokens != nil || sampling.temperature != nil || sampling.topP != nil || !request.stop.isEmpty else { return }
        writer.key("inferenceConfig")
        writer.object {
            if let maxTokens { $0.member("maxTokens", maxTokens) }
            $0.number("temperature", sampling.temperature)
            $0.number("topP", sampling.topP)
            if !request.stop.isEmpty {
                $0.key("stopSequences")
                $0.array { for text in request.stop { $0.string(text) } }
            }
        }
    }

    private static func writeOutput(_ format: ChatResponseFormat?, _ effort: String?, to writer: inout JSONWriter) {
        var schema: (name: String, description: String?, schema: [UInt8])?
        if case .schema(let name, let description, let json, _) = format { schema = (name, description, json) }
        guard schema != nil || effort != nil else { return }
        writer.key("outputConfig")
        writer.object { writer in
            if let effort { writer.member("effort", effort) }
            guard let schema else { return }
            writer.key("textFormat")
            writer.object {
                $0.member("type", "json_schema")
                $0.key("structure")
                $0.object {
                    $0.key("jsonSchema")
                    $0.object {
                        // A text, unlike the schema of a tool.
                        $0.member("schema", String(decoding: AnthropicSchema.accepted(schema.schema), as: UTF8.self))
                        $0.member("name", schema.name)
                        if let description = schema.description { $0.member("description", description) }
                    }
                }
            }
        }
    }

    /// What Claude has beyond this format.
    private static func writeMore(_ topK: Int?, _ reasoning: AnthropicReasoning?, to writer: inout JSONWriter) {
        guard topK != nil || reasoning?.hasThinking == true else { return }
        writer.key("additionalModelRequestFields")
        writer.object {
            if let topK { $0.member("top_k", topK) }
            reasoning?.writeThinking(to: &$0)
        }
    }

    // MARK: Tools

    /// The value of `toolConfig`, which a conversation with tool calls always needs; nil if there is none.
    private static func tools(of request: ChatRequest, _ turns: BedrockTurns, _ model: BedrockModel) throws(ProviderError) -> [UInt8]? {
        var tools = request.tools
        if case .some(.none) = request.toolChoice {
            guard turns.toolNames.isEmpty else { throw .cannotExpress("'tool_choice': 'none' after tool calls") }
            tools = []
        }
        if tools.isEmpty { tools = turns.toolNames.map { ChatTool(name: $0) } }
        guard !tools.isEmpty else { return nil }
        var writer = JSONWriter(capacity: 1024)
        writer.object { writer in
            writer.key("tools")
            writer.array { for tool in tools { write(tool, model, to: &$0) } }
            guard !request.tools.isEmpty else { return }
            switch request.toolChoice {
            case nil, .auto, .some(.none): return
            case .required: write(choice: "any", to: &writer) { _ in }
            case .tool(let name): write(choice: "tool", to: &writer) { $0.member("name", name) }
            }
        }
        return writer.bytes
    }

    private static func write(choice: StaticString, to writer: inout JSONWriter, _ members: (inout JSONWriter) -> Void) {
        writer.key("toolChoice")
        writer.object {
            $0.key(choice)
            $0.object { members(&$0) }
        }
    }

    private static func write(_ tool: ChatTool, _ model: BedrockModel, to writer: inout JSONWriter) {
        writer.object {
            $0.key("toolSpec")
            $0.object {
                $0.member("name", tool.name)
                // An empty description is refused.
                if let description = tool.description, !description.isEmpty { $0.member("description", description) }
                $0.key("inputSchema")
                $0.object {
                    $0.key("json")
                    $0.raw(tool.objectSchema)
                }
                if let isStrict = tool.isStrict, model.claude?.acceptsSchemas == true { $0.member("strict", isStrict) }
            }
        }
        if let point = model.cachePoint(tool.cacheControl) { writer.raw(point) }
    }
}

/// What a model accepts, judged by its id. Sources: Amazon Bedrock's user guide, "Prompt caching" and "Supported models
/// and features"; for Claude, ``AnthropicModel``.
struct BedrockModel {
    /// nil for a model of another vendor, and for an id that doesn't name the model, such as that of an application's
    /// inference profile.
    let claude: AnthropicModel?
    private let hasCache: Bool

    init(_ id: String) {
        let id = id.lowercased()
        claude = id.contains("claude") ? AnthropicModel(id) : nil
        hasCache = claude != nil || id.contains("nova")
    }

    /// The block that ends a part that may be cached; nil if the client doesn't ask for it, or the model has no cache.
    func cachePoint(_ cacheControl: [UInt8]?) -> [UInt8]? {
        guard hasCache, let cacheControl else { return nil }
        let ttl = JSONTree(cacheControl.span.bytes)?["ttl"]?.string
        var writer = JSONWriter()
        writer.object {
            $0.key("cachePoint")
            $0.object {
                $0.member("type", "default")
                if let ttl, claude != nil { $0.member("ttl", ttl) }
            }
        }
        return writer.bytes
    }
}
