/// A parser of bytes from outside, and what holds for each input. `make fuzz` searches for inputs that break it, and
/// those that it has found are tests from then on.
struct FuzzTarget: Sendable, CustomStringConvertible {
    /// The name of the folder in `Inputs/` too.
    let name: String
    /// The folders with committed inputs, which are short examples, and what has broken a property once.
    let inputs: [String]
    /// Throws if the input breaks a property.
    let check: @Sendable ([UInt8]) throws -> Void

    var description: String { name }

    /// - Parameter examples: a folder with further inputs, from the root of the repository.
    init(_ name: String, examples: String? = nil, _ check: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.check = check
        inputs = ["\(Self.folder)/\(name)"] + (examples.map { ["\(Self.folder)/../../../\($0)"] } ?? [])
    }

    /// All targets. A new one needs a file in `Targets/`, a row here, and a folder with at least one input.
    static let all = [
        FuzzTarget("json", checkJSON),
        FuzzTarget("sse", checkEventStream),
        FuzzTarget("ndjson", checkJSONLines),
        FuzzTarget("aws-events", checkAWSEvents),
        FuzzTarget("http-request", checkHTTPRequests),
        FuzzTarget("http-response", checkHTTPResponse),
        FuzzTarget("http-chunks", checkChunkedBody),
        FuzzTarget("proxy-header", checkProxyHeader),
        FuzzTarget("policy", examples: "Tests/RoutingPolicyTests/Goldens", checkPolicy),
        FuzzTarget("mask", checkMask),
        FuzzTarget("chat-request", checkChatRequest),
        FuzzTarget("form", checkForm),
        FuzzTarget("openai-response", checkOpenAIResponse),
        FuzzTarget("openai-events", checkOpenAIEvents),
        FuzzTarget("openai-error", checkOpenAIError),
        FuzzTarget("openai-request", checkOpenAIRequest),
        FuzzTarget("openai-embeddings", checkOpenAIEmbeddings),
        FuzzTarget("responses-request", checkResponsesRequest),
        FuzzTarget("responses-body", checkResponsesBody),
        FuzzTarget("responses-response", checkResponsesResponse),
        FuzzTarget("model-list", checkModelList),
        FuzzTarget("anthropic-request", checkAnthropicRequest),
        FuzzTarget("anthropic-body", checkAnthropicBody),
        FuzzTarget("anthropic-response", checkAnthropicResponse),
        FuzzTarget("ollama-request", checkOllamaRequest),
        FuzzTarget("ollama-body", checkOllamaBody),
        FuzzTarget("ollama-response", checkOllamaResponse),
        FuzzTarget("gemini-request", checkGeminiRequest),
        FuzzTarget("gemini-body", checkGeminiBody),
        FuzzTarget("gemini-response", checkGeminiResponse),
    ]

    /// The inputs of all targets, in a folder for each.
    static let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/Inputs"
}

/// A property that an input breaks.
struct Violation: Error, CustomStringConvertible {
    var description: String
}

func ensure(_ condition: Bool, _ rule: @autoclosure () -> String) throws {
    if !condition { throw Violation(description: rule()) }
}
