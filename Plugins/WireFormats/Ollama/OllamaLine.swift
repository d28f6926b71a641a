import Codecs
import ProviderKit

/// What the router acts on in one object of a response: a line of a stream, or a complete response. It is read in one
/// pass, and only what is needed is decoded.
struct OllamaLine {
    /// The ranges of strings: the model's name, the text, the reasoning, and why the response has ended. nil if there
    /// is none, or if it says nothing.
    private(set) var model: Range<Int>?
    private(set) var text: Range<Int>?
    private(set) var thinking: Range<Int>?
    private(set) var doneReason: Range<Int>?
    /// The range of a string that differs between responses: when this one was made.
    private(set) var created: Range<Int>?
    /// The range of the list of tool calls; nil if it is empty.
    private(set) var toolCalls: Range<Int>?
    /// Whether the response ends here.
    private(set) var isDone = false
    private(set) var usage = Usage()
    /// Whether there is an error that says nothing.
    private(set) var hasStrayError = false
    /// Whether there is a message, of a chat or of `generate`.
    private(set) var hasMessage = false

    /// Reads an object. Throws the error that it reports, or an `upstream_error` if it is not a JSON object.
    ///
    /// - Parameters:
    ///   - source: the bytes that all ranges refer to.
    ///   - hasBegun: whether the response has had content before.
    init(_ range: Range<Int>, in source: RawSpan, hasBegun: Bool) throws(ProviderError) {
        // The end of the range is the end of the bytes, so that a line can't reach into the next.
        let bytes = source.extracting(0..<range.upperBound)
        var error: Range<Int>?
        do throws(JSONError) {
            var cursor = JSONCursor(at: range.lowerBound)
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "message", in: bytes), try cursor.peekKind(bytes) == .object {
                    hasMessage = true
                    try readMessage(&cursor, bytes)
                    continue
                }
                let value = try cursor.skipValue(bytes)
                if JSON.isKey(key, "error", in: bytes) { hasStrayError = value.isStrayError(in: bytes) }
                if JSON.isKey(key, "error", in: bytes), value.kind == .string || value.kind == .object {
                    error = value.range
                } else {
                    read(key, value, bytes)
                }
            }
            try cursor.end(bytes)
        } catch {
            throw .unreadable(error, from: range.lowerBound)
        }
        // An error stands alone: `{"error":"…"}`.
        if let error, !hasMessage { throw .reported(bytes.extracting(error)) }
        guard let doneReason else { return }
        let reason = JSON.string(doneReason, in: bytes)
        guard Self.reasons[reason] == nil else { return }
        let meaning = FinishReasonMeaning(reason), hasContent = hasBegun || signals(in: bytes).contentBytes > 0
        if isDone, meaning?.isFailure(hasContent: hasContent) == true { throw .failed(reason: reason) }
        if meaning == nil { self.doneReason = nil }
    }

    private mutating func readMessage(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "content", in: bytes) {
                if value.kind == .string { text = value.range }
            } else if JSON.isKey(key, "thinking", in: bytes) {
                if value.kind == .string { thinking = value.range }
            } else if JSON.isKey(key, "tool_calls", in: bytes), value.kind == .array {
                var list = JSONCursor(at: value.range.lowerBound)
                try list.enterArray(bytes)
                toolCalls = try list.nextElement(bytes) ? value.range : nil
            }
        }
    }

    private mutating func read(_ key: Range<Int>, _ value: JSONValue, _ bytes: RawSpan) {
        switch value.kind {
        case .string:
            if JSON.isKey(key, "model", in: bytes) { model = value.range }
            if JSON.isKey(key, "created_at", in: bytes) { created = value.range }
            if JSON.isKey(key, "done_reason", in: bytes) { doneReason = value.range }
            // Of `generate`.
            if JSON.isKey(key, "thinking", in: bytes) { thinking = value.range }
            if JSON.isKey(key, "response", in: bytes) {
                text = value.range
                hasMessage = true
            }
        case .number:
            if JSON.isKey(key, "prompt_eval_count", in: bytes) { usage.promptTokens = Self.count(value, bytes) }
            if JSON.isKey(key, "eval_count", in: bytes) { usage.completionTokens = Self.count(value, bytes) }
        case .true: if JSON.isKey(key, "done", in: bytes) { isDone = true }
        case .object, .array, .false, .null: break
        }
    }

    /// A number of tokens. A negative number, and one that no response has, count as unknown.
    private static func count(_ value: JSONValue, _ bytes: RawSpan) -> Int? {
        JSON.integer(value, in: bytes).flatMap { (0...1_000_000_000_000).contains($0) ? $0 : nil }
    }

    /// What the line means for the call.
    func signals(in bytes: RawSpan) -> Signals {
        func length(_ string: Range<Int>?) -> Int { string.map { $0.count - 2 } ?? 0 }
        var signals = Signals(
            contentBytes: length(text) + length(thinking) + length(toolCalls), finishes: isDone && doneReason != nil ? 1 : 0)
        signals.hasToolCall = toolCalls != nil
        if isDone { signals.hasUnknownFinishReason = finishReason(in: bytes) == nil }
        return signals
    }

    /// Why the response has ended; nil for a reason that is unknown, which counts as `stop`. Without one the model has
    /// stopped by itself, as in old versions.
    func finishReason(in bytes: RawSpan) -> FinishReason? {
        guard let doneReason else { return .stop }
        let reason = JSON.string(doneReason, in: bytes)
        return Self.reasons[reason] ?? FinishReasonMeaning.finishReason(reason)
    }

    /// `load` and `unload` end responses to requests without messages. Source: ollama/ollama, llm/server.go,
    /// `DoneReason`, and server/routes.go.
    private static let reasons: [String: FinishReason] = ["stop": .stop, "length": .length, "load": .stop, "unload": .stop]
}
