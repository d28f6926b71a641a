import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as one object in the format of OpenAI's Responses, with `_router`. An object that has this format
/// already passes through otherwise byte for byte.
final class ResponsesWriter: ResponseWriter {
    private let exchange: Exchange
    private let wantsData: Bool
    private var passed: ByteBuffer?
    private var hasRouterMember = false
    /// Collects the typed events of a response; nil before the first one.
    private var fold: OpenAIResponsesWriter?
    private var model = ""

    init(_ exchange: Exchange, wantsData: Bool) {
        self.exchange = exchange
        self.wantsData = wantsData
    }

    var stagedBytes: Int { passed?.readableBytes ?? 0 }

    func begin(_ record: CallRecord) {
        (passed, fold, hasRouterMember) = (nil, nil, false)
        model = record.model ?? ""
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .buffered(let json, let signals):
                passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
                hasRouterMember = signals.hasRouterMember
            case .event(let event):
                var fold = fold.take() ?? makeFold()  // a unique reference, so that the texts grow in place
                fold.add(event)
                self.fold = fold
            case .chunk, .joined, .embeddings, .count, .payload: break  // never a part of a response that isn't streamed
            }
        }
    }

    func commit(_ record: CallRecord) {}

    func resume(_ record: CallRecord) {}

    func flush() {}

    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool {
        let writer = ResponsesWriter(exchange, wantsData: false)
        for (parts, bytes) in response { writer.write(parts, of: bytes) }
        let object = writer.response(nil)
        return FencedJSON.areJSON(OpenAIResponses.texts(of: object.readableBytesSpan), in: object.readableBytesSpan)
    }

    func finish(_ record: CallRecord) {
        let response = response(record.knownUsage)
        let texts = wantsData || record.hasValidJSON ? OpenAIResponses.texts(of: response.readableBytesSpan) : []
        let data = wantsData ? texts.first.flatMap { Self.data($0, of: response.readableBytesSpan) } : nil
        let object = record.hasValidJSON ? FencedJSON.withoutFences(response, texts: texts) : response
        let member = exchange.responsesMember(record, data: data)
        let isChanged = !member.isEmpty || hasRouterMember
        exchange.respond(
            200, isChanged ? ByteBuffer(bytes: OpenAIResponses.adding(member, to: object.readableBytesSpan)) : object,
            fields: { exchange.addFields(record, to: &$0) }, record: record)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        exchange.respond(exchange.error(failure, record), record: record)
    }

    /// The JSON in a text; nil if it is not JSON.
    private static func data(_ literal: Range<Int>, of response: RawSpan) -> [UInt8]? {
        let text = JSON.decodedBytes(literal, in: response)
        return FencedJSON.range(in: text).map { Array(text[$0]) }
    }

    private func makeFold() -> OpenAIResponsesWriter {
        let body = exchange.server.body
        return OpenAIResponsesWriter(
            id: exchange.requestID, created: exchange.created, model: model, OpenAIResponsesSettings(of: body.readableBytesSpan))
    }

    private func response(_ usage: Usage?) -> ByteBuffer { passed ?? ByteBuffer(bytes: fold?.response(usage) ?? []) }
}
