import Codecs
import NIOCore
import ProviderKit

/// Reads and edits `chat.completion` objects by splicing their bytes.
enum BufferedCompletion {
    /// An object with the members of another one at its end. It must not outlive the bytes of that one.
    struct Extended {
        private let object: ByteBuffer
        /// Everything of the other object but its opening brace.
        private let addition: UnsafeRawBufferPointer
        private let keptBytes: Int
        private let isEmpty: Bool

        init(_ object: ByteBuffer, by addition: UnsafeRawBufferPointer) {
            let (body, isEmpty) = BufferedCompletion.withoutClosingBrace(object.readableBytesSpan)
            (self.object, keptBytes, self.isEmpty) = (object, body.count, isEmpty)
            self.addition = UnsafeRawBufferPointer(rebasing: addition.dropFirst())
        }

        var count: Int { keptBytes + (isEmpty ? 0 : 1) + addition.count }

        var bytes: ByteBuffer {
            var bytes = ByteBuffer.unshared(capacity: count)
            write(to: &bytes)
            return bytes
        }

        func write(to bytes: inout ByteBuffer) {
            object.withUnsafeReadableBytes { _ = bytes.writeBytes(UnsafeRawBufferPointer(rebasing: $0[..<keptBytes])) }
            if !isEmpty { bytes.writeInteger(ASCII.comma) }
            bytes.writeBytes(addition)
        }
    }

    /// - Parameter addition: an object, whose members are appended.
    static func appending(_ addition: borrowing JSONWriter, to object: ByteBuffer) -> ByteBuffer {
        addition.withBytes { Extended(object, by: $0).bytes }
    }

    /// Whether the object is a chunk or a completion, and not a ping or another object of the server's own.
    static func hasChoices(_ object: ByteBuffer) -> Bool {
        guard let members = try? JSON.members(of: object.readableBytesSpan) else { return false }
        return members.contains { JSON.isKey($0.key, "choices", in: object.readableBytesSpan) }
    }

    /// The object without its top-level members `_router`, which an upstream adds if it is a router itself, and
    /// `error`, which says nothing in a response that is passed on.
    static func withoutStrayMembers(_ object: ByteBuffer) -> ByteBuffer {
        guard let members = try? JSON.members(of: object.readableBytesSpan) else { return object }
        var splice = JSONSplice()
        for member in members where !isStray(member, in: object.readableBytesSpan) { splice.keep(member, in: object.readableBytesSpan) }
        var rest = ByteBuffer()
        for part in splice.finish(in: object.readableBytesSpan) {
            switch part {
            case .bytes(let bytes): rest.writeBytes(bytes)
            case .client(let range):
                rest.writeImmutableBuffer(object.getSlice(at: object.readerIndex + range.lowerBound, length: range.count) ?? ByteBuffer())
            }
        }
        return rest
    }

    private static func isStray(_ member: JSONMember, in object: RawSpan) -> Bool {
        JSON.isKey(member.key, "_router", in: object) || JSON.isKey(member.key, "error", in: object)
    }

    /// The range before an object's closing brace, and whether the object has no members. `object` must be one valid
    /// JSON object.
    static func withoutClosingBrace(_ object: RawSpan) -> (Range<Int>, isEmpty: Bool) {
        var end = object.byteCount
        while end > 0, object.unsafeLoad(fromByteOffset: end - 1, as: UInt8.self) != UInt8(ascii: "}") { end -= 1 }
        end = max(0, end - 1)
        var last = end
        while last > 0, [0x20, 0x09, 0x0A, 0x0D].contains(object.unsafeLoad(fromByteOffset: last - 1, as: UInt8.self)) { last -= 1 }
        return (0..<last, last > 0 && object.unsafeLoad(fromByteOffset: last - 1, as: UInt8.self) == UInt8(ascii: "{"))
    }

    /// The JSON in the first choice's text, for `_router.data`; nil if the text is not JSON.
    static func data(of object: RawSpan) -> [UInt8]? {
        guard let literal = contents(of: object)?.first ?? nil else { return nil }
        let text = JSON.decodedBytes(literal, in: object)
        return FencedJSON.range(in: text).map { Array(text[$0]) }
    }

    /// Whether each choice that has text is JSON.
    static func isJSON(_ object: RawSpan) -> Bool {
        FencedJSON.areJSON((contents(of: object) ?? []).compactMap(\.self), in: object)
    }

    /// The object without the code fences around the JSON of its choices.
    static func withoutFences(_ object: ByteBuffer) -> ByteBuffer {
        FencedJSON.withoutFences(object, texts: (contents(of: object.readableBytesSpan) ?? []).compactMap(\.self))
    }

    /// For each choice, the range of the string that is its text; nil if it has none that could be JSON: it has a tool
    /// call or a refusal instead, a filter has stopped it, or its text is in parts. nil if the object is not a
    /// completion.
    private static func contents(of object: RawSpan) -> [Range<Int>?]? {
        guard let members = try? JSON.members(of: object),
            let choices = members.first(where: { JSON.isKey($0.key, "choices", in: object) })?.value, choices.kind == .array
        else { return nil }
        var cursor = JSONCursor(at: choices.range.lowerBound)
        var contents: [Range<Int>?] = []
        do throws(JSONError) {
            try cursor.enterArray(object)
            while try cursor.nextElement(object) {
                let choice = try cursor.skipValue(object)
                contents.append(choice.kind == .object ? try content(ofChoice: choice, in: object) : nil)
            }
        } catch {
            return nil
        }
        return contents
    }

    private static func content(ofChoice choice: JSONValue, in object: RawSpan) throws(JSONError) -> Range<Int>? {
        var cursor = JSONCursor(at: choice.range.lowerBound)
        var content: Range<Int>?, isOther = false
        try cursor.enterObject(object)
        while let key = try cursor.nextKey(object) {
            guard JSON.isKey(key, "message", in: object), try cursor.peekKind(object) == .object else {
                let value = try cursor.skipValue(object)
                if JSON.isKey(key, "finish_reason", in: object), JSON.isString(value, "content_filter", in: object) { isOther = true }
                continue
            }
            try cursor.enterObject(object)
            while let key = try cursor.nextKey(object) {
                let value = try cursor.skipValue(object)
                if JSON.isKey(key, "content", in: object) {
                    if value.kind == .string { content = value.range } else if value.kind == .array { isOther = true }
                } else if value.range.count > 2, value.kind != .null,
                    JSON.isKey(key, "tool_calls", in: object) || JSON.isKey(key, "function_call", in: object)
                        || JSON.isKey(key, "refusal", in: object)
                {
                    isOther = true
                }
            }
        }
        return isOther ? nil : content
    }

    /// A non-streamed response as the chunks of a stream, for a client that requested a stream from an upstream that
    /// does not stream, each on one line. `content` has each choice's message as its delta, and the finish reasons.
    /// `usage` is nil if the response has no usage.
    static func chunks(of object: RawSpan) -> (content: [UInt8], usage: [UInt8]?)? {
        guard let members = try? JSON.members(of: object) else { return nil }
        var shared: [JSONMember] = []
        var choices: JSONValue?
        var usage: JSONValue?
        var isText = false
        for member in members {
            if JSON.isKey(member.key, "choices", in: object) {
                choices = member.value
            } else if JSON.isKey(member.key, "usage", in: object) {
                usage = member.value.kind == .object ? member.value : nil
            } else if JSON.isKey(member.key, "object", in: object) {
                isText = JSON.isString(member.value, "text_completion", in: object)
            } else if !isStray(member, in: object) {
                shared.append(member)
            }
        }
        guard let choices, let deltas = try? deltas(of: choices, in: object) else { return nil }
        func chunk(_ choices: [UInt8], _ usage: JSONValue?) -> [UInt8] {
            var writer = JSONWriter()
            writer.object { writer in
                // A legacy completion has the same name in both forms.
                writer.member("object", isText ? "text_completion" : "chat.completion.chunk")
                for member in shared { writer.member(copying: member, from: object) }
                writer.key("choices")
                writer.raw(choices)
                if let usage {
                    writer.key("usage")
                    writer.raw(usage.range, of: object)
                }
            }
            return JSON.onOneLine(writer.bytes)
        }
        return (chunk(deltas, nil), usage.map { chunk(Array("[]".utf8), $0) })
    }

    private static func deltas(of choices: JSONValue, in object: RawSpan) throws(JSONError) -> [UInt8] {
        var cursor = JSONCursor(at: choices.range.lowerBound)
        var writer = JSONWriter()
        var ranges: [Range<Int>] = []
        try cursor.enterArray(object)
        while try cursor.nextElement(object) { ranges.append(try cursor.skipValue(object).range) }
        var failure: JSONError?
        writer.array { writer in
            for range in ranges {
                let choice = object.extracting(range)
                do throws(JSONError) {
                    let members = try JSON.members(of: choice)
                    writer.object { writer in
                        for member in members {
                            guard JSON.isKey(member.key, "message", in: choice), member.value.kind == .object else {
                                writer.member(copying: member, from: choice)
                                continue
                            }
                            writer.key("delta")
                            writer.raw(delta(ofMessage: choice.extracting(member.value.range)))
                        }
                    }
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return writer.bytes
    }

    /// A message as a delta: it has the same members, and in each tool call one `index`, its position.
    private static func delta(ofMessage message: RawSpan) -> [UInt8] {
        guard let members = try? JSON.members(of: message) else { return copy(0..<message.byteCount, message) }
        var writer = JSONWriter()
        writer.object { writer in
            for member in members {
                guard JSON.isKey(member.key, "tool_calls", in: message), member.value.kind == .array else {
                    writer.member(copying: member, from: message)
                    continue
                }
                var calls: [[UInt8]] = []
                var cursor = JSONCursor(at: member.value.range.lowerBound)
                do throws(JSONError) {
                    try cursor.enterArray(message)
                    while try cursor.nextElement(message) {
                        let call = message.extracting(try cursor.skipValue(message).range)
                        calls.append(indexed(call, calls.count))
                    }
                } catch {
                    continue
                }
                writer.key("tool_calls")
                writer.array { for call in calls { $0.raw(call) } }
            }
        }
        return writer.bytes
    }

    /// A tool call with its position as `index`, whatever index it has itself. Mistral sends one in each tool call of a
    /// non-streamed response. Source: Mistral's API reference, `ToolCall`.
    private static func indexed(_ call: RawSpan, _ index: Int) -> [UInt8] {
        guard let members = try? JSON.members(of: call) else { return copy(0..<call.byteCount, call) }
        var writer = JSONWriter()
        writer.object {
            for member in members where !JSON.isKey(member.key, "index", in: call) { $0.member(copying: member, from: call) }
            $0.member("index", index)
        }
        return writer.bytes
    }

    private static func copy(_ range: Range<Int>, _ bytes: RawSpan) -> [UInt8] {
        range.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
}

extension JSONWriter {
    /// Writes a member of another object, with its value unchanged.
    mutating func member(copying member: JSONMember, from object: RawSpan) {
        key(escaping: JSON.string(member.key, in: object))
        raw(member.value.range, of: object)
    }
}
