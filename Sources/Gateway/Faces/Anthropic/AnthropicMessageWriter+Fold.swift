import Codecs
import Engine
import ProviderKit
import WireFormats

extension AnthropicMessageWriter: ResponseFold {
    func object(_ usage: Usage?, _ record: CallRecord?) -> [UInt8] { message(usage) }

    static func endsOtherwise(_ message: RawSpan) -> Bool {
        let reason = (try? JSON.members(of: message))?.first { JSON.isKey($0.key, "stop_reason", in: message) }?.value
        return reason.map { JSON.isString($0, "refusal", in: message) || JSON.isString($0, "tool_use", in: message) } ?? false
    }

    /// The texts of a message's blocks.
    static func texts(of message: RawSpan) -> [Range<Int>] {
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
}

extension BufferedResponseWriter where Fold == AnthropicMessageWriter {
    /// Writes a message in Anthropic's format.
    static func anthropic(_ exchange: Exchange) -> BufferedResponseWriter {
        BufferedResponseWriter(exchange) { AnthropicMessageWriter(id: exchange.requestID, model: $0) }
    }
}
