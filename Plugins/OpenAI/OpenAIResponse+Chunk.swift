import Codecs
import ProviderKit

/// The content of a `chat.completion.chunk` or a `chat.completion` that the router acts on. It is read in one pass, and
/// only what is needed is decoded.
struct OpenAIChunk {
    /// The range of the object, without whitespace around it.
    var json: Range<Int>
    var content = ContentSummary()
    var choices = 0
    var usage: Usage?
    /// The range of the string that is the text of the first choice; nil if there is none.
    private(set) var text: Range<Int>?
    /// The range of the string that makes chunks equally long, so that an eavesdropper can't guess texts from their
    /// length; nil if there is none. Source: OpenAI's API reference, "Chat Completions",
    /// `stream_options.include_obfuscation`.
    private(set) var padding: Range<Int>?
    /// Whether a choice is complete in itself: it has a `message` and no `delta`.
    private(set) var hasMessage = false
    /// Whether a text is not a string. Mistral's reasoning models send a list of parts.
    private(set) var hasTextInParts = false
    /// The choices that have content here, a bit for each `index`. The last bit is for all indices from 63 on.
    private(set) var open: UInt64 = 0
    /// The choices that end here, in the same form.
    private(set) var ended: UInt64 = 0
    /// The range of the value of `error`, in the object or in a choice; nil if there is none.
    private var error: Range<Int>?
    /// The range of the finish reason that means a failure; nil if there is none.
    private var failedReason: Range<Int>?
    private var hasChoices = false

    /// Creates a chunk that contains only the text of its only choice.
    init(text: Range<Int>, json: Range<Int>) {
        self.json = json
        self.text = text
        content = ContentSummary(contentBytes: text.count - 2)
        choices = 1
        open = 1
    }

    /// Whether the chunk contains only the text of its only choice.
    var isText: Bool {
        guard let text, text.count > 2 else { return false }
        return choices == 1 && open == 1 && ended == 0 && usage == nil && !hasTextInParts
            && content == ContentSummary(contentBytes: text.count - 2)
    }

    /// Reads a chunk. Throws the error that the object contains, or an `upstream_error` if it is not a JSON object.
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
                    hasChoices = true
                    try readChoices(&cursor, bytes)
                } else if JSON.isKey(key, "usage", in: bytes), try cursor.peekKind(bytes) == .object {
                    usage = try Usage(&cursor, bytes) ?? usage
                } else if JSON.isKey(key, "x_groq", in: bytes), try cursor.peekKind(bytes) == .object {
                    try readGroq(&cursor, bytes)
                } else if JSON.isKey(key, "error", in: bytes) {
                    error = try readError(&cursor, bytes) ?? error
                } else {
                    if JSON.isKey(key, "_router", in: bytes) { content.hasRouterMember = true }
                    let value = try cursor.skipValue(bytes)
                    if value.kind == .string, JSON.isKey(key, "obfuscation", in: bytes) { padding = value.range }
                }
            }
            json = (range.lowerBound + start)..<(range.lowerBound + cursor.offset)
            try cursor.end(bytes)
        } catch {
            throw OpenAIResponse.unreadable("invalid JSON: expected \(error.expected) at byte \(error.offset)")
        }
        text = text.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        padding = padding.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        if isErrorEvent || error != nil { throw OpenAIResponse.failure(error, in: bytes) }
        if let failedReason { throw OpenAIResponse.failure(reason: JSON.string(failedReason, in: bytes)) }
        if !hasChoices, usage == nil, let failure = OpenAIResponse.failureWithoutChoices(bytes) { throw failure }
        content.isUsageOnly = usage != nil && choices == 0
    }

    /// Reads the usage that Groq sends in a member of its own in streams. Source: Groq's API reference, `x_groq`.
    private mutating func readGroq(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if JSON.isKey(key, "usage", in: bytes), try cursor.peekKind(bytes) == .object {
                usage = try Usage(&cursor, bytes) ?? usage
            } else {
                _ = try cursor.skipValue(bytes)
            }
        }
    }

    /// The range of an error that says something. Some providers send an empty one beside a sound response, such as
    /// `{"message": "", "code": null}`. Source: BerriAI/litellm#18407.
    private func readError(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) -> Range<Int>? {
        let value = try cursor.skipValue(bytes)
        switch value.kind {
        case .object, .array, .string: return ErrorBody(bytes.extracting(value.range)) == nil ? nil : value.range
        case .number, .true, .false, .null: return nil
        }
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
            var choiceText: Range<Int>?
            let contentBefore = content.contentBytes, finishesBefore = content.finishes
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                let isMessage = JSON.isKey(key, "message", in: bytes)
                if isMessage || JSON.isKey(key, "delta", in: bytes), try cursor.peekKind(bytes) == .object {
                    if isMessage { hasMessage = true }
                    choiceText = try readDelta(&cursor, bytes) ?? choiceText
                } else if JSON.isKey(key, "error", in: bytes) {
                    error = try readError(&cursor, bytes) ?? error
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
            if bit == 1 { text = choiceText ?? text }
        }
    }

    /// Reads a delta or a message, and returns the range of its text. Everything in it is content, such as text,
    /// reasoning under its various names, refusals, tool calls and images, except the role, annotations and empty
    /// values.
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

    private mutating func readReason(_ value: JSONValue, _ bytes: RawSpan) {
        content.finishes += 1
        if JSON.isString(value, "stop", in: bytes) || JSON.isString(value, "length", in: bytes)
            || JSON.isString(value, "tool_calls", in: bytes)
        {
            return
        }
        switch FinishReason(JSON.string(value.range, in: bytes)) {
        case .end: break
        case .filter: content.isFiltered = true
        case .failure: failedReason = value.range
        case .unknown: content.hasUnknownFinishReason = true
        }
    }
}
