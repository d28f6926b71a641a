/// The format of a stream.
enum StreamFormat {
    case openAI, anthropic
}

/// The target of a load: the server's port, the client's key and the requested model.
struct Endpoint {
    let port: UInt16
    let key: String
    let model: String

    func modelsRequest() -> [UInt8] {
        Array("GET /v1/models HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(key)\r\n\r\n".utf8)
    }

    /// A chat request with a body of 1024 bytes.
    func chatRequest(stream: Bool) -> [UInt8] {
        let start =
            #"{"model":"\#(model)","stream":\#(stream),"temperature":0.7,"max_tokens":400,"messages":"#
            + #"[{"role":"system","content":"You are terse."},{"role":"user","content":""#
        let rest = #""}]}"#
        return request("/v1/chat/completions", start, rest)
    }

    /// A streamed request in Anthropic's format, with a body of 1024 bytes.
    func messagesRequest() -> [UInt8] {
        let start =
            #"{"model":"\#(model)","stream":true,"temperature":0.7,"max_tokens":400,"system":"You are terse.","messages":"#
            + #"[{"role":"user","content":""#
        return request("/v1/messages", start, #""}]}"#)
    }

    /// The same for the model whose upstream has Anthropic's format.
    var atAnthropic: Endpoint { Endpoint(port: port, key: key, model: Workspace.anthropicPrefix + model) }

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
