import Codecs
import ProviderKit

extension Gemini {
    /// The ranges of the strings that are the texts of a response's first candidate, without its thoughts.
    public static func texts(of response: RawSpan) -> [Range<Int>] { (try? GeminiChunk(response, hasBegun: true))?.texts ?? [] }
}

/// What the router acts on in a chunk of a stream, or in a complete response, which has the same form. It is read in
/// one pass.
struct GeminiChunk {
    private(set) var signals = Signals()
    /// The range of `usageMetadata`.
    private(set) var usage: Range<Int>?
    /// The ranges of the strings that are the texts of the first candidate, without its thoughts.
    private(set) var texts: [Range<Int>] = []
    /// The range of the finish reason that means a failure; nil if there is none.
    private(set) var failure: Range<Int>?
    /// The range of the finish reason that means a failure only if there is no content; nil if there is none.
    private var unclear: Range<Int>?
    private var finishMessage: Range<Int>?
    private var hasCandidates = false
    private var hasError = false
    /// Whether there is an error that says nothing.
    private(set) var hasStrayError = false

    /// Reads a chunk. Throws the error that it reports, or an `upstream_error` if it is not a JSON object.
    ///
    /// - Parameters:
    ///   - bytes: the chunk.
    ///   - hasBegun: whether the response has had content before.
    init(_ bytes: RawSpan, hasBegun: Bool) throws(ProviderError) {
        do throws(JSONError) { try read(bytes) } catch {
            // Where `alt=sse` is missing, Google's errors are in an array too.
            if Self.isArray(bytes), let body = ErrorBody(bytes), body.message != nil { throw .reported(body) }
            throw .unreadable(error)
        }
        if hasError, !hasCandidates { throw .reported(bytes) }
        if let failure = failure ?? (hasBegun || signals.contentBytes > 0 ? nil : unclear) {
            let reason = JSON.string(failure, in: bytes), detail = finishMessage.map { JSON.string($0, in: bytes) }
            throw ProviderError(
                .upstreamError,
                message: "the upstream ended the response with the finish reason '\(reason.prefix(64))'" + (detail.map { ": \($0)" } ?? ""),
                code: reason.lowercased())
        }
    }

    private static func isArray(_ bytes: RawSpan) -> Bool {
        var cursor = JSONCursor()
        return (try? cursor.peekKind(bytes)) == .array
    }

    private mutating func read(_ bytes: RawSpan) throws(JSONError) {
        var cursor = JSONCursor()
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if JSON.isKey(key, "candidates", in: bytes), try cursor.peekKind(bytes) == .array {
                hasCandidates = true
                try cursor.enterArray(bytes)
                while try cursor.nextElement(bytes) { try readCandidate(&cursor, bytes) }
                continue
            }
            if JSON.isKey(key, "promptFeedback", in: bytes), try cursor.peekKind(bytes) == .object {
                try readFeedback(&cursor, bytes)
                continue
            }
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "error", in: bytes) { hasStrayError = value.isStrayError(in: bytes) }
            guard value.kind == .object else { continue }
            if JSON.isKey(key, "usageMetadata", in: bytes) { usage = value.range }
            if JSON.isKey(key, "error", in: bytes) { hasError = true }
        }
        try cursor.end(bytes)
    }

    /// A prompt that is blocked has a reason, and no candidates.
    private mutating func readFeedback(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            guard JSON.isKey(key, "blockReason", in: bytes), value.kind == .string,
                !["", "BLOCKED_REASON_UNSPECIFIED", "BLOCK_REASON_UNSPECIFIED"].contains(JSON.string(value.range, in: bytes))
            else { continue }
            hasCandidates = true
            signals.finishes += 1
            signals.isFiltered = true
        }
    }

    private mutating func readCandidate(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        guard try cursor.peekKind(bytes) == .object else { return _ = try cursor.skipValue(bytes) }
        var index = 0, found: [Range<Int>] = []
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if JSON.isKey(key, "content", in: bytes), try cursor.peekKind(bytes) == .object {
                try cursor.enterObject(bytes)
                while let key = try cursor.nextKey(bytes) {
                    guard JSON.isKey(key, "parts", in: bytes), try cursor.peekKind(bytes) == .array else {
                        try cursor.skipValue(bytes)
                        continue
                    }
                    try cursor.enterArray(bytes)
                    while try cursor.nextElement(bytes) { try readPart(&cursor, bytes, &found) }
                }
                continue
            }
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "index", in: bytes) { index = JSON.integer(value, in: bytes) ?? 0 }
            guard value.kind == .string, value.range.count > 2 else { continue }
            if JSON.isKey(key, "finishReason", in: bytes) { finish(value.range, bytes) }
            if JSON.isKey(key, "finishMessage", in: bytes) { finishMessage = value.range }
        }
        if index == 0 { texts += found }
    }

    private mutating func finish(_ reason: Range<Int>, _ bytes: RawSpan) {
        switch GeminiFinishReason(JSON.string(reason, in: bytes)) {
        case nil: return
        case .failure: failure = reason
        case .unclear:
            signals.finishes += 1
            unclear = reason
        case .end(let reason):
            signals.finishes += 1
            if reason == .contentFilter { signals.isFiltered = true }
        case .unknown:
            signals.finishes += 1
            signals.hasUnknownFinishReason = true
        }
    }

    private mutating func readPart(_ cursor: inout JSONCursor, _ bytes: RawSpan, _ found: inout [Range<Int>]) throws(JSONError) {
        guard try cursor.peekKind(bytes) == .object else { return _ = try cursor.skipValue(bytes) }
        var text: Range<Int>?, isThought = false
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "thought", in: bytes) {
                isThought = value.kind == .true
            } else if value.kind == .string || value.kind == .object {
                // A text, a call, a signature, or data: what the model has made.
                signals.contentBytes &+= value.range.count - 2
                if JSON.isKey(key, "text", in: bytes), value.kind == .string { text = value.range }
                if JSON.isKey(key, "functionCall", in: bytes) { signals.hasToolCall = true }
            }
        }
        if let text, !isThought { found.append(text) }
    }
}
