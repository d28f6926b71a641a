import Codecs
import ProviderKit

extension OllamaChat {
    /// Writes a request to chat in this format, without `model`.
    ///
    /// Left out, by the rule of ``ChatRequest``: the user, the metadata, a speaker's name, the detail of an image,
    /// whether a tool's schema is strict, and ``ChatRequest/allowsParallelTools``.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call) throws(ProviderError) -> [UInt8] {
        try request.refuseLogprobs(for: call)
        if request.choices > 1 { throw .cannotExpress("several choices ('n')") }
        var tools = request.tools
        switch request.toolChoice {
        case nil, .auto: break
        // A model can't call a tool that it doesn't know.
        case .some(.none): tools = []
        case .required: throw .cannotExpress("a tool call that is required")
        case .tool(let name): throw .cannotExpress("a call of '\(name.prefix(64))' that is required")
        }
        var messages = JSONWriter(capacity: 1024)
        try OllamaMessages.write(request.messages, to: &messages)
        let think = call.repairs.contains(.withoutThink) ? nil : request.reasoning.flatMap(think)
        var writer = JSONWriter(capacity: 1024)
        writer.object { writer in
            writer.key("messages")
            messages.withBytes { writer.raw(Array($0)) }
            // It would be true if it were absent.
            writer.member("stream", call.isStream)
            if !tools.isEmpty {
                writer.key("tools")
                writer.array { for tool in tools { write(tool, to: &$0) } }
            }
            if let format = request.responseFormat { write(format, to: &writer) }
            if let think {
                writer.key("think")
                writer.raw(think)
            }
            writeOptions(request, to: &writer)
        }
        return writer.bytes
    }

    private static func write(_ tool: ChatTool, to writer: inout JSONWriter) {
        writer.object {
            $0.member("type", "function")
            $0.key("function")
            $0.object {
                $0.member("name", tool.name)
                if let description = tool.description { $0.member("description", description) }
                $0.key("parameters")
                $0.raw(tool.parameters ?? Array(#"{"type":"object","properties":{}}"#.utf8))
            }
        }
    }

    private static func write(_ format: ChatResponseFormat, to writer: inout JSONWriter) {
        switch format {
        case .text: return
        case .json: writer.member("format", "json")
        case .schema(_, _, let schema, _):
            writer.key("format")
            writer.raw(schema)
        }
    }

    /// The value of `think`; nil leaves it to the model. Models without thinking accept false and refuse the others.
    /// The levels are those of gpt-oss, and mean true for other models.
    private static func think(_ reasoning: ChatReasoning) -> [UInt8]? {
        switch reasoning.effortName {
        case nil: nil
        case "none": Array("false".utf8)
        case "minimal", "low": Array(#""low""#.utf8)
        case "high": Array(#""high""#.utf8)
        case "xhigh", "max": Array(#""max""#.utf8)
        default: Array(#""medium""#.utf8)
        }
    }

    private static func writeOptions(_ request: ChatRequest, to writer: inout JSONWriter) {
        let sampling = request.sampling
        guard request.maxTokens != nil || !request.stop.isEmpty || sampling != ChatSampling() else { return }
        writer.key("options")
        writer.object {
            if let maxTokens = request.maxTokens { $0.member("num_predict", maxTokens) }
            $0.number("temperature", sampling.temperature)
            $0.number("top_p", sampling.topP)
            if let topK = sampling.topK { $0.member("top_k", topK) }
            $0.number("frequency_penalty", sampling.frequencyPenalty)
            $0.number("presence_penalty", sampling.presencePenalty)
            if let seed = sampling.seed { $0.member("seed", seed) }
            if !request.stop.isEmpty {
                $0.key("stop")
                $0.array { for text in request.stop { $0.string(text) } }
            }
        }
    }
}
