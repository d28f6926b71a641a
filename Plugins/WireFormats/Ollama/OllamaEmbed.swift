import Codecs
public import ProviderKit

/// Ollama's embeddings, and their older form for one text. Sources: ollama/ollama, docs/api.md, "Generate Embeddings"
/// and "Generate Embedding".
public enum OllamaEmbed {
    /// The format of `POST /api/embed`.
    public static let format = WireFormat("ollama-embed")
    /// The format of `POST /api/embeddings`.
    public static let legacy = WireFormat("ollama-embeddings")

    /// Reads a request for a provider with another format. That a text may be cut is left out: other servers refuse one
    /// that is too long.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that Ollama would refuse, with its place as `param`.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> EmbeddingsRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        let root = RequestValue(tree, ""), input = try root.required("input")
        let texts = try input.texts()
        guard !texts.isEmpty else { throw input.invalid("a text or a list that isn't empty") }
        return EmbeddingsRequest(inputs: texts.map { .text($0) }, dimensions: try root["dimensions"]?.integer())
    }

    /// Reads a request in the older form.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: as ``readRequest(_:)``.
    public static func readLegacyRequest(_ body: RawSpan) throws(ProviderError) -> EmbeddingsRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        return EmbeddingsRequest(inputs: [.text(try RequestValue(tree, "").required("prompt").text())])
    }

    /// Writes a request, without `model`.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: EmbeddingsRequest) throws(ProviderError) -> [UInt8] {
        var texts: [String] = []
        for input in request.inputs {
            guard case .text(let text) = input else { throw .cannotExpress("a text as tokens") }
            texts.append(text)
        }
        var writer = JSONWriter()
        writer.object {
            $0.key("input")
            $0.array { for text in texts { $0.string(text) } }
            if let dimensions = request.dimensions { $0.member("dimensions", dimensions) }
        }
        return writer.bytes
    }

    /// Writes a response.
    ///
    /// - Parameters:
    ///   - format: ``format`` or ``legacy``, whose response has the first vector only.
    ///   - usage: nil if it is unknown.
    public static func writeResponse(
        _ response: EmbeddingsResponse, _ format: WireFormat, model: String, usage: Usage?, _ durations: OllamaDurations
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: response.vectors.reduce(256) { $0 &+ $1.count &* 12 })
        writer.object { writer in
            guard format != legacy else {
                writer.key("embedding")
                return writer.vector(response.vectors.first ?? [])
            }
            writer.member("model", model)
            writer.key("embeddings")
            writer.array { for vector in response.vectors { $0.vector(vector) } }
            writer.member("total_duration", durations.total)
            writer.member("load_duration", 0)
            if let tokens = usage?.promptTokens { writer.member("prompt_eval_count", tokens) }
        }
        return writer.bytes
    }

    /// Reads a response's vectors, in either form; nil if they can't be read.
    static func readResponse(_ object: JSONTree) -> EmbeddingsResponse? {
        if let vector = object["embedding"] { return vector.vector.map { EmbeddingsResponse(vectors: [$0]) } }
        guard let elements = object["embeddings"]?.elements else { return nil }
        let vectors = elements.compactMap(\.vector)
        return vectors.count == elements.count ? EmbeddingsResponse(vectors: vectors) : nil
    }

    /// The decoder for a response: one JSON object.
    public static func decoder(for call: Call, head: UpstreamHead) throws(ProviderError) -> any ResponseDecoder {
        switch head.bodyForm {
        case .jsonObject: return OllamaEmbedDecoder(readsVectors: call.isTyped)
        case .eventStream, .jsonLines: throw .unreadable("a stream, which was not requested")
        case .jsonArray: throw .unreadable("a JSON array")
        case .markup: throw .unreadable("a page of HTML or XML; check 'base_url'")
        case .other: throw .unreadable("no JSON; check 'base_url'")
        case nil: throw .unreadable("an empty body")
        }
    }
}

/// A decoder for vectors. It consumes nothing before the end.
struct OllamaEmbedDecoder: ResponseDecoder {
    /// Whether the client has another format.
    let readsVectors: Bool

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard let members = try? JSON.members(of: bytes) else {
            throw .truncated("the upstream closed the response in the middle of a JSON object")
        }
        var hasVectors = false
        for (key, value) in members.map({ ($0.key, $0.value) }) {
            if JSON.isKey(key, "error", in: bytes), value.kind == .string || value.kind == .object {
                throw .reported(bytes.extracting(value.range))
            }
            if JSON.isKey(key, "embeddings", in: bytes) || JSON.isKey(key, "embedding", in: bytes) { hasVectors = value.kind == .array }
            if JSON.isKey(key, "prompt_eval_count", in: bytes), let tokens = JSON.integer(value, in: bytes), tokens >= 0 {
                // Vectors have no tokens of their own.
                response.usage(Usage(promptTokens: tokens, completionTokens: 0))
            }
        }
        if !readsVectors, hasVectors {
            response.buffered(bytes.withoutBlanks, signals: Signals(finishes: 1))
        } else if readsVectors, let vectors = JSONTree(bytes).flatMap(OllamaEmbed.readResponse) {
            response.embeddings(vectors)
        } else {
            throw .unreadable("JSON without vectors")
        }
        response.complete()
    }
}
