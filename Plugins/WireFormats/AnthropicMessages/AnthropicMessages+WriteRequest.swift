import Codecs
import ProviderKit

extension AnthropicMessages {
    /// Writes a request in this format, without `model`.
    ///
    /// Left out, by the rule of ``ChatRequest``: the seed, the metadata, a speaker's name, the detail of an image, and
    /// whether a tool's schema is strict at models that don't know it. JSON without a schema, which this format can't
    /// enforce, is demanded in the prompt.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call) throws(ProviderError) -> [UInt8] {
        let model = AnthropicModel(call.model)
        try request.refuseLogprobs(for: call)
        if request.choices > 1 { throw .cannotExpress("several choices ('n')") }
        for penalty in [request.sampling.frequencyPenalty, request.sampling.presencePenalty] where penalty ?? 0 != 0 {
            throw .cannotExpress("'frequency_penalty' or 'presence_penalty'")
        }
        if request.stop.contains(where: { $0.allSatisfy(\.isWhitespace) }) {
            throw .cannotExpress("a stop sequence of white space ('stop')")
        }
        let messages = request.responseFormat == .json ? request.messages.demandingJSON : request.messages
        let turns = try AnthropicTurns(messages, model, call)
        let maxTokens =
            call.overrides.maxTokens ?? request.maxTokens ?? call.defaults.maxTokens ?? call.maxOutput ?? model.maxTokens
        let reasoning = AnthropicReasoning(request, lacksThinking: turns.lacksThinking, model, maxTokens: maxTokens)
        let format = try request.responseFormat.flatMap { format throws(ProviderError) in try outputFormat(format, model) }
        var writer = JSONWriter(capacity: 2048)
        writer.object {
            $0.member("max_tokens", maxTokens)
            if !turns.system.isEmpty {
                $0.key("system")
                $0.array { for block in turns.system { $0.raw(block) } }
            }
            $0.key("messages")
            turns.write(to: &$0)
            if call.isStream { $0.member("stream", true) }
            write(request, model, to: &$0)
            reasoning.write(format: format, to: &$0)
            let sampling = model.sampling(request.sampling)
            $0.number("temperature", sampling.temperature)
            $0.number("top_p", sampling.topP)
            if let topK = sampling.topK { $0.member("top_k", topK) }
            if !request.stop.isEmpty {
                $0.key("stop_sequences")
                $0.array { for text in request.stop { $0.string(text) } }
            }
            if let user = request.user, acceptsUser(user) {
                $0.key("metadata")
                $0.object { $0.member("user_id", user) }
            }
        }
        return writer.bytes
    }

    /// Whether Anthropic takes an id of a user: not an address, and at most 256 characters. Source: Anthropic's API
    /// reference, `metadata.user_id`; as its clients have recorded the refusals.
    private static func acceptsUser(_ id: String) -> Bool { !id.contains("@") && id.unicodeScalars.count <= 256 }

    // MARK: Tools

    private static func write(_ request: ChatRequest, _ model: AnthropicModel, to writer: inout JSONWriter) {
        guard !request.tools.isEmpty else { return }
        writer.key("tools")
        writer.array { for tool in request.tools { write(tool, model, to: &$0) } }
        let isSerial = request.allowsParallelTools == false
        guard let choice = request.toolChoice ?? (isSerial ? .auto : nil) else { return }
        writer.key("tool_choice")
        writer.object {
            switch choice {
            case .auto: $0.member("type", "auto")
            case .none: return $0.member("type", "none")
            case .required: $0.member("type", "any")
            case .tool(let name):
                $0.member("type", "tool")
                $0.member("name", name)
            }
            if let allows = request.allowsParallelTools { $0.member("disable_parallel_tool_use", !allows) }
        }
    }

    private static func write(_ tool: ChatTool, _ model: AnthropicModel, to writer: inout JSONWriter) {
        writer.object {
            $0.member("name", tool.name)
            if let description = tool.description, !description.isEmpty { $0.member("description", description) }
            $0.key("input_schema")
            $0.raw(tool.objectSchema)
            if let isStrict = tool.isStrict, model.acceptsSchemas { $0.member("strict", isStrict) }
            $0.cacheControl(tool.cacheControl)
        }
    }

    // MARK: Output

    private static func outputFormat(_ format: ChatResponseFormat, _ model: AnthropicModel) throws(ProviderError) -> [UInt8]? {
        guard case .schema(_, _, let schema, _) = format else { return nil }
        guard model.acceptsSchemas else { throw .cannotExpress("a response format for this model") }
        var writer = JSONWriter(capacity: schema.count + 64)
        writer.object {
            $0.member("type", "json_schema")
            $0.key("schema")
            $0.raw(AnthropicSchema.accepted(schema))
        }
        return writer.bytes
    }
}

extension [BodyField] {
    /// The `max_tokens` that the policy sets.
    fileprivate var maxTokens: Int? {
        last { $0.key == "max_tokens" }.flatMap { JSONTree($0.json.span.bytes)?.integer }
    }
}
