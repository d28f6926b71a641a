import Codecs
import ProviderKit

extension Gemini {
    /// Writes a request in this format, without the model.
    ///
    /// Left out, by the rule of ``ChatRequest``: the metadata, the user, a speaker's name, the detail of an image, what
    /// may be cached, and ``ChatRequest/allowsParallelTools``.
    ///
    /// - Parameter signatures: those of calls whose client has no field for them; nil if there are none.
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: ChatRequest, for call: Call, _ signatures: GeminiSignatures?) throws(ProviderError) -> [UInt8] {
        let model = GeminiModel(call.model)
        try request.refuseLogprobs(for: call)
        if request.choices > 1 { throw .cannotExpress("several choices ('n')") }
        // Source: the Gemini API reference, `GenerationConfig`.
        if request.stop.count > 5 { throw .cannotExpress("more than 5 stop sequences ('stop')") }
        let turns = try GeminiTurns(request.messages, model, call, signatures)
        var writer = JSONWriter(capacity: 2048)
        writer.object { writer in
            if !turns.system.isEmpty {
                writer.key("systemInstruction")
                writer.object {
                    $0.key("parts")
                    $0.array { for part in turns.system { $0.raw(part) } }
                }
            }
            writer.key("contents")
            turns.write(to: &writer)
            writeTools(request, to: &writer)
            if call.operation == .countTokens { return }
            let config = config(request, model)
            guard config.count > 2 else { return }
            writer.key("generationConfig")
            writer.raw(config)
        }
        return writer.bytes
    }

    // MARK: Tools

    private static func writeTools(_ request: ChatRequest, to writer: inout JSONWriter) {
        guard !request.tools.isEmpty else { return }
        writer.key("tools")
        writer.array { writer in
            writer.object { writer in
                writer.key("functionDeclarations")
                writer.array { for tool in request.tools { write(tool, to: &$0) } }
            }
        }
        guard let (mode, name) = mode(request) else { return }
        writer.key("toolConfig")
        writer.object { writer in
            writer.key("functionCallingConfig")
            writer.object {
                $0.member("mode", mode)
                guard let name else { return }
                $0.key("allowedFunctionNames")
                $0.array { $0.string(name) }
            }
        }
    }

    private static func write(_ tool: ChatTool, to writer: inout JSONWriter) {
        writer.object {
            $0.member("name", tool.name)
            if let description = tool.description, !description.isEmpty { $0.member("description", description) }
            if let parameters = tool.parameters {
                $0.key("parametersJsonSchema")
                $0.raw(parameters)
            }
        }
    }

    /// The mode, and the function to call. `VALIDATED` lets the model decide, and makes arguments match their schemas.
    private static func mode(_ request: ChatRequest) -> (mode: String, name: String?)? {
        let isStrict = request.tools.contains { $0.isStrict == true }
        switch request.toolChoice {
        case nil: return isStrict ? ("VALIDATED", nil) : nil
        case .auto: return (isStrict ? "VALIDATED" : "AUTO", nil)
        case .some(.none): return ("NONE", nil)
        case .required: return ("ANY", nil)
        case .tool(let name): return ("ANY", name)
        }
    }

    // MARK: Configuration

    private static func config(_ request: ChatRequest, _ model: GeminiModel) -> [UInt8] {
        var writer = JSONWriter()
        let sampling = request.sampling
        writer.object { writer in
            writer.number("temperature", sampling.temperature)
            writer.number("topP", sampling.topP)
            if let topK = sampling.topK { writer.member("topK", topK) }
            if let maxTokens = request.maxTokens { writer.member("maxOutputTokens", maxTokens) }
            if !request.stop.isEmpty {
                writer.key("stopSequences")
                writer.array { for text in request.stop { $0.string(text) } }
            }
            writer.number("presencePenalty", sampling.presencePenalty)
            writer.number("frequencyPenalty", sampling.frequencyPenalty)
            if let seed = sampling.seed { writer.member("seed", seed) }
            switch request.responseFormat {
            case nil, .text: break
            case .json: writer.member("responseMimeType", "application/json")
            case .schema(_, _, let schema, _):
                writer.member("responseMimeType", "application/json")
                writer.key("responseJsonSchema")
                writer.raw(schema)
            }
            guard let thinking = request.reasoning.flatMap(model.thinkingConfig) else { return }
            writer.key("thinkingConfig")
            writer.object {
                if let budget = thinking.budget { $0.member("thinkingBudget", budget) }
                if let level = thinking.level { $0.member("thinkingLevel", level) }
                $0.member("includeThoughts", thinking.includesThoughts)
            }
        }
        return writer.bytes
    }
}
