import ProviderKit

/// What a `chat.completion.chunk` or a `chat.completion` holds, as far as the router acts on it. One pass, nothing decoded that isn't needed.
struct OpenAIChunk {
    /// The object's own range, without white space around it.
    var json: Range<Int>
    var content = ContentSummary()
    var choices = 0
    var usage: Usage?
    /// Bits of the choices (by `index`, the 63rd for all above) that have content here, and of those that end here.
    private(set) var open: UInt64 = 0
    private(set) var ended: UInt64 = 0

    /// Throws the error that the object holds, or `upstream_error` where it is no JSON object.
    init(_ range: Range<Int>, in whole: RawSpan, isErrorEvent: Bool) throws(ProviderError) {
        json = range
        let bytes = whole.extracting(range)
        var error: OpenAIErrorBody?
        do throws(JSONError) {
            var cursor = JSONCursor()
            guard try cursor.peekKind(bytes) == .object else { throw JSONError(offset: 0, expected: "an object") }
            let start = cursor.offset
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "choices", in: bytes), try cursor.peekKind(bytes) == .array {
                    try readChoices(&cursor, bytes)
                } else if JSON.isKey(key, "usage", in: bytes), try cursor.peekKind(bytes) == .object {
                    try readUsage(&cursor, bytes)
                } else if JSON.isKey(key, "error", in: bytes), [.object, .string].contains(try cursor.peekKind(bytes)) {
                    error = try OpenAIErrorBody(&cursor, bytes)
                } else {
                    if JSON.isKey(key, "_router", in: bytes) { content.hasRouterMember = true }
                    _ = try cursor.skipValue(bytes)
                }
            }
            json = (range.lowerBound + start)..<(range.lowerBound + cursor.offset)
            try cursor.end(bytes)
        } catch {
            throw OpenAIAnswer.unreadable("broken JSON: expected \(error.expected) at byte \(error.offset)")
        }
        if isErrorEvent, error == nil { error = OpenAIErrorBody(bytes) }
        if let error { throw OpenAIAnswer.failure(error) }
        if isErrorEvent { throw ProviderError(.upstreamError, message: "the upstream sent an error event") }
        content.isUsageOnly = usage != nil && choices == 0
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
            let before = content
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "delta", in: bytes) || JSON.isKey(key, "message", in: bytes), try cursor.peekKind(bytes) == .object {
                    try readDelta(&cursor, bytes)
                } else {
                    let isReason = JSON.isKey(key, "finish_reason", in: bytes)
                    let isIndex = JSON.isKey(key, "index", in: bytes)
                    let value = try cursor.skipValue(bytes)
                    if isIndex { bit = 1 << UInt64(min(63, max(0, JSON.integer(value, in: bytes) ?? 0))) }
                    guard isReason, value.kind == .string, value.range.count > 2 else { continue }
                    content.finishes += 1
                    if JSON.isString(value, "content_filter", in: bytes) { content.isFiltered = true }
                }
            }
            if content.contentBytes > before.contentBytes { open |= bit }
            if content.finishes > before.finishes { ended |= bit }
        }
    }

    /// Everything in a delta is content (text, reasoning under its several names, refusals, tool calls, images, what is yet to be invented), except
    /// the role, annotations and what is empty.
    private mutating func readDelta(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let isContent = !JSON.isKey(key, "role", in: bytes) && !JSON.isKey(key, "annotations", in: bytes)
            let value = try cursor.skipValue(bytes)
            guard isContent else { continue }
            switch value.kind {
            case .string, .array, .object: content.contentBytes += max(0, value.range.count - 2)
            case .number, .true, .false, .null: break
            }
        }
    }

    private mutating func readUsage(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        var usage = Usage()
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if JSON.isKey(key, "prompt_tokens_details", in: bytes), try cursor.peekKind(bytes) == .object {
                usage.cachedTokens = try readCount("cached_tokens", &cursor, bytes)
            } else if JSON.isKey(key, "completion_tokens_details", in: bytes), try cursor.peekKind(bytes) == .object {
                usage.reasoningTokens = try readCount("reasoning_tokens", &cursor, bytes)
            } else {
                let value = try cursor.skipValue(bytes)
                if JSON.isKey(key, "prompt_tokens", in: bytes) { usage.promptTokens = count(value, bytes) }
                if JSON.isKey(key, "completion_tokens", in: bytes) { usage.completionTokens = count(value, bytes) }
            }
        }
        if usage != Usage() { self.usage = usage }
    }

    private func readCount(_ name: StaticString, _ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) -> Int? {
        var found: Int?
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, name, in: bytes) { found = count(value, bytes) }
        }
        return found
    }

    /// A token count is never negative; what is one is taken as not told.
    private func count(_ value: JSONValue, _ bytes: RawSpan) -> Int? {
        JSON.integer(value, in: bytes).flatMap { $0 >= 0 ? $0 : nil }
    }
}
