import Codecs
public import ProviderKit

/// OpenAI's embeddings. Source: OpenAI's API reference, "Embeddings".
public enum OpenAIEmbeddings {
    /// The format.
    public static let format = WireFormat("openai-embeddings")

    /// Reads a request for a provider with another format.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that OpenAI would refuse, with its place as `param`.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> EmbeddingsRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        let root = RequestValue(tree, "")
        _ = try encoding(root)
        return EmbeddingsRequest(
            inputs: try inputs(try root.required("input")), dimensions: try root["dimensions"]?.integer(), user: try root["user"]?.text())
    }

    /// One text, a list of texts, one text as tokens, or a list of those.
    private static func inputs(_ value: RequestValue) throws(ProviderError) -> [EmbeddingsRequest.Input] {
        if let text = value.tree.string { return [.text(text)] }
        let elements = try value.elements()
        guard !elements.isEmpty else { throw value.invalid("a text or a list that isn't empty") }
        if elements.contains(where: { $0.tree.integer != nil }) { return [.tokens(try tokens(value))] }
        var inputs: [EmbeddingsRequest.Input] = []
        for element in elements {
            if let text = element.tree.string { inputs.append(.text(text)) } else { inputs.append(.tokens(try tokens(element))) }
        }
        return inputs
    }

    private static func tokens(_ value: RequestValue) throws(ProviderError) -> [Int] {
        var tokens: [Int] = []
        for element in try value.elements() { tokens.append(try element.integer()) }
        return tokens
    }

    /// How the client wants the vectors written.
    public enum Encoding: String, Sendable {
        /// Lists of numbers, the default.
        case float
        /// Little-endian 32-bit floats in base64, which OpenAI's SDKs request.
        case base64
    }

    /// The encoding that a request asks for.
    ///
    /// - Parameter body: one valid JSON object.
    public static func encoding(of body: RawSpan) -> Encoding {
        JSONTree(body).flatMap { try? encoding(RequestValue($0, "")) } ?? .float
    }

    private static func encoding(_ root: RequestValue) throws(ProviderError) -> Encoding {
        guard let value = root["encoding_format"] else { return .float }
        guard let encoding = Encoding(rawValue: try value.text()) else { throw value.invalid("'float' or 'base64'") }
        return encoding
    }

    /// Writes a request in this format, without `model`. Vectors are requested as numbers.
    static func writeRequest(_ request: EmbeddingsRequest) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("input")
            writer.array { writer in
                for input in request.inputs {
                    switch input {
                    case .text(let text): writer.string(text)
                    case .tokens(let tokens): writer.array { for token in tokens { $0.integer(token) } }
                    }
                }
            }
            if let dimensions = request.dimensions { writer.member("dimensions", dimensions) }
            if let user = request.user { writer.member("user", user) }
            writer.member("encoding_format", "float")
        }
        return writer.bytes
    }

    /// Writes a response.
    ///
    /// - Parameter usage: nil if it is unknown, which this format writes as 0.
    public static func writeResponse(_ response: EmbeddingsResponse, model: String, usage: Usage?, _ encoding: Encoding) -> [UInt8] {
        let tokens = usage?.promptTokens ?? 0
        var writer = JSONWriter(capacity: response.vectors.reduce(256) { $0 &+ $1.count &* 12 })
        writer.object { writer in
            writer.member("object", "list")
            writer.key("data")
            writer.array { writer in
                for (index, vector) in response.vectors.enumerated() {
                    writer.object { writer in
                        writer.member("object", "embedding")
                        writer.member("index", index)
                        writer.key("embedding")
                        switch encoding {
                        case .float: writer.array { for value in vector { $0.float(value) } }
                        case .base64: writer.string(VectorText.encoded(vector))
                        }
                    }
                }
            }
            writer.member("model", model)
            writer.key("usage")
            writer.object {
                $0.member("prompt_tokens", tokens)
                $0.member("total_tokens", tokens)
            }
        }
        return writer.bytes
    }

    /// Reads a response's vectors, in the order of their indices. nil if they can't be read.
    static func readResponse(_ body: RawSpan) -> EmbeddingsResponse? {
        guard let data = JSONTree(body)?["data"]?.elements else { return nil }
        var vectors: [(index: Int, vector: [Float])] = []
        for (position, element) in data.enumerated() {
            guard let vector = element["embedding"].flatMap(vector) else { return nil }
            vectors.append((element["index"]?.integer ?? position, vector))
        }
        return EmbeddingsResponse(vectors: vectors.sorted { $0.index < $1.index }.map(\.vector))
    }

    private static func vector(_ value: JSONTree) -> [Float]? {
        if let text = value.string { return VectorText.decoded(text) }
        guard let elements = value.elements else { return nil }
        let numbers = elements.compactMap { $0.double.map { Float($0) } }
        return numbers.count == elements.count ? numbers : nil
    }
}
