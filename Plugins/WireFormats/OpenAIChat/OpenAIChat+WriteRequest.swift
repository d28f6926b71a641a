import Codecs
import ProviderKit

extension OpenAIChat {
    /// Writes a request in this format, without `model`.
    ///
    /// Left out, by the rule of ``ChatRequest``: the ``ChatServiceSettings`` for servers other than OpenAI's. `top_k`,
    /// which many servers have and OpenAI refuses, is written for all.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call, _ dialect: OpenAIDialect) throws(ProviderError) -> [UInt8] {
        try request.refuseLogprobs(for: call)
        if dialect.isOpenAI, request.stop.count > 4 { throw .cannotExpress("more than 4 stop sequences ('stop')") }
        let needsDemand = request.responseFormat == .json && !request.messages.mentionJSON
        var messages = JSONWriter(capacity: 1024)
        try OpenAIMessages(call, dialect).write(needsDemand ? request.messages.demandingJSON : request.messages, to: &messages)
        var writer = JSONWriter(capacity: 1024)
        writer.object { writer in
            writer.key("messages")
            messages.withBytes { writer.raw(Array($0)) }
            if call.isStream { writer.member("stream", true) }
            write(request.tools, request, dialect, to: &writer)
            if let maxTokens = request.maxTokens {
                writer.key(dialect.hasOldTokenLimit ? "max_tokens" : "max_completion_tokens")
                writer.integer(maxTokens)
            }
            write(request.sampling, to: &writer)
            if !request.stop.isEmpty {
                writer.key("stop")
                writer.array { for text in request.stop { $0.string(text) } }
            }
            if request.choices > 1 { writer.member("n", request.choices) }
            if let format = request.responseFormat { write(format, to: &writer) }
            if let reasoning = request.reasoning { write(reasoning, OpenAIModel(call.model), dialect.effort, to: &writer) }
            if let user = request.user, user.unicodeScalars.count <= maxUserLength { writer.member("user", user) }
            if dialect.isOpenAI {
                writer.members(of: request.service)
                if let verbosity = request.service.verbosity { writer.member("verbosity", verbosity) }
            }
            if !request.metadata.isEmpty {
                writer.key("metadata")
                writer.object { for (name, value) in request.metadata.sorted(by: { $0.key < $1.key }) { $0.member(escaping: name, value) } }
            }
        }
        return writer.bytes
    }

    /// OpenAI refuses a longer `user`. Source: as recorded by its clients.
    private static let maxUserLength = 64

    private static func write(_ reasoning: ChatReasoning, _ model: OpenAIModel, _ form: OpenAIDialect.Effort, to writer: inout JSONWriter) {
        let name = reasoning.effortName
        switch form {
        case .name:
            if let name = name.flatMap(model.effort) { writer.member("reasoning_effort", name) }
        case .object:
            writer.key("reasoning")
            writer.object {
                if case .budget(let tokens) = reasoning, tokens > 0 {
                    $0.member("max_tokens", tokens)
                } else if let name {
                    $0.member("effort", name)
                } else {
                    $0.member("enabled", true)
                }
            }
        case .thinking:
            writer.key("thinking")
            writer.object { $0.member("type", name == "none" ? "disabled" : "enabled") }
            if let name, name != "none" { writer.member("reasoning_effort", name) }
        }
    }

    private static func write(_ sampling: ChatSampling, to writer: inout JSONWriter) {
        writer.number("temperature", sampling.temperature)
        writer.number("top_p", sampling.topP)
        if let topK = sampling.topK { writer.member("top_k", topK) }
        writer.number("frequency_penalty", sampling.frequencyPenalty)
        writer.number("presence_penalty", sampling.presencePenalty)
        if let seed = sampling.seed { writer.member("seed", seed) }
    }

    private static func write(
        _ tools: [ChatTool], _ request: ChatRequest, _ dialect: OpenAIDialect, to writer: inout JSONWriter
    ) {
        guard !tools.isEmpty else { return }
        writer.key("tools")
        writer.array { for tool in tools { write(tool, dialect, to: &$0) } }
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
                $0.key("function")
                $0.object { $0.member("name", OpenAIToolName.sent(name)) }
            }
        }
    }

    private static func write(_ tool: ChatTool, _ dialect: OpenAIDialect, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "function")
            $0.key("function")
            $0.object {
                $0.member("name", OpenAIToolName.sent(tool.name))
                if let description = tool.description { $0.member("description", description) }
                if let parameters = tool.parameters {
                    $0.key("parameters")
                    $0.raw(parameters)
                }
                if let isStrict = tool.isStrict { $0.member("strict", isStrict && OpenAISchema.allowsStrict(tool.parameters)) }
            }
            if dialect.hasCacheControl { $0.cacheControl(tool.cacheControl) }
        }
    }

    private static func write(_ format: ChatResponseFormat, to writer: inout JSONWriter) {
        writer.key("response_format")
        writer.object { writer in
            switch format {
            case .text: writer.member("type", "text")
            case .json: writer.member("type", "json_object")
            case .schema(let name, let description, let schema, let isStrict):
                writer.member("type", "json_schema")
                writer.key("json_schema")
                writer.object {
                    $0.member("name", name)
                    if let description { $0.member("description", description) }
                    $0.key("schema")
                    $0.raw(schema)
                    $0.member("strict", isStrict && OpenAISchema.allowsStrict(schema))
                }
            }
        }
    }
}
