import Codecs
import ProviderKit

extension DemoProvider {
    /// The length of a vector if the request doesn't set it.
    private static let dimensions = 8
    private static let maxDimensions = 4096

    /// One JSON line for each vector, and one for the end. Equal inputs have equal vectors of length 1.
    func response(to call: Call, _ request: EmbeddingsRequest) -> LocalResponse {
        let texts = request.inputs.map { input in
            switch input {
            case .text(let text): text
            case .tokens(let tokens): tokens.map(String.init).joined(separator: " ")
            }
        }
        if let failure = failure(of: call, texts.joined(separator: "\n")) { return failure }
        let count = max(1, min(request.dimensions ?? Self.dimensions, Self.maxDimensions))
        let lines = texts.map { text in
            line { writer in
                writer.key("vector")
                writer.array { for value in Self.vector(of: text, count) { $0.double(Double(value)) } }
            }
        }
        let end = line { $0.member("prompt_tokens", texts.reduce(0) { $0 + $1.wordCount }) }
        let head = UpstreamHead(status: 200, fields: [HTTPField("content-type", "application/x-ndjson")])
        return LocalResponse(head: head, chunks: [.init(delay: options.delay, bytes: Array(lines.joined()) + end)])
    }

    /// Numbers from the text's FNV-1a hash. Source: RFC draft-eastlake-fnv, section 2.
    private static func vector(of text: String, _ count: Int) -> [Float] {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        let raw = (0..<count).map { _ -> Float in
            hash = (hash ^ (hash >> 29)) &* 0xBF58_476D_1CE4_E5B9
            return Float(Int64(bitPattern: hash) >> 40) / Float(1 << 23)
        }
        let length = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return length > 0 ? raw.map { $0 / length } : raw
    }
}

/// A decoder for the demo's vectors, which are JSON lines.
struct DemoVectorDecoder: ResponseDecoder {
    private var lines = NDJSONDecoder()
    private var vectors: [[Float]] = []

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int {
        do throws(NDJSONError) {
            while let line = try lines.nextLine(bytes) { read(bytes.extracting(line), &response) }
        } catch {
            throw ProviderError(.upstreamError, message: "the demo provider sent an invalid line: \(error)")
        }
        return lines.consume()
    }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        throw .truncated("the demo provider stopped before the end of its response")
    }

    private mutating func read(_ line: RawSpan, _ response: inout ResponseSink) {
        guard let object = JSONTree(line) else { return }
        if let vector = object["vector"]?.elements {
            vectors.append(vector.compactMap { $0.double.map { Float($0) } })
        } else if let tokens = object["prompt_tokens"]?.integer {
            response.embeddings(EmbeddingsResponse(vectors: vectors))
            response.usage(Usage(promptTokens: tokens, completionTokens: 0))
            response.complete()
        }
    }
}
