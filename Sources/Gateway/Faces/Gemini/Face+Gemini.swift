import Codecs
import HTTPWire
import ProviderKit
import WireFormats

extension Face {
    /// Gemini's API.
    ///
    /// Sources: the Gemini API reference; google-genai 3.6.1, `_api_client`, `pagers` and `errors`.
    static let gemini = Face(
        name: .gemini, bodiesCarryRouting: false,
        members: .gemini,
        credential: (field: "x-goog-api-key", query: "key"),
        requestFields: [],
        responseFields: [],
        passesRefusals: true,
        writeError: { error, _, _, writer in Gemini.writeError(error.gemini, to: &writer) },
        writeModels: { list, writer throws(APIError) in try GeminiModelList(list).write(to: &writer) },
        writeModel: { model, _, writer in GeminiModelList.write(model, to: &writer) },
        chatDecoder: { call, head throws(ProviderError) in try Gemini.decoder(for: call, head: head) },
        writer: { exchange, request, _ in
            if request.isStream { return GeminiStreamWriter(exchange) }
            return BufferedResponseWriter(exchange) { GeminiFold(exchange, model: $0) }
        })
}

extension APIError {
    var gemini: GeminiError { GeminiError(code: status, message: message, reason: code, retryAfter: retryAfter) }
}

extension Exchange {
    /// Whether a Gemini client wants the model's thoughts in words.
    var wantsThoughts: Bool {
        let body = server.body
        return Gemini.wantsThoughts(body.readableBytesSpan)
    }
}
