import Codecs
import ProviderKit

/// An `error` beside a sound part of a response, such as `{"message": "", "code": null}`.
/// Source: BerriAI/litellm#18407.
extension JSONValue {
    /// Whether the value of an `error` says nothing, and an SDK takes it for an error nevertheless: any value that is
    /// true in its language. Sources: openai-python, `_streaming.py`; openai-node, `streaming.ts`; ollama-python,
    /// `_client.py`.
    func isStrayError(in bytes: RawSpan) -> Bool {
        switch kind {
        case .object, .array: ErrorBody(bytes.extracting(range)) == nil
        case .string: range.count > 2 && ErrorBody(bytes.extracting(range)) == nil
        case .number, .true: true
        case .false, .null: false
        }
    }
}

extension ResponseSink {
    /// Adds a chunk that passes through.
    ///
    /// - Parameter hasStrayError: whether it has an `error` that says nothing, which is removed.
    mutating func pass(_ chunk: PassthroughChunk, of bytes: RawSpan, hasStrayError: Bool) {
        guard hasStrayError else { return self.chunk(chunk) }
        pass(joined: bytes.extracting(chunk.json).withUnsafeBytes { Array($0) }, signals: chunk.signals, hasStrayError: true)
    }

    /// The same for a chunk that was sent in several lines.
    mutating func pass(joined json: [UInt8], signals: Signals, hasStrayError: Bool) {
        guard hasStrayError else { return chunk(joined: json, signals: signals) }
        var splice = JSONSplice()
        let bytes = json.span.bytes
        for member in (try? JSON.members(of: bytes)) ?? [] where !JSON.isKey(member.key, "error", in: bytes) {
            splice.keep(member, in: bytes)
        }
        chunk(joined: splice.finish(in: bytes).joined(of: json), signals: signals)
    }
}
