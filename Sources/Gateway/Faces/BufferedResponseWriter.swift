import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit

/// Writes a response as one object in a face's format. A response that has this format already passes through, byte for
/// byte. The call record is in the head only.
final class BufferedResponseWriter<Fold: ResponseFold>: ResponseWriter {
    private let exchange: Exchange
    private let makeFold: (_ model: String) -> Fold
    private var passed: ByteBuffer?
    /// Collects the typed parts of a response; nil before the first one.
    private var fold: Fold?
    private var model = ""

    /// - Parameter makeFold: called for the first typed part, with the name of the model.
    init(_ exchange: Exchange, _ makeFold: @escaping (_ model: String) -> Fold) {
        self.exchange = exchange
        self.makeFold = makeFold
    }

    var stagedBytes: Int { passed?.readableBytes ?? 0 }

    func begin(_ record: CallRecord) {
        (passed, fold) = (nil, nil)
        model = record.model ?? ""
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .buffered(let json, _): passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
            case .event, .embeddings:
                var fold = fold.take() ?? makeFold(model)
                if case .event(let event) = part { fold.add(event) }
                if case .embeddings(let response) = part { fold.add(response) }
                self.fold = fold
            case .chunk, .joined, .count, .payload: break  // never a part of a response that isn't streamed
            }
        }
    }

    func commit(_ record: CallRecord) {}

    func resume(_ record: CallRecord) {}

    func flush() {}

    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool {
        let writer = BufferedResponseWriter(exchange, makeFold)
        for (parts, bytes) in response { writer.write(parts, of: bytes) }
        guard let object = try? writer.object(nil) else { return true }
        if Fold.endsOtherwise(object.readableBytesSpan) { return true }
        return FencedJSON.areJSON(Fold.texts(of: object.readableBytesSpan), in: object.readableBytesSpan)
    }

    func finish(_ record: CallRecord) {
        do throws(ProviderError) {
            let object = try object(record)
            let body = record.hasValidJSON ? FencedJSON.withoutFences(object, texts: Fold.texts(of: object.readableBytesSpan)) : object
            exchange.respond(
                200, body,
                fields: {
                    exchange.addFields(record, to: &$0)
                    fold?.addFields(to: &$0)
                }, record: record)
        } catch {
            exchange.respond(APIError(502, error.message, code: error.code), record: record)
        }
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        exchange.respond(exchange.error(failure, record), record: record)
    }

    private func object(_ record: CallRecord?) throws(ProviderError) -> ByteBuffer {
        if let passed { return passed }
        return ByteBuffer(bytes: try fold?.object(record?.knownUsage, record) ?? [])
    }
}

/// Typed parts of a response that become one object in a face's format.
protocol ResponseFold {
    mutating func add(_ event: ChatEvent)
    mutating func add(_ response: EmbeddingsResponse)

    /// The object.
    ///
    /// - Parameters:
    ///   - usage: nil if it is unknown.
    ///   - record: nil before the call has ended.
    /// - Throws: if the format can't express the response.
    func object(_ usage: Usage?, _ record: CallRecord?) throws(ProviderError) -> [UInt8]

    /// The ranges of the strings that are the texts of an object, in order.
    static func texts(of object: RawSpan) -> [Range<Int>]

    /// Whether an object ends with a refusal or a tool call, so that its text need not be JSON.
    static func endsOtherwise(_ object: RawSpan) -> Bool

    /// Adds header fields for what the format has no place for.
    func addFields(to head: inout ResponseHead)
}

extension ResponseFold {
    mutating func add(_ response: EmbeddingsResponse) {}

    static func endsOtherwise(_ object: RawSpan) -> Bool { false }

    func addFields(to head: inout ResponseHead) {}
}
