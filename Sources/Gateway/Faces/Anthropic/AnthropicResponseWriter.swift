import Codecs
import Engine
import HTTPWire
import NIOCore
import ProviderKit
import WireFormats

/// Writes a response as one message in Anthropic's format. A message that has this format already passes through, byte
/// for byte.
final class AnthropicResponseWriter: ResponseWriter {
    private let exchange: Exchange
    private var passed: ByteBuffer?
    /// Collects the typed events of a response; nil before the first one.
    private var fold: AnthropicMessageWriter?
    private var model = ""

    init(_ exchange: Exchange) { self.exchange = exchange }

    var stagedBytes: Int { passed?.readableBytes ?? 0 }

    func begin(_ record: CallRecord) {
        (passed, fold) = (nil, nil)
        model = record.model ?? ""
    }

    func write(_ parts: [ResponsePart], of bytes: ByteBuffer) {
        for part in parts {
            switch part {
            case .buffered(let json, _): passed = bytes.getSlice(at: bytes.readerIndex + json.lowerBound, length: json.count)
            case .event(let event):
                var fold = fold.take() ?? AnthropicMessageWriter(id: exchange.requestID, model: model)
                fold.add(event)
                self.fold = fold
            case .chunk, .joined, .embeddings, .payload: break  // never a part of a message that isn't streamed
            }
        }
    }

    func commit(_ record: CallRecord) {}

    func resume(_ record: CallRecord) {}

    func flush() {}

    func isJSON(_ response: [(parts: [ResponsePart], bytes: ByteBuffer)]) -> Bool {
        let message = AnthropicResponseWriter(exchange)
        for (parts, bytes) in response { message.write(parts, of: bytes) }
        let object = message.message(nil)
        if Self.endsOtherwise(object.readableBytesSpan) { return true }
        return FencedJSON.areJSON(Self.texts(of: object.readableBytesSpan), in: object.readableBytesSpan)
    }

    func finish(_ record: CallRecord) {
        let message = message(record.knownUsage)
        let object = record.hasValidJSON ? FencedJSON.withoutFences(message, texts: Self.texts(of: message.readableBytesSpan)) : message
        exchange.respond(200, object, fields: { exchange.addFields(record, to: &$0) }, record: record)
    }

    func fail(_ failure: CallFailure, _ record: CallRecord) {
        if failure.cause == .clientLeft { return exchange.end(status: 499, record: record, error: exchange.departure) }
        exchange.respond(exchange.error(failure, record), record: record)
    }

    /// Whether a message ends with a refusal or a tool call, so that its text need not be JSON.
    private static func endsOtherwise(_ message: RawSpan) -> Bool {
        let reason = (try? JSON.members(of: message))?.first { JSON.isKey($0.key, "stop_reason", in: message) }?.value
        return reason.map { JSON.isString($0, "refusal", in: message) || JSON.isString($0, "tool_use", in: message) } ?? false
    }

    /// The ranges of the strings that are the texts of a message's blocks.
    private static func texts(of message: RawSpan) -> [Range<Int>] {
        var texts: [Range<Int>] = []
        do throws(JSONError) {
            guard let content = try JSON.members(of: message).first(where: { JSON.isKey($0.key, "content", in: message) })?.value,
                content.kind == .array
            else { return [] }
            var cursor = JSONCursor(at: content.range.lowerBound)
            try cursor.enterArray(message)
            while try cursor.nextElement(message) {
                guard try cursor.peekKind(message) == .object else {
                    try cursor.skipValue(message)
                    continue
                }
                try cursor.enterObject(message)
                while let key = try cursor.nextKey(message) {
                    let value = try cursor.skipValue(message)
                    if value.kind == .string, JSON.isKey(key, "text", in: message) { texts.append(value.range) }
                }
            }
        } catch {
            return []
        }
        return texts
    }

    private func message(_ usage: Usage?) -> ByteBuffer { passed ?? ByteBuffer(bytes: fold?.message(usage) ?? []) }
}
