import Codecs
import ProviderKit

/// A decoder for one JSON object, of which only the usage and an error are read. It consumes nothing before the end.
struct OpenAIObjectDecoder: ResponseDecoder {
    /// The longest object that is scanned as a whole. A longer one is vectors or images; scanning it would hold up the
    /// other responses of the event loop.
    private static let maxScannedBytes = 1 << 20
    /// How far from its end the usage of a longer object is looked for. OpenAI's embeddings end with it.
    private static let tailBytes = 4096

    /// Whether the client has another format, so that the vectors are read.
    let readsVectors: Bool
    /// A member that the object must have; nil if there is none.
    var requires: StaticString?

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        let object = try Self.object(in: bytes)
        let usage = object.count <= Self.maxScannedBytes ? try Self.usage(of: bytes.extracting(object)) : Self.lastUsage(in: bytes, object)
        if var usage {
            // Embeddings have no tokens of their own.
            usage.completionTokens = usage.completionTokens ?? 0
            response.usage(usage)
        }
        if let requires, object.count <= Self.maxScannedBytes, !Self.has(requires, in: bytes.extracting(object)) {
            throw ProviderError.unreadable("JSON without '\(requires)'")
        }
        if readsVectors {
            guard let vectors = OpenAIEmbeddings.readResponse(bytes.extracting(object)) else {
                throw ProviderError.unreadable("JSON without vectors")
            }
            response.embeddings(vectors)
        } else {
            response.buffered(object, signals: Signals(finishes: 1))
        }
        response.complete()
    }

    private static func has(_ name: StaticString, in object: RawSpan) -> Bool {
        (try? JSON.members(of: object))?.contains { says($0) && JSON.isKey($0.key, name, in: object) } ?? false
    }

    /// Whether a member has a value, and not an empty list or object. A text may be empty: nobody spoke.
    private static func says(_ member: JSONMember) -> Bool {
        switch member.value.kind {
        case .null: false
        case .array, .object: member.value.range.count > 2
        case .string, .number, .true, .false: true
        }
    }

    /// The range from the opening to the closing brace.
    private static func object(in bytes: RawSpan) throws(ProviderError) -> Range<Int> {
        let object = bytes.withoutBlanks
        guard object.count >= 2, bytes.byte(object.lowerBound) == ASCII.openBrace, bytes.byte(object.upperBound - 1) == ASCII.closeBrace
        else {
            throw .truncated("the upstream closed the response in the middle of a JSON object")
        }
        return object
    }

    private static func usage(of object: RawSpan) throws(ProviderError) -> Usage? {
        let members: [JSONMember]
        do throws(JSONError) { members = try JSON.members(of: object) } catch {
            throw ProviderError.unreadable("invalid JSON: expected \(error.expected) at byte \(error.offset)")
        }
        var usage: Usage?
        for member in members where member.value.kind == .object || member.value.kind == .string {
            if JSON.isKey(member.key, "error", in: object), ErrorBody(object.extracting(member.value.range)) != nil {
                throw ProviderError.reported(object.extracting(member.value.range))
            }
            if member.value.kind == .object, JSON.isKey(member.key, "usage", in: object) {
                var cursor = JSONCursor(at: member.value.range.lowerBound)
                usage = try? Usage(&cursor, object)
            }
        }
        // OpenAI's verbose transcriptions.
        if usage?.audioSeconds == nil, let duration = members.first(where: { JSON.isKey($0.key, "duration", in: object) }),
            let seconds = Usage.seconds(duration.value, object)
        {
            usage = usage ?? Usage()
            usage?.audioSeconds = seconds
        }
        // An error without `error`: `{"message": …, "code": …}`, and nothing that a response has.
        let results: [StaticString] = ["data", "results", "choices", "output", "id", "object", "model", "text"]
        if !members.contains(where: { member in says(member) && results.contains { JSON.isKey(member.key, $0, in: object) } }),
            let failure = OpenAIChat.failureWithoutChoices(object)
        {
            throw failure
        }
        return usage
    }

    /// The last `"usage": {…}` near the end of an object, if nothing but closing braces follows it.
    private static func lastUsage(in bytes: RawSpan, _ object: Range<Int>) -> Usage? {
        let mark: StaticString = "\"usage\""
        var place = object.upperBound - mark.utf8CodeUnitCount
        let first = max(object.lowerBound, object.upperBound - tailBytes)
        while place >= first {
            defer { place -= 1 }
            guard bytes.byte(place) == ASCII.quote, bytes.equals(place..<place + mark.utf8CodeUnitCount, mark) else { continue }
            var start = place + mark.utf8CodeUnitCount
            while start < object.upperBound, JSON.isBlank(bytes.byte(start)) || bytes.byte(start) == ASCII.colon { start += 1 }
            var cursor = JSONCursor(at: start)
            guard (try? cursor.peekKind(bytes)) == .object else { return nil }
            return try? Usage(&cursor, bytes)
        }
        return nil
    }
}
