/// The target of a load: the server's port, the client's key and the requested model.
struct Endpoint {
    let port: UInt16
    let key: String
    let model: String

    func modelsRequest() -> [UInt8] {
        Array("GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(key)\r\n\r\n".utf8)
    }

    /// A chat request in the format of a client, with a body of 1024 bytes.
    func chatRequest(_ format: StreamFormat = .openAI, stream: Bool) -> [UInt8] {
        let start = #"{"model":"\#(model)","stream":\#(stream),"temperature":0.7,"#
        return switch format {
        case .openAI, .bedrock:
            request(
                "/v1/chat/completions",
                start + #""max_tokens":400,"messages":[{"role":"system","content":"You are terse."},{"role":"user","content":""#, #""}]}"#)
        case .responses:
            request("/v1/responses", start + #""max_output_tokens":400,"instructions":"You are terse.","input":""#, #""}"#)
        case .anthropic:
            request(
                "/v1/messages", start + #""max_tokens":400,"system":"You are terse.","messages":[{"role":"user","content":""#, #""}]}"#)
        case .gemini:
            request(
                "/v1beta/models/\(model):streamGenerateContent?alt=sse",
                #"{"generationConfig":{"temperature":0.7,"maxOutputTokens":400},"systemInstruction":{"parts":[{"text":"You are terse."}]},"#
                    + #""contents":[{"role":"user","parts":[{"text":""#, #""}]}]}"#)
        case .ollama:
            request(
                "/api/chat",
                #"{"model":"\#(model)","stream":\#(stream),"options":{"temperature":0.7,"num_predict":400},"messages":"#
                    + #"[{"role":"system","content":"You are terse."},{"role":"user","content":""#, #""}]}"#)
        }
    }

    /// The same for the model whose upstream has another format.
    func at(_ format: StreamFormat) -> Endpoint { Endpoint(port: port, key: key, model: format.modelPrefix + model) }

    /// The same for the model whose provider is loaded from a library.
    var atLoadedPlugin: Endpoint { Endpoint(port: port, key: key, model: Workspace.loadedPrefix + model) }

    /// A request for the embedding of a text, with a body of 1024 bytes.
    func embeddingsRequest() -> [UInt8] {
        request("/v1/embeddings", #"{"model":"\#(model)","encoding_format":"float","input":""#, #""}"#)
    }

    /// A request whose body has 1024 bytes, with a text between `start` and `rest`.
    private func request(_ path: String, _ start: String, _ rest: String) -> [UInt8] {
        let sentence = "The quick brown fox jumps over the lazy dog while nobody is looking. "
        let text = String(repeating: sentence, count: 20).prefix(1024 - start.utf8.count - rest.utf8.count)
        let head = """
            POST \(path) HTTP/1.1\r
            Host: 127.0.0.1:\(port)\r
            Authorization: Bearer \(key)\r
            Content-Type: application/json\r
            User-Agent: llm-router-bench\r
            Accept: */*\r
            Content-Length: 1024\r
            \r

            """
        return Array((head + start + text + rest).utf8)
    }
}
