import Engine
import ProviderKit
import WireFormats

/// A response as one object in Gemini's format: that of a chat, or vectors.
struct GeminiFold: ResponseFold {
    private var chat: GeminiObjectWriter
    private var vectors: EmbeddingsResponse?
    private let exchange: Exchange

    init(_ exchange: Exchange, model: String) {
        self.exchange = exchange
        chat = GeminiObjectWriter(id: exchange.requestID, model: model, includesThoughts: exchange.wantsThoughts)
    }

    mutating func add(_ event: ChatEvent) { chat.add(event) }

    mutating func add(_ response: EmbeddingsResponse) { vectors = response }

    func object(_ usage: Usage?, _ record: CallRecord?) -> [UInt8] {
        guard let vectors else { return chat.response(usage) }
        let body = exchange.server.body
        return GeminiEmbeddings.writeResponse(vectors, isSingle: GeminiEmbeddings.isSingle(body.readableBytesSpan))
    }

    static func texts(of object: RawSpan) -> [Range<Int>] { Gemini.texts(of: object) }
}
