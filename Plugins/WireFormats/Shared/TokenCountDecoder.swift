import Codecs
import ProviderKit

/// A decoder for the number of a request's tokens. It consumes nothing before the end.
struct TokenCountDecoder: ResponseDecoder {
    /// The name of the member with the number.
    private let name: StaticString
    /// Whether the client has another format.
    private let isTyped: Bool

    init(_ name: StaticString, isTyped: Bool) {
        self.name = name
        self.isTyped = isTyped
    }

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard let object = JSONTree(bytes) else { throw .unreadable("invalid JSON") }
        guard let tokens = object[name]?.integer, tokens >= 0 else {
            if object["error"] != nil { throw .reported(bytes) }
            throw .unreadable("JSON without a number of tokens")
        }
        if isTyped { response.count(tokens: tokens) } else { response.buffered(0..<bytes.byteCount, signals: Signals(finishes: 1)) }
        response.complete()
    }
}
