import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as one JSON object, or as the text that the client has asked for.
final class OpenAIResponseWriter: ResponseWriter {
    private let exchange: Exchange
    private let wantsData: Bool
    private var response = Assembly()
    private var model = ""

    init(_ exchange: Exchange, wantsData: Bool) {
        self.exchange = exchange
        self.wantsData = wantsData
    }

    var stagedBytes: Int { response.stagedBytes }

    func begin(_ record: CallRecord) {
        if !response.isEmpty { response = Assembly() }
        model = record.model ?? ""
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        response.add(parts, of: bytes) { OpenAICompletionWriter(id: exchange.requestID, created: exchange.created, model: model) }
    }

    func commit(_ record: CallRecord) {}

    func resume(_ record: CallRecord) {}

    func flush() {}

    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool {
        var assembly = Assembly()
        for (parts, bytes) in response { assembly.add(parts, of: bytes) { OpenAICompletionWriter(id: "", created: 0, model: "") } }
        let object = assembly.object(nil) { _ in [] }
        return BufferedCompletion.isJSON(object.readableBytesSpan)
    }

    func finish(_ record: CallRecord) {
        if let (payload, type) = response.payload {
            return exchange.respond(200, payload, contentType: type, fields: { exchange.addFields(record, to: &$0) }, record: record)
        }
        let completion = response.passed ?? typedObject(record)
        let object = record.hasValidJSON ? BufferedCompletion.withoutFences(completion) : completion
        guard exchange.wantsMetadata else {
            return exchange.respond(200, object, fields: { exchange.addFields(record, to: &$0) }, record: record)
        }
        var addition = JSONWriter(capacity: 512)
        let data = wantsData ? BufferedCompletion.data(of: object.readableBytesSpan) : nil
        addition.object { RouterMetadata.write(record, to: &$0, isComplete: true, data: data) }
        addition.withBytes { addition in
            let body = BufferedCompletion.Extended(object, by: addition)
            if body.count <= ServerExchange.copyLimit {
                exchange.respond(200, bodyBytes: body.count, fields: { exchange.addFields(record, to: &$0) }, record: record) {
                    body.write(to: &$0)
                }
            } else {
                exchange.respond(200, body.bytes, fields: { exchange.addFields(record, to: &$0) }, record: record)
            }
        }
    }

    /// The object of a response that doesn't pass through.
    private func typedObject(_ record: CallRecord) -> ByteBuffer {
        response.readCustomTools(of: exchange)
        return response.object(record.usage.usage) { vectors in
            let body = exchange.server.body
            return OpenAIEmbeddings.writeResponse(
                vectors, model: model, usage: record.usage.usage, OpenAIEmbeddings.encoding(of: body.readableBytesSpan))
        }
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        exchange.respond(exchange.error(failure, record), record: record)
    }
}

/// The parts of a response, put together.
private struct Assembly {
    /// The object of a response that passes through.
    private(set) var passed: ByteBuffer?
    /// A response that is no object, with its `content-type`.
    private(set) var payload: (bytes: ByteBuffer, type: String)?
    /// Collects the typed events of a response; nil before the first event.
    private var fold: OpenAICompletionWriter?
    /// The vectors of a typed response.
    private var vectors: EmbeddingsResponse?
    /// Collects the chunks of a response that its upstream streams; nil before the first chunk.
    private var chunks: ChunkFold?

    var isEmpty: Bool { passed == nil && fold == nil && chunks == nil && vectors == nil && payload == nil }

    var stagedBytes: Int { passed?.readableBytes ?? chunks?.foldedBytes ?? payload?.bytes.readableBytes ?? 0 }

    /// The response's object.
    ///
    /// - Parameter encodeVectors: called for vectors of a typed response.
    func object(_ usage: Usage?, encodeVectors: (EmbeddingsResponse) -> [UInt8]) -> ByteBuffer {
        passed ?? ByteBuffer(bytes: chunks?.completion ?? fold?.completion(usage) ?? vectors.map(encodeVectors) ?? [])
    }

    /// Reads which tools take a text, if one was called.
    mutating func readCustomTools(of exchange: Exchange) {
        guard fold?.callsTools == true else { return }
        let body = exchange.server.body
        fold?.customTools = OpenAIChat.customTools(of: body.readableBytesSpan)
    }

    /// - Parameter makeFold: called for the first event.
    mutating func add(_ parts: [ResponsePart], of bytes: ByteBuffer, makeFold: () -> OpenAICompletionWriter) {
        for part in parts {
            switch part {
            case .buffered(let json, let signals):
                passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
                if signals.hasStrayMember { passed = passed.map(BufferedCompletion.withoutStrayMembers) }
            case .event(let event): add(event, makeFold)
            case .embeddings(let response): vectors = response
            case .chunk(let chunk): add(bytes.readableBytesSpan.extracting(chunk.json))
            case .joined(let json, _): add(json.span.bytes)
            case .count: break  // this API has no numbers of tokens
            case .payload(let range, let type, _):
                var sum = payload.take()?.bytes ?? ByteBuffer()  // a unique reference, so that the bytes grow in place
                sum.writeBytes(bytes.readableBytesView[bytes.readerIndex + range.lowerBound..<bytes.readerIndex + range.upperBound])
                payload = (sum, type)
            }
        }
    }

    private mutating func add(_ chunk: RawSpan) {
        var chunks = chunks.take() ?? ChunkFold()  // a unique reference, so that the texts grow in place
        chunks.add(chunk)
        self.chunks = chunks
    }

    private mutating func add(_ event: ChatEvent, _ makeFold: () -> OpenAICompletionWriter) {
        var fold = fold.take() ?? makeFold()  // a unique reference, so that the text grows in place
        fold.add(event)
        self.fold = fold
    }
}
