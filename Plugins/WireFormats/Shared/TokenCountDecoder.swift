import Codecs
import ProviderKit

/// A decoder for the number of a request's tokens, which passes through. It consumes nothing before the end.
struct TokenCountDecoder: ResponseDecoder {
    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        guard let object = JSONTree(bytes) else { throw .unreadable("invalid JSON") }
        guard object["input_tokens"]?.integer != nil else {
            if object["error"] != nil { throw .reported(bytes) }
            throw .unreadable("JSON without a number of tokens")
        }
        response.buffered(0..<bytes.byteCount, signals: Signals(finishes: 1))
        response.complete()
    }
}
