import Codecs
import ProviderKit

/// What a `chat.completion.chunk` or a `chat.completion` holds, as far as the router acts on it. One pass, nothing decoded that isn't needed.
struct OpenAIChunk {
    /// The object's own range, without white space around it.
    var json: Range<Int>
    var content = ContentSummary()
    var choices = 0
    var usage: Usage?
    /// The string literal that is the text of the first choice here.
    private(set) var text: Range<Int>?
    /// The string literal that makes chunks alike in length, so that a listener can't tell texts by it. Source: OpenAI's API reference, "Chat Completions",
    /// `stream_options.include_obfuscation`.
    private(set) var padding: Range<Int>?
    /// There is text that is no string: Mistral's reasoning models send a list of parts.
    private(set) var hasTextInParts = false
    /// Bits of the choices (by `index`, the 63rd for all above) that have content here, and of those that end here.
    private(set) var open: UInt64 = 0
    private(set) var ended: UInt64 = 0
    /// The value of `error`, of the object or of a choice.
    private var error: Range<Int>?
    /// A choice ended with the reason `error`: the provider behind the upstream failed. Source: OpenRouter's "Errors and Debugging", mid-stream errors.
    private var hasFailed = false

    /// A chunk with nothing but text, of its only choice.
    init(text: Range<Int>, json: Range<Int>) {
        self.json = json
        self.text = text
        content = ContentSummary(contentBytes: text.count - 2)
        choices = 1
        open = 1
    }

    /// Whether that is all it is.
    var isText: Bool {
        guard let text, text.count > 2 else { return false }
        return choices == 1 && open == 1 && ended == 0 && usage == nil && !hasTextInParts
            && content == ContentSummary(contentBytes: text.count - 2)
    }

    /// Throws the error that the object holds, or `upstream_error` where it is no JSON object.
    init(_ range: Range<Int>, in source: RawSpan, isErrorEvent: Bool) throws(ProviderError) {
        json = range
        let bytes = source.extracting(range)
        do throws(JSONError) {
            var cursor = JSONCursor()
            guard try cursor.peekKind(bytes) == .object else { throw JSONError(offset: 0, expected: "an object") }
            let start = cursor.offset
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "choices", in: bytes), try cursor.peekKind(bytes) == .array {
                    try readChoices(&cursor, bytes)
                } else if JSON.isKey(key, "usage", in: bytes), try cursor.peekKind(bytes) == .object {
                    usage = try Usage(&cursor, bytes) ?? usage
                } else if JSON.isKey(key, "error", in: bytes), [.object, .string].contains(try cursor.peekKind(bytes)) {
                    error = try cursor.skipValue(bytes).range
                } else {
                    if JSON.isKey(key, "_router", in: bytes) { content.hasRouterMember = true }
                    let value = try cursor.skipValue(bytes)
                    if value.kind == .string, JSON.isKey(key, "obfuscation", in: bytes) { padding = value.range }
                }
            }
            json = (range.lowerBound + start)..<(range.lowerBound + cursor.offset)
            try cursor.end(bytes)
        } catch {
            throw OpenAIResponse.unreadable("broken JSON: expected \(error.expected) at byte \(error.offset)")
        }
        text = text.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        padding = padding.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        if isErrorEvent || hasFailed || error != nil { throw failure(bytes) }
        content.isUsageOnly = usage != nil && choices == 0
    }

    private func failure(_ bytes: RawSpan) -> ProviderError {
        var cursor = JSONCursor(at: error?.lowerBound ?? 0)
        let body = error == nil ? OpenAIErrorBody(bytes) : try? OpenAIErrorBody(&cursor, bytes)
        return body.map(OpenAIResponse.failure) ?? ProviderError(.upstreamError, message: "the upstream sent an error event")
    }

    private mutating func readChoices(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterArray(bytes)
        while try cursor.nextElement(bytes) {
            choices += 1
            guard try cursor.peekKind(bytes) == .object else {
                _ = try cursor.skipValue(bytes)
                continue
            }
            var bit: UInt64 = 1
            var literal: Range<Int>?
            let contentBefore = content.contentBytes, finishesBefore = content.finishes
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "delta", in: bytes) || JSON.isKey(key, "message", in: bytes), try cursor.peekKind(bytes) == .object {
                    literal = try readDelta(&cursor, bytes) ?? literal
                } else if JSON.isKey(key, "error", in: bytes), try cursor.peekKind(bytes) == .object {
                    error = try cursor.skipValue(bytes).range
                } else {
                    let value = try cursor.skipValue(bytes)
                    if JSON.isKey(key, "index", in: bytes) {
                        bit = 1 << UInt64(min(63, max(0, JSON.integer(value, in: bytes) ?? 0)))
                    } else if value.kind == .string, value.range.count > 2, JSON.isKey(key, "finish_reason", in: bytes) {
                        readReason(value, bytes)
                    }
                }
            }
            if content.contentBytes > contentBefore { open |= bit }
            if content.finishes > finishesBefore { ended |= bit }
            if bit == 1 { text = literal ?? text }
        }
    }

    /// Everything in a delta is content (text, reasoning under its several names, refusals, tool calls, images, what is yet to be invented), except
    /// the role, annotations and what is empty. Returns the text's literal.
    private mutating func readDelta(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) -> Range<Int>? {
        var text: Range<Int>?
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            switch value.kind {
            case .string, .array, .object: break
            case .number, .true, .false, .null: continue
            }
            guard value.range.count > 2 else { continue }
            if JSON.isKey(key, "content", in: bytes) {
                if value.kind == .string { text = value.range } else { hasTextInParts = true }
            } else if JSON.isKey(key, "role", in: bytes) || JSON.isKey(key, "annotations", in: bytes) {
                continue
            } else if JSON.isKey(key, "refusal", in: bytes) {
                if value.kind == .string { content.isFiltered = true }
            } else if JSON.isKey(key, "tool_calls", in: bytes) || JSON.isKey(key, "function_call", in: bytes) {
                content.hasToolCall = true
            }
            content.contentBytes += value.range.count - 2
        }
        return text
    }

    /// A finish reason that says that the content filter stopped the response, in the words of several servers; an unknown one passes.
    ///
    /// `content_filter` (OpenAI, Azure, OpenRouter), `content_filter: PROHIBITED_CONTENT` (Gemini's OpenAI endpoint, as recorded by its clients),
    /// `sensitive` (z.ai), `refusal` (Anthropic's stop reason) and Gemini's own names, as servers in front of the two pass them on.
    private mutating func readReason(_ value: JSONValue, _ bytes: RawSpan) {
        content.finishes += 1
        if JSON.isString(value, "stop", in: bytes) || JSON.isString(value, "length", in: bytes)
            || JSON.isString(value, "tool_calls", in: bytes)
        {
            return
        }
        let reason = JSON.string(value.range, in: bytes).lowercased()
        switch reason {
        case "error": hasFailed = true
        case "refusal", "sensitive", "safety", "prohibited_content", "blocklist", "spii", "recitation", "image_safety":
            content.isFiltered = true
        default: if reason.hasPrefix("content_filter") { content.isFiltered = true }
        }
    }
}
