import Codecs
public import ProviderKit

/// Gemini's embeddings: `embedContent` for one text, and `batchEmbedContents` for several. Source: the Gemini API
/// reference, "Embeddings".
public enum GeminiEmbeddings {
    /// The format of `batchEmbedContents`.
    public static let format = WireFormat("gemini-embeddings")
    /// The format of `embedContent`.
    public static let single = WireFormat("gemini-embedding")

    /// Reads a request of either kind for a provider with another format.
    ///
    /// Left out are the `taskType` and the `title`, for which a model may optimize the vectors.
    ///
    /// - Parameter body: one valid JSON object.
    /// - Throws: ``FailureClass/clientError`` for a value that Gemini would refuse, with its place as `param`, and
    ///   ``FailureClass/unsupported`` for what no other format has.
    public static func readRequest(_ body: RawSpan) throws(ProviderError) -> EmbeddingsRequest {
        guard let tree = JSONTree(body) else { throw .invalid("the body", "", "a JSON object") }
        let root = RequestValue(tree, "")
        let requests = try root["requests"]?.repeated() ?? [root]
        guard !requests.isEmpty else { throw RequestValue(tree, "requests").invalid("a list that isn't empty") }
        var request = EmbeddingsRequest(inputs: [])
        for (index, single) in requests.enumerated() {
            let texts = try GeminiContents.texts(try single.required("content")).compactMap(\.text)
            request.inputs.append(.text(texts.joined(separator: "\n")))
            let config = single[proto: "embedContentConfig"] ?? single
            let dimensions = try config[proto: "outputDimensionality"]?.integer()
            if index > 0, dimensions != request.dimensions { throw .cannotExpress("vectors of different lengths in one request") }
            request.dimensions = dimensions
        }
        return request
    }

    /// Whether a request is one of `embedContent`.
    ///
    /// - Parameter body: one valid JSON object.
    public static func isSingle(_ body: RawSpan) -> Bool { JSONTree(body)?["requests"] == nil }

    /// Writes the value of `requests`.
    ///
    /// - Throws: ``ProviderError/cannotExpress(_:)``.
    static func writeRequest(_ request: EmbeddingsRequest, model: String) throws(ProviderError) -> [UInt8] {
        var texts: [String] = []
        for input in request.inputs {
            guard case .text(let text) = input else { throw .cannotExpress("an input of tokens") }
            texts.append(text)
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("requests")
            writer.array { writer in
                for text in texts {
                    writer.object { writer in
                        writer.member("model", Gemini.modelPrefix + model)
                        writer.key("content")
                        writer.object { writer in
                            writer.key("parts")
                            writer.array { $0.object { $0.member("text", text) } }
                        }
                        if let dimensions = request.dimensions { writer.member("outputDimensionality", dimensions) }
                    }
                }
            }
        }
        return writer.bytes
    }

    /// Writes a response.
    ///
    /// - Parameter isSingle: whether it is one of `embedContent`.
    public static func writeResponse(_ response: EmbeddingsResponse, isSingle: Bool) -> [UInt8] {
        var writer = JSONWriter(capacity: response.vectors.reduce(64) { $0 &+ $1.count &* 12 })
        func write(_ vector: [Float], to writer: inout JSONWriter) {
            writer.object { writer in
                writer.key("values")
                writer.vector(vector)
            }
        }
        writer.object { writer in
            writer.key(isSingle ? "embedding" : "embeddings")
            if isSingle {
                write(response.vectors.first ?? [], to: &writer)
            } else {
                writer.array { for vector in response.vectors { write(vector, to: &$0) } }
            }
        }
        return writer.bytes
    }

    /// Reads a response's vectors. nil if they can't be read.
    static func readResponse(_ body: JSONTree) -> EmbeddingsResponse? {
        guard let embeddings = body["embeddings"]?.elements ?? body["embedding"].map({ [$0] }) else { return nil }
        var vectors: [[Float]] = []
        for embedding in embeddings {
            guard let values = embedding["values"]?.elements else { return nil }
            let numbers = values.compactMap { $0.double.map { Float($0) } }
            guard numbers.count == values.count else { return nil }
            vectors.append(numbers)
        }
        return EmbeddingsResponse(vectors: vectors)
    }
}
