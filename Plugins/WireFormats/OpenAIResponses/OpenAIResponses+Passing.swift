import Codecs
public import ProviderKit

/// What a face does with responses and events that pass through.
extension OpenAIResponses {
    /// The id in the first event of a stream; nil if it has none. Nothing behind the id is read.
    ///
    /// - Parameter json: the event's object.
    public static func responseID(ofEvent json: RawSpan) -> String? {
        var cursor = JSONCursor()
        do throws(JSONError) {
            try cursor.enterObject(json)
            while let key = try cursor.nextKey(json) {
                guard JSON.isKey(key, "response", in: json), try cursor.peekKind(json) == .object else {
                    try cursor.skipValue(json)
                    continue
                }
                try cursor.enterObject(json)
                while let key = try cursor.nextKey(json) {
                    let value = try cursor.skipValue(json)
                    if JSON.isKey(key, "id", in: json), value.kind == .string { return JSON.string(value.range, in: json) }
                }
            }
        } catch {
            return nil
        }
        return nil
    }

    /// A stream's event, with its blank line.
    ///
    /// - Parameter json: one JSON object without line breaks, whose `type` is the event's.
    public static func frame(of json: RawSpan) -> [UInt8] {
        let type = ((try? JSON.members(of: json)) ?? []).last { JSON.isKey($0.key, "type", in: json) }
        let name = type.flatMap { JSONTree(json.extracting($0.value.range))?.string }
        let head = name.map { $0.utf8.allSatisfy { $0 >= 0x20 } ? "event: \($0)\ndata: " : "data: " } ?? "data: "
        return Array(head.utf8) + json.withUnsafeBytes { Array($0) } + Array("\n\n".utf8)
    }

    /// A stream's last event with another member in its response.
    ///
    /// - Parameters:
    ///   - event: the event's object.
    ///   - member: as for ``adding(_:to:)``.
    public static func adding(_ member: [UInt8], toResponseOf event: RawSpan) -> [UInt8] {
        guard let members = try? JSON.members(of: event),
            let response = members.last(where: { JSON.isKey($0.key, "response", in: event) })?.value, response.kind == .object
        else { return event.withUnsafeBytes { Array($0) } }
        return event.extracting(0..<response.range.lowerBound).withUnsafeBytes { Array($0) }
            + adding(member, to: event.extracting(response.range))
            + event.extracting(response.range.upperBound..<event.byteCount).withUnsafeBytes { Array($0) }
    }

    /// A response with another member at its end, in place of the `_router` that an upstream has added if it is a
    /// router itself.
    ///
    /// - Parameters:
    ///   - member: a key and a value, encoded as JSON; empty for none.
    ///   - response: the response's object.
    public static func adding(_ member: [UInt8], to response: RawSpan) -> [UInt8] {
        guard let members = try? JSON.members(of: response) else { return response.withUnsafeBytes { Array($0) } }
        var splice = JSONSplice()
        var isEmpty = true
        for member in members where !JSON.isKey(member.key, "_router", in: response) {
            splice.keep(member, in: response)
            isEmpty = false
        }
        var bytes = splice.finish(in: response).joined(of: response.withUnsafeBytes { Array($0) })
        guard !member.isEmpty else { return bytes }
        while let last = bytes.popLast(), last != ASCII.closeBrace { continue }
        if !isEmpty { bytes.append(ASCII.comma) }
        return bytes + member + [ASCII.closeBrace]
    }
}

extension OpenAIResponses {
    /// The ranges of the strings that are the texts of a response's messages.
    public static func texts(of response: RawSpan) -> [Range<Int>] {
        var texts: [Range<Int>] = []
        for item in objects("output", of: 0..<response.byteCount, in: response) {
            for part in objects("content", of: item, in: response) {
                let object = response.extracting(part)
                guard let members = try? JSON.members(of: object),
                    members.contains(where: { JSON.isKey($0.key, "type", in: object) && JSON.isString($0.value, "output_text", in: object) }
                    ),
                    let text = members.last(where: { JSON.isKey($0.key, "text", in: object) })?.value, text.kind == .string
                else { continue }
                texts.append(part.lowerBound + text.range.lowerBound..<part.lowerBound + text.range.upperBound)
            }
        }
        return texts
    }

    /// The ranges of the objects in a list, which is a member of another object.
    private static func objects(_ name: StaticString, of range: Range<Int>, in response: RawSpan) -> [Range<Int>] {
        let object = response.extracting(range)
        guard let members = try? JSON.members(of: object),
            let list = members.last(where: { JSON.isKey($0.key, name, in: object) })?.value, list.kind == .array
        else { return [] }
        var cursor = JSONCursor(at: range.lowerBound + list.range.lowerBound), objects: [Range<Int>] = []
        guard (try? cursor.enterArray(response)) != nil else { return [] }
        while (try? cursor.nextElement(response)) == true, let element = try? cursor.skipValue(response) {
            if element.kind == .object { objects.append(element.range) }
        }
        return objects
    }
}

/// What this format's reader tells its writer about the last event of a stream, or about a response.
extension Signals {
    /// Whether the response has a `_router`, which another router has added.
    public internal(set) var hasRouterMember: Bool {
        get { marks & 1 != 0 }
        set { if newValue { marks |= 1 } else { marks &= ~1 } }
    }
}
