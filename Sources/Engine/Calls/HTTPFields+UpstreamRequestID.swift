import HTTPWire

extension HTTPFields {
    /// The fields in which providers send their own id of a request. Sources: the API references of OpenAI
    /// (`x-request-id`; OpenRouter, Mistral, Groq and vLLM use it too), Anthropic (`request-id`), Azure OpenAI
    /// (`apim-request-id`, `x-ms-request-id`), Amazon Bedrock (`x-amzn-requestid`), Google (`x-goog-request-id`), Groq
    /// (`x-groq-id`) and Cloudflare (`cf-ray`).
    private static let upstreamRequestIDs: [StaticString] = [
        "x-request-id", "request-id", "apim-request-id", "x-ms-request-id", "x-amzn-requestid", "x-goog-request-id", "x-groq-id", "cf-ray",
    ]
    private static let maxRequestIDBytes = 128

    /// The upstream's own id of the request; nil if it sent none that consists of 1 to 128 visible ASCII characters.
    var upstreamRequestID: String? {
        for name in Self.upstreamRequestIDs where contains(name) {
            guard let id = value(name.description), (1...Self.maxRequestIDBytes).contains(id.utf8.count) else { continue }
            if id.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { return id }
        }
        return nil
    }
}
