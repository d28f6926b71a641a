import Codecs
import ProviderKit

/// The content of one event of a stream that the router acts on. It is read in one pass, and only what is needed is
/// decoded.
struct ResponsesEvent {
    enum Kind {
        case text, refusal, summary, reasoning, arguments, customInput
        case summaryBegan, annotation, itemBegan, itemEnded
        case created, completed, incomplete, failed, error
        /// Of the tools that OpenAI runs itself, and events that the router doesn't know.
        case other
    }

    private(set) var kind = Kind.other
    /// The ranges of values: the string `delta`, and the objects `item`, `response` and `annotation`.
    private(set) var delta: Range<Int>?
    private(set) var item: Range<Int>?
    private(set) var response: Range<Int>?
    private(set) var annotation: Range<Int>?
    /// The index of the item, and of the summary in it.
    private(set) var outputIndex = 0
    private(set) var summaryIndex = 0
    /// The bytes of a delta.
    private(set) var deltaBytes = 0
    private var error: Range<Int>?
    /// Whether there is an error that says nothing.
    private(set) var hasStrayError = false

    /// Reads an event. Throws the error that it reports, or an `upstream_error` if it is not a JSON object.
    init(_ range: Range<Int>, in source: RawSpan) throws(ProviderError) {
        let bytes = source.extracting(range)
        do throws(JSONError) { try read(bytes) } catch {
            throw .unreadable(error)
        }
        // An error of a server that doesn't know this format.
        if kind == .error || error != nil && kind == .other { throw .reported(bytes) }
        if kind == .failed || isEnd && response.map({ ResponsesOutline($0, in: bytes).status }) == .failed {
            throw Self.failure(ofResponse: response ?? 0..<0, in: bytes)
        }
        shift(by: range.lowerBound)
    }

    /// The error of a response that has failed.
    ///
    /// - Parameter range: the range of its object.
    static func failure(ofResponse range: Range<Int>, in bytes: RawSpan) -> ProviderError {
        let response = bytes.extracting(range)
        guard let members = try? JSON.members(of: response),
            let error = members.last(where: { JSON.isKey($0.key, "error", in: response) && saysError($0.value, in: response) })
        else { return ProviderError(.upstreamError, message: "the upstream's response has failed", code: "upstream_failed") }
        // Beside it are echoes of the request, unless it isn't a response at all.
        let isResponse = members.contains { JSON.isKey($0.key, "status", in: response) || JSON.isKey($0.key, "output", in: response) }
        return .reported(isResponse ? response.extracting(error.value.range) : response)
    }

    /// Whether the value of `error` says something: `null` and `{}` are no error.
    static func saysError(_ value: JSONValue, in bytes: RawSpan) -> Bool {
        switch value.kind {
        case .object, .string: ErrorBody(bytes.extracting(value.range)) != nil
        case .array, .number, .true, .false, .null: false
        }
    }

    private mutating func read(_ bytes: RawSpan) throws(JSONError) {
        var cursor = JSONCursor()
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "error", in: bytes) { hasStrayError = value.isStrayError(in: bytes) }
            switch value.kind {
            case .string:
                if JSON.isKey(key, "type", in: bytes) {
                    kind = Self.kind(value, bytes)
                } else if JSON.isKey(key, "delta", in: bytes) {
                    delta = value.range
                    deltaBytes = value.range.count - 2
                }
            case .object:
                if JSON.isKey(key, "item", in: bytes) { item = value.range }
                if JSON.isKey(key, "response", in: bytes) { response = value.range }
                if JSON.isKey(key, "annotation", in: bytes) { annotation = value.range }
                if JSON.isKey(key, "error", in: bytes) { error = value.range }
            case .number:
                if JSON.isKey(key, "output_index", in: bytes) { outputIndex = JSON.integer(value, in: bytes) ?? 0 }
                if JSON.isKey(key, "summary_index", in: bytes) { summaryIndex = JSON.integer(value, in: bytes) ?? 0 }
            case .array, .true, .false, .null: break
            }
        }
        try cursor.end(bytes)
    }

    /// The type of an event by its name, in the order of their frequency.
    private static let kinds: [(name: StaticString, kind: Kind)] = [
        ("response.output_text.delta", .text), ("response.function_call_arguments.delta", .arguments),
        ("response.reasoning_summary_text.delta", .summary), ("response.reasoning_text.delta", .reasoning),
        ("response.custom_tool_call_input.delta", .customInput), ("response.output_item.added", .itemBegan),
        ("response.output_item.done", .itemEnded), ("response.reasoning_summary_part.added", .summaryBegan),
        ("response.refusal.delta", .refusal), ("response.output_text.annotation.added", .annotation), ("response.created", .created),
        ("response.in_progress", .created), ("response.completed", .completed), ("response.incomplete", .incomplete),
        ("response.failed", .failed), ("error", .error),
    ]

    private static func kind(_ type: JSONValue, _ bytes: RawSpan) -> Kind {
        for (name, kind) in kinds where JSON.isString(type, name, in: bytes) { return kind }
        return .other
    }

    private mutating func shift(by offset: Int) {
        guard offset > 0 else { return }
        func shifted(_ range: Range<Int>) -> Range<Int> { range.lowerBound + offset..<range.upperBound + offset }
        delta = delta.map(shifted)
        item = item.map(shifted)
        response = response.map(shifted)
        annotation = annotation.map(shifted)
    }

    /// Whether the event ends the response.
    var isEnd: Bool { kind == .completed || kind == .incomplete }

    /// What the router acts on in the event.
    func signals(_ bytes: RawSpan) -> Signals {
        switch kind {
        case .text, .summary, .reasoning: Signals(contentBytes: deltaBytes)
        case .refusal: Signals(contentBytes: deltaBytes, isFiltered: true)
        case .arguments, .customInput: Signals(contentBytes: deltaBytes, hasToolCall: true)
        case .itemBegan: item.map { ResponsesItemOutline($0, in: bytes).signals } ?? Signals()
        case .itemEnded: Signals(contentBytes: item.map { ResponsesItemOutline($0, in: bytes).tokenBytes } ?? 0)
        case .completed, .incomplete: response.map { ResponsesOutline($0, in: bytes).endSignals } ?? Signals(finishes: 1)
        case .summaryBegan, .annotation, .created, .failed, .error, .other: Signals()
        }
    }
}

/// What the router acts on in an item.
struct ResponsesItemOutline {
    /// The signals of the item where it begins: texts and reasoning follow in other events.
    private(set) var signals = Signals()
    /// The bytes of the reasoning's encrypted form.
    private(set) var tokenBytes = 0
    /// The bytes of all that the model has written in the item.
    private(set) var contentBytes = 0
    private(set) var isRefusal = false

    /// - Parameter range: the range of the item's object, which was read already.
    init(_ range: Range<Int>, in bytes: RawSpan) {
        let object = bytes.extracting(range)
        guard let members = try? JSON.members(of: object) else { return }
        let type = members.last { JSON.isKey($0.key, "type", in: object) }?.value
        func isType(_ name: StaticString) -> Bool { type.map { JSON.isString($0, name, in: object) } ?? false }
        if isType("message") {
            let content = members.last { JSON.isKey($0.key, "content", in: object) }?.value
            readParts(content, object)
            return
        }
        if isType("reasoning") {
            for member in members {
                if JSON.isKey(member.key, "encrypted_content", in: object), member.value.kind == .string {
                    tokenBytes = member.value.range.count - 2
                    contentBytes &+= tokenBytes
                } else if JSON.isKey(member.key, "summary", in: object) || JSON.isKey(member.key, "content", in: object) {
                    readParts(member.value, object)
                }
            }
            return
        }
        contentBytes = object.byteCount
        signals = Signals(contentBytes: object.byteCount, hasToolCall: true)
    }

    private mutating func readParts(_ list: JSONValue?, _ object: RawSpan) {
        guard let list, list.kind == .array else { return }
        var cursor = JSONCursor(at: list.range.lowerBound)
        guard (try? cursor.enterArray(object)) != nil else { return }
        while (try? cursor.nextElement(object)) == true, let part = try? cursor.skipValue(object) {
            guard part.kind == .object, let members = try? JSON.members(of: object.extracting(part.range)) else { continue }
            let inner = object.extracting(part.range)
            for member in members where member.value.kind == .string {
                let isRefusal = JSON.isKey(member.key, "refusal", in: inner)
                guard isRefusal || JSON.isKey(member.key, "text", in: inner) else { continue }
                contentBytes &+= member.value.range.count - 2
                if isRefusal { self.isRefusal = true }
            }
        }
    }
}
