import Codecs
import ProviderKit

/// A decoder for one JSON object, of which only the usage, an error and the outline of the result are read. It consumes
/// nothing before the end.
struct OpenAIObjectDecoder: ResponseDecoder {
    /// What a response must have, so that it isn't an empty success.
    enum Result {
        case nothing
        /// A member with a value.
        case member(StaticString)
        /// Under one of these names, a list whose first element says something.
        case list([StaticString])
    }

    /// The longest object that is scanned as a whole. A longer one is vectors or images; scanning it would hold up the
    /// other responses of the event loop.
    private static let maxScannedBytes = 1 << 20
    /// How far from its end the usage of a longer object is looked for. OpenAI's embeddings end with it.
    private static let tailBytes = 4096

    /// Whether the client has another format, so that the vectors are read.
    let readsVectors: Bool
    let requires: Result

    mutating func decode(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) -> Int { 0 }

    mutating func finish(_ bytes: RawSpan, into response: inout ResponseSink) throws(ProviderError) {
        let object = try Self.object(in: bytes)
        let usage = object.count <= Self.maxScannedBytes ? try Self.usage(of: bytes.extracting(object)) : Self.lastUsage(in: bytes, object)
        if var usage {
            // Embeddings have no tokens of their own.
            usage.completionTokens = usage.completionTokens ?? 0
            response.usage(usage)
        }
        // A longer object says something.
        if object.count <= Self.maxScannedBytes { try requireResult(in: bytes.extracting(object)) }
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

    private func requireResult(in object: RawSpan) throws(ProviderError) {
        let members = (try? JSON.members(of: object)) ?? []
        switch requires {
        case .nothing: return
        case .member(let name):
            if !members.contains(where: { Self.says($0.value) && JSON.isKey($0.key, name, in: object) }) {
                throw ProviderError.unreadable("JSON without '\(name)'")
            }
        case .list(let names):
            let lists = members.filter { member in names.contains { JSON.isKey(member.key, $0, in: object) } }
            if !lists.contains(where: { Self.isResult($0.value, in: object) }) {
                throw ProviderError(
                    .upstreamError, message: "the upstream responded with nothing in '\(names[0])'", code: "upstream_empty")
            }
        }
    }

    /// Whether a value is a list whose first element says something, or an object that is not empty: Cohere's vectors
    /// by their type.
    private static func isResult(_ value: JSONValue, in object: RawSpan) -> Bool {
        guard value.kind == .array else { return value.kind == .object && says(value) }
        var cursor = JSONCursor(at: value.range.lowerBound)
        do throws(JSONError) {
            try cursor.enterArray(object)
            guard try cursor.nextElement(object) else { return false }
            let first = try cursor.skipValue(object)
            guard first.kind == .object else { return says(first) && !isEmptyText(first) }
            let element = object.extracting(first.range)
            return try JSON.members(of: element).contains { member in
                says(member.value) && !isEmptyText(member.value) && !descriptions.contains { JSON.isKey(member.key, $0, in: element) }
            }
        } catch {
            return false
        }
    }

    /// The members of an element that are no result.
    private static let descriptions: [StaticString] = ["object", "index"]

    private static func isEmptyText(_ value: JSONValue) -> Bool { value.kind == .string && value.range.count <= 2 }

    /// Whether there is a value, and not an empty list or object. A text may be empty: nobody spoke.
    private static func says(_ value: JSONValue) -> Bool {
        switch value.kind {
        case .null: false
        case .array, .object: value.range.count > 2
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
            throw ProviderError.unreadable(error)
        }
        var usage: Usage?
        for member in members where member.value.kind == .object || member.value.kind == .string {
            if JSON.isKey(member.key, "error", in: object), ErrorBody(object.extracting(member.value.range)) != nil {
                throw ProviderError.reported(object)
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
        if !members.contains(where: { member in says(member.value) && results.contains { JSON.isKey(member.key, $0, in: object) } }),
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
