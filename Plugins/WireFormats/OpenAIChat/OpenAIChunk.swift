import Codecs
import ProviderKit

/// The content of a `chat.completion.chunk` or a `chat.completion` that the router acts on. It is read in one pass, and
/// only what is needed is decoded.
struct OpenAIChunk {
    /// The range of the object, without whitespace around it.
    var json: Range<Int>
    var signals = Signals()
    var choices = 0
    var usage: Usage?
    /// Whether `usage` comes from a choice, so that any other takes its place.
    /// Source: Moonshot's API reference, "Chat", streams.
    private var isUsageOfChoice = false
    /// The range of the string that is the text of the first choice; nil if there is none.
    private(set) var text: Range<Int>?
    /// The range of the string that makes chunks equally long, so that an eavesdropper can't guess texts from their
    /// length; nil if there is none. Source: OpenAI's API reference, "Chat Completions",
    /// `stream_options.include_obfuscation`.
    private(set) var padding: Range<Int>?
    /// The range of the string that names the server behind the provider; nil if there is none.
    /// Source: OpenRouter's guide "Provider Routing", and its responses.
    private(set) var host: Range<Int>?
    /// Whether a choice is complete in itself: it has a `message` and no `delta`.
    private(set) var hasMessage = false
    /// Whether a text is not a string. Mistral's reasoning models send a list of parts.
    private(set) var hasTextInParts = false
    /// The choices that have content here, a bit for each `index`. The last bit is for all indices from 63 on.
    private(set) var open: UInt64 = 0
    /// The choices that are here, in the same form.
    private(set) var present: UInt64 = 0
    /// The choices that end here, in the same form.
    private(set) var ended: UInt64 = 0
    /// The range of the value of `error`, in the object or in a choice; nil if there is none.
    private var error: Range<Int>?
    /// The range of the finish reason that means a failure; nil if there is none.
    private var failedReason: Range<Int>?
    /// The range of the finish reason that means a failure only if there is no content; nil if there is none.
    private var unclearReason: Range<Int>?
    private var hasChoices = false
    /// Whether a choice has neither content nor a finish reason.
    private(set) var hasEmptyChoice = false
    /// Whether a choice has a member.
    private var hasChoiceMember = false

    /// Notes the server behind the provider, if the chunk is the first that names one.
    func noteHost(of bytes: RawSpan, in response: inout ResponseSink) {
        guard let host, (3...Self.maxHostBytes).contains(host.count), response.servedBy == nil else { return }
        response.served(by: .host(JSON.string(host, in: bytes)))
    }

    /// A longer name, in bytes as JSON, is none.
    private static let maxHostBytes = 130

    /// Creates a chunk that contains only the text of its only choice.
    init(text: Range<Int>, json: Range<Int>) {
        self.json = json
        self.text = text
        signals = Signals(contentBytes: text.count - 2)
        choices = 1
        open = 1
        present = 1
    }

    /// Whether the chunk contains only the text of its only choice.
    var isText: Bool {
        guard let text, text.count > 2 else { return false }
        return choices == 1 && open == 1 && ended == 0 && !hasUsage && !hasTextInParts
            && signals == Signals(contentBytes: text.count - 2)
    }

    /// Reads a chunk. Throws the error that the object contains, or an `upstream_error` if it is not a JSON object.
    ///
    /// - Parameter hasBegun: whether the response has had content before.
    init(_ range: Range<Int>, in source: RawSpan, hasBegun: Bool) throws(ProviderError) {
        json = range
        let bytes = source.extracting(range)
        var failureInArray: ProviderError?
        do throws(JSONError) {
            var cursor = JSONCursor()
            let kind = try cursor.peekKind(bytes)
            // Gemini's OpenAI endpoint sends its errors in an array. Source: as recorded by its clients.
            if kind == .array, let failure = OpenAIChat.failureInArray(bytes) { failureInArray = failure }
            guard kind == .object else { throw JSONError(offset: 0, expected: "an object") }
            let start = cursor.offset
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if JSON.isKey(key, "choices", in: bytes), try cursor.peekKind(bytes) == .array {
                    hasChoices = true
                    try readChoices(&cursor, bytes)
                } else if JSON.isKey(key, "usage", in: bytes), try cursor.peekKind(bytes) == .object {
                    try readUsage(&cursor, bytes)
                } else if JSON.isKey(key, "x_groq", in: bytes), try cursor.peekKind(bytes) == .object {
                    try readGroq(&cursor, bytes)
                } else if JSON.isKey(key, "error", in: bytes) {
                    let value = try cursor.skipValue(bytes)
                    if saysError(value, bytes) {
                        error = value.range
                    } else if value.isStrayError(in: bytes) {
                        signals.hasStrayMember = true
                    }
                } else {
                    if JSON.isKey(key, "_router", in: bytes) { signals.hasStrayMember = true }
                    let value = try cursor.skipValue(bytes)
                    // MiniMax reports a failure beside choices too. Source: its API reference, "Text Generation".
                    if value.kind == .object, JSON.isKey(key, "base_resp", in: bytes),
                        ErrorBody(bytes.extracting(value.range))?.hasSuccessCode == false
                    {
                        error = value.range
                    }
                    guard value.kind == .string else { continue }
                    if JSON.isKey(key, "obfuscation", in: bytes) { padding = value.range }
                    if JSON.isKey(key, "provider", in: bytes) { host = value.range }
                }
            }
            json = (range.lowerBound + start)..<(range.lowerBound + cursor.offset)
            try cursor.end(bytes)
        } catch {
            if let failureInArray { throw failureInArray }
            throw ProviderError.unreadable(error)
        }
        text = text.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        host = host.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        padding = padding.map { (range.lowerBound + $0.lowerBound)..<(range.lowerBound + $0.upperBound) }
        if let error {
            // A short `error` may have its message beside it, and beside choices there are echoes of the request.
            throw ProviderError.reported(hasChoices ? bytes.extracting(error) : bytes)
        }
        if let failedReason = failedReason ?? (hasBegun || signals.contentBytes > 0 ? nil : unclearReason) {
            throw ProviderError.failed(reason: JSON.string(failedReason, in: bytes))
        }
        // Chunks without content are rare.
        if open == 0, ended == 0, !hasChoices && !hasUsage || Self.mayReportFailure(bytes, hasResult: hasChoiceMember || hasUsage),
            let failure = OpenAIChat.failureWithoutChoices(bytes)
        {
            throw failure
        }
        signals.isUsageOnly = hasUsage && choices == 0
    }

    private mutating func readUsage(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        guard let other = try Usage(&cursor, bytes) else { return }
        if isUsageOfChoice || !hasUsage { usage = other } else { usage?.update(other) }
        isUsageOfChoice = false
    }

    /// Whether ``usage`` is not nil. Comparing would copy it.
    private var hasUsage: Bool { if case .some = usage { true } else { false } }

    /// Reads the usage and the error that Groq sends in a member of its own in streams. Source: groq-python,
    /// `chat_completion_chunk.py`, `XGroq`.
    private mutating func readGroq(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if JSON.isKey(key, "usage", in: bytes), try cursor.peekKind(bytes) == .object {
                try readUsage(&cursor, bytes)
            } else {
                let value = try cursor.skipValue(bytes)
                if JSON.isKey(key, "error", in: bytes), saysError(value, bytes) { error = value.range }
            }
        }
    }

    /// The members that report a failure in an object without content.
    private static let failureMembers: [StaticString] = [
        "message", "code", "detail", "base_resp", "msg", "error_msg", "error_message", "error_code", "errors", "errmsg", "fault",
        "exception",
    ]

    /// Whether an object has one of them.
    ///
    /// - Parameter hasResult: whether there is a choice or the usage, beside which a message alone is only news.
    private static func mayReportFailure(_ object: RawSpan, hasResult: Bool) -> Bool {
        var cursor = JSONCursor()
        do throws(JSONError) {
            try cursor.enterObject(object)
            while let key = try cursor.nextKey(object) {
                let isNews = hasResult && JSON.isKey(key, "message", in: object)
                if !isNews, failureMembers.contains(where: { JSON.isKey(key, $0, in: object) }) { return true }
                try cursor.skipValue(object)
            }
        } catch {
            return false
        }
        return false
    }

    /// Whether an error says something.
    private func saysError(_ value: JSONValue, _ bytes: RawSpan) -> Bool {
        switch value.kind {
        case .object, .array, .string: ErrorBody(bytes.extracting(value.range)) != nil
        case .number, .true, .false, .null: false
        }
    }

    private mutating func readChoices(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterArray(bytes)
        while try cursor.nextElement(bytes) {
            choices += 1
            guard try cursor.peekKind(bytes) == .object else {
                _ = try cursor.skipValue(bytes)
                hasEmptyChoice = true
                continue
            }
            var bit: UInt64 = 1
            var choiceText: Range<Int>?
            let contentBefore = signals.contentBytes, finishesBefore = signals.finishes
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                hasChoiceMember = true
                let isDelta = JSON.isKey(key, "delta", in: bytes)
                if isDelta || JSON.isKey(key, "message", in: bytes), try cursor.peekKind(bytes) == .object {
                    if !isDelta { hasMessage = true }
                    choiceText = try readDelta(&cursor, bytes) ?? choiceText
                } else if JSON.isKey(key, "text", in: bytes), try cursor.peekKind(bytes) == .string {
                    // The legacy completions have their text here.
                    let value = try cursor.skipValue(bytes)
                    signals.contentBytes += value.range.count - 2
                    if value.range.count > 2 { choiceText = value.range }
                } else if JSON.isKey(key, "error", in: bytes) {
                    let value = try cursor.skipValue(bytes)
                    if saysError(value, bytes) { error = value.range }
                } else {
                    let value = try cursor.skipValue(bytes)
                    if JSON.isKey(key, "index", in: bytes) {
                        bit = 1 << UInt64(min(63, max(0, JSON.integer(value, in: bytes) ?? 0)))
                    } else if value.kind == .string, value.range.count > 2, JSON.isKey(key, "finish_reason", in: bytes) {
                        readReason(value, bytes)
                    } else if value.kind == .object, JSON.isKey(key, "usage", in: bytes) {
                        var cursor = JSONCursor(at: value.range.lowerBound)
                        if isUsageOfChoice || !hasUsage {
                            usage = try Usage(&cursor, bytes) ?? usage
                            isUsageOfChoice = true
                        }
                    }
                }
            }
            let isOpen = signals.contentBytes > contentBefore, isEnded = signals.finishes > finishesBefore
            present |= bit
            if isOpen { open |= bit }
            if isEnded { ended |= bit }
            if !isOpen, !isEnded { hasEmptyChoice = true }
            if bit == 1 { text = choiceText ?? text }
        }
    }

    /// Reads a delta or a message, and returns the range of its text. Everything in it is content, such as text,
    /// reasoning under its various names, refusals, tool calls and images, except the role, annotations and values that
    /// say nothing.
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
            if value.kind != .string, try !Self.saysSomething(value, bytes) { continue }
            if JSON.isKey(key, "content", in: bytes) {
                if value.kind == .string { text = value.range } else { hasTextInParts = true }
            } else if JSON.isKey(key, "role", in: bytes) || JSON.isKey(key, "annotations", in: bytes) {
                continue
            } else if JSON.isKey(key, "refusal", in: bytes) {
                if value.kind == .string { signals.isFiltered = true }
            } else if JSON.isKey(key, "tool_calls", in: bytes) || JSON.isKey(key, "function_call", in: bytes) {
                signals.hasToolCall = true
            }
            signals.contentBytes += value.range.count - 2
        }
        return text
    }

    private static func saysSomething(_ value: JSONValue, _ bytes: RawSpan) throws(JSONError) -> Bool {
        var cursor = JSONCursor(at: value.range.lowerBound)
        return try saysSomething(&cursor, bytes)
    }

    /// Whether there is a text that isn't empty, or a number, in the next value. If so, the cursor isn't moved behind
    /// it. What only describes the value, such as its type, doesn't count:
    /// `[{"index": 0, "function": {"arguments": ""}}]` says nothing.
    private static func saysSomething(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) -> Bool {
        switch try cursor.peekKind(bytes) {
        case .object:
            try cursor.enterObject(bytes)
            while let key = try cursor.nextKey(bytes) {
                if isDescriptive(key, bytes) {
                    try cursor.skipValue(bytes)
                } else if try saysSomething(&cursor, bytes) {
                    return true
                }
            }
            return false
        case .array:
            try cursor.enterArray(bytes)
            while try cursor.nextElement(bytes) {
                if try saysSomething(&cursor, bytes) { return true }
            }
            return false
        case .string:
            if bytes.byte(cursor.offset + 1) != ASCII.quote { return true }
            try cursor.skipValue(bytes)
            return false
        case .number: return true
        case .true, .false, .null:
            try cursor.skipValue(bytes)
            return false
        }
    }

    private static func isDescriptive(_ key: Range<Int>, _ bytes: RawSpan) -> Bool {
        JSON.isKey(key, "index", in: bytes) || JSON.isKey(key, "type", in: bytes) || JSON.isKey(key, "id", in: bytes)
            || JSON.isKey(key, "format", in: bytes) || JSON.isKey(key, "expires_at", in: bytes) || JSON.isKey(key, "call_id", in: bytes)
    }

    private mutating func readReason(_ value: JSONValue, _ bytes: RawSpan) {
        if JSON.isString(value, "stop", in: bytes) || JSON.isString(value, "length", in: bytes)
            || JSON.isString(value, "tool_calls", in: bytes)
        {
            signals.finishes += 1
            return
        }
        guard let reason = FinishReasonMeaning(JSON.string(value.range, in: bytes)) else { return }
        signals.finishes += 1
        switch reason {
        case .end: break
        case .filter: signals.isFiltered = true
        case .failure: failedReason = value.range
        case .unclear: unclearReason = value.range
        case .unknown: signals.hasUnknownFinishReason = true
        }
    }
}
