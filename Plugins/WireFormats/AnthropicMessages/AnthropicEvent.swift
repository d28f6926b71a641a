import Codecs
import ProviderKit

/// The content of one event of a stream that the router acts on. It is read in one pass, and only what is needed is
/// decoded.
struct AnthropicEvent {
    enum Kind {
        case messageStart, blockStart, blockDelta, blockStop, messageDelta, messageStop, error
        /// `ping`, and events that the router doesn't know, which may come at any time.
        case other
    }

    /// What a delta adds to a block.
    enum Delta {
        case text, json, thinking, signature, citation
    }

    private(set) var kind = Kind.other
    /// The ranges of values: the string `type`, `message`, `content_block` and `usage`.
    private(set) var type: Range<Int>?
    private(set) var message: Range<Int>?
    private(set) var block: Range<Int>?
    private(set) var usage: Range<Int>?
    /// The index of the block.
    private(set) var index = 0
    /// What the delta adds, and the range of its value: a string, or a citation's object.
    private(set) var delta: (Delta, Range<Int>)?
    /// The string that is the stop reason, and the one at which the model has stopped.
    private(set) var stopReason: Range<Int>?
    private(set) var stopSequence: Range<Int>?
    /// The bytes of a delta's content.
    private(set) var deltaBytes = 0
    private var hasError = false
    /// Whether there is an error that says nothing.
    private(set) var hasStrayError = false

    /// Reads an event. Throws the error that it reports, or an `upstream_error` if it is not a JSON object.
    init(_ range: Range<Int>, in source: RawSpan) throws(ProviderError) {
        let bytes = source.extracting(range)
        do throws(JSONError) { try read(bytes) } catch {
            throw .unreadable(error)
        }
        if kind == .error || hasError && kind == .other { throw .reported(bytes) }
        shift(by: range.lowerBound)
    }

    private mutating func read(_ bytes: RawSpan) throws(JSONError) {
        var cursor = JSONCursor()
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            if JSON.isKey(key, "delta", in: bytes), try cursor.peekKind(bytes) == .object {
                try readDelta(&cursor, bytes)
                continue
            }
            let value = try cursor.skipValue(bytes)
            if JSON.isKey(key, "error", in: bytes) { hasStrayError = value.isStrayError(in: bytes) }
            if JSON.isKey(key, "type", in: bytes) {
                type = value.range
                kind = Self.kind(value, bytes)
            } else if JSON.isKey(key, "index", in: bytes) {
                index = JSON.integer(value, in: bytes) ?? 0
            } else if value.kind == .object {
                if JSON.isKey(key, "message", in: bytes) { message = value.range }
                if JSON.isKey(key, "content_block", in: bytes) { block = value.range }
                if JSON.isKey(key, "usage", in: bytes) { usage = value.range }
                if JSON.isKey(key, "error", in: bytes) { hasError = true }
            }
        }
        try cursor.end(bytes)
    }

    private mutating func readDelta(_ cursor: inout JSONCursor, _ bytes: RawSpan) throws(JSONError) {
        try cursor.enterObject(bytes)
        while let key = try cursor.nextKey(bytes) {
            let value = try cursor.skipValue(bytes)
            if value.kind == .string {
                if JSON.isKey(key, "type", in: bytes) { continue }
                if JSON.isKey(key, "text", in: bytes) {
                    delta = (.text, value.range)
                } else if JSON.isKey(key, "partial_json", in: bytes) {
                    delta = (.json, value.range)
                } else if JSON.isKey(key, "thinking", in: bytes) {
                    delta = (.thinking, value.range)
                } else if JSON.isKey(key, "signature", in: bytes) {
                    delta = (.signature, value.range)
                } else if JSON.isKey(key, "stop_reason", in: bytes) {
                    stopReason = value.range
                    continue
                } else if JSON.isKey(key, "stop_sequence", in: bytes) {
                    stopSequence = value.range
                    continue
                }
                deltaBytes &+= value.range.count - 2
            } else if value.kind == .object, JSON.isKey(key, "citation", in: bytes) {
                delta = (.citation, value.range)
                deltaBytes &+= value.range.count - 2
            }
        }
    }

    /// In the order of their frequency.
    private static func kind(_ type: JSONValue, _ bytes: RawSpan) -> Kind {
        if JSON.isString(type, "content_block_delta", in: bytes) { return .blockDelta }
        if JSON.isString(type, "content_block_start", in: bytes) { return .blockStart }
        if JSON.isString(type, "content_block_stop", in: bytes) { return .blockStop }
        if JSON.isString(type, "message_start", in: bytes) { return .messageStart }
        if JSON.isString(type, "message_delta", in: bytes) { return .messageDelta }
        if JSON.isString(type, "message_stop", in: bytes) { return .messageStop }
        return JSON.isString(type, "error", in: bytes) ? .error : .other
    }

    private mutating func shift(by offset: Int) {
        guard offset > 0 else { return }
        func shifted(_ range: Range<Int>) -> Range<Int> { range.lowerBound + offset..<range.upperBound + offset }
        if let (kind, range) = delta { delta = (kind, shifted(range)) }
        guard kind != .blockDelta else { return }
        type = type.map(shifted)
        message = message.map(shifted)
        block = block.map(shifted)
        usage = usage.map(shifted)
        stopReason = stopReason.map(shifted)
        stopSequence = stopSequence.map(shifted)
    }
}

/// What a block is, as far as the router acts on it.
struct AnthropicBlockOutline {
    /// The bytes of its content: what the model has written, without what only describes it.
    var contentBytes = 0
    var isToolUse = false
    /// The range of the string that is its text; nil if it is no text.
    var text: Range<Int>?
    /// The model whose content follows, if the block marks a fallback of Anthropic's own.
    var fallback: String?

    /// - Parameter range: the range of the block's object, which was read already.
    init(_ range: Range<Int>, in bytes: RawSpan) {
        let object = bytes.extracting(range)
        guard let members = try? JSON.members(of: object) else { return }
        let type = members.first { JSON.isKey($0.key, "type", in: object) }?.value
        func isType(_ name: StaticString) -> Bool { type.map { JSON.isString($0, name, in: object) } ?? false }
        isToolUse = isType("tool_use")
        let names: [StaticString]
        if isType("text") {
            names = ["text"]
        } else if isType("thinking") {
            names = ["thinking", "signature"]
        } else if isToolUse {
            names = ["id", "name", "input"]
        } else {
            // The blocks of server tools, and those that the router doesn't know. A `fallback` is no content, but what
            // follows it belongs to another model.
            contentBytes = object.byteCount
            if isType("fallback") { fallback = JSONTree(object)?["to"]?["model"]?.string }
            return
        }
        for member in members where names.contains(where: { JSON.isKey(member.key, $0, in: object) }) {
            contentBytes += max(0, member.value.range.count - 2)
            if member.value.kind == .string, isType("text") {
                text = range.lowerBound + member.value.range.lowerBound..<range.lowerBound + member.value.range.upperBound
            }
        }
    }
}
