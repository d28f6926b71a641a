import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as one object in Gemini's format: that of a chat, or vectors. An object that has this format
/// already passes through, byte for byte.
final class GeminiResponseWriter: ResponseWriter {
    private let exchange: Exchange
    private var passed: ByteBuffer?
    /// Collects the typed events of a response; nil before the first one.
    private var fold: GeminiObjectWriter?
    private var vectors: EmbeddingsResponse?
    private var model = ""

    init(_ exchange: Exchange) { self.exchange = exchange }

    var stagedBytes: Int { passed?.readableBytes ?? 0 }

    func begin(_ record: CallRecord) {
        (passed, fold, vectors) = (nil, nil, nil)
        model = record.model ?? ""
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .buffered(let json, _): passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
            case .event(let event):
                // A unique reference, so that the texts grow in place.
                var fold =
                    fold.take() ?? GeminiObjectWriter(id: exchange.requestID, model: model, includesThoughts: exchange.wantsThoughts)
                fold.add(event)
                self.fold = fold
            case .embeddings(let response): vectors = response
            case .chunk, .joined, .count, .payload: break  // never a part of a response that isn't streamed
            }
        }
    }

    func commit(_ record: CallRecord) {}

    func resume(_ record: CallRecord) {}

    func flush() {}

    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool {
        let writer = GeminiResponseWriter(exchange)
        for (parts, bytes) in response { writer.write(parts, of: bytes) }
        let object = writer.object(nil)
        return FencedJSON.areJSON(Gemini.texts(of: object.readableBytesSpan), in: object.readableBytesSpan)
    }

    func finish(_ record: CallRecord) {
        let object = object(record.usage.source == .reported ? record.usage.usage : nil)
        let response =
            record.hasValidJSON ? FencedJSON.withoutFences(object, texts: Gemini.texts(of: object.readableBytesSpan)) : object
        exchange.respond(200, response, fields: { exchange.addFields(record, to: &$0) }, record: record)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        exchange.respond(exchange.error(failure, record), record: record)
    }

    private func object(_ usage: Usage?) -> ByteBuffer {
        if let passed { return passed }
        if let vectors {
            let body = exchange.server.body
            let isSingle = GeminiEmbeddings.isSingle(body.readableBytesSpan)
            return ByteBuffer(bytes: GeminiEmbeddings.writeResponse(vectors, isSingle: isSingle))
        }
        return ByteBuffer(bytes: fold?.response(usage) ?? [])
    }
}
