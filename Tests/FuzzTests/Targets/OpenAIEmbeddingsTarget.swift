import Codecs
import ProviderKit

@testable import WireFormats

/// A request for embeddings, and a response with vectors, that can be read read back as equal when they are written. In
/// base64, a vector keeps its bits.
func checkOpenAIEmbeddings(_ bytes: [UInt8]) throws {
    guard (try? JSON.members(of: bytes.span.bytes)) != nil else { return }
    if let request = try? OpenAIEmbeddings.readRequest(bytes.span.bytes) {
        let written = OpenAIEmbeddings.writeRequest(request)
        try ensure((try? OpenAIEmbeddings.readRequest(written.span.bytes)) == request, "\(request) reads back as another")
    }
    guard let response = OpenAIEmbeddings.readResponse(bytes.span.bytes) else { return }
    for encoding in [OpenAIEmbeddings.Encoding.float, .base64] {
        let isFinite = response.vectors.allSatisfy { $0.allSatisfy(\.isFinite) }
        if encoding == .float, !isFinite { continue }  // JSON has no such numbers
        let written = OpenAIEmbeddings.writeResponse(response, model: "m", usage: nil, encoding)
        let again = OpenAIEmbeddings.readResponse(written.span.bytes)
        try ensure(again.map(bits) == bits(response), "\(response) reads back as \(String(describing: again))")
    }
}

private func bits(_ response: EmbeddingsResponse) -> [[UInt32]] { response.vectors.map { $0.map(\.bitPattern) } }
