import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// What a chat request says to the router, straight from the bytes. All else is never parsed, and reaches the upstream as it came.
struct ChatRequest {
    /// What `model` names, in the order in which it is tried; empty: nothing was named.
    private(set) var models: [String] = []
    private(set) var isStream = false
    /// `stream_options.include_usage`.
    private(set) var wantsUsage = false
    /// `n`: how many choices the answer has.
    private(set) var choices = 1
    /// The router's own: the body's over the headers', over the key's; nil: none was given, as is usual.
    @OwnFields private(set) var ownFields: RequestFields?
    private(set) var needs = RequestNeeds()
    /// The members that go upstream.
    private(set) var members: [JSONMember] = []

    /// A `response_format` of JSON: the answer is given parsed too.
    var wantsJSON: Bool { needs.supports.contains(.json) }

    /// - Parameters:
    ///   - headers: the request's; only `x-router-*` is read.
    ///   - defaults: the key's.
    ///   - exactFrom: from so many tokens on, prompt and answer, their number decides something, and is estimated from the texts. Below, their length is
    ///     told by four: a text has fewer tokens than bytes.
    init(_ body: RawSpan, fields headers: HTTPFields = HTTPFields(), defaults: RequestFields? = nil, exactFrom: Int = 0) throws(APIError) {
        var reading = Reading(needs: ChatNeeds(isExact: body.byteCount >= exactFrom / 2))
        do throws(JSONError) { try read(body, &reading) } catch {
            let position = error.position(in: body)
            throw APIError(400, "the body is not a JSON object: line \(position.line), column \(position.column): expected \(error.expected)", code: "invalid_json")
        }
        if let refusal = reading.refusal { throw refusal }
        try reading.own.check { $0.name }
        if let given = try RouterFields(headers: headers) { reading.own.add(given) }
        models = reading.own.models
        ownFields = reading.own.fields(over: defaults)
        needs = reading.needs.needs
        if !reading.needs.isExact, let maxTokens = needs.maxTokens, maxTokens >= exactFrom - body.byteCount {
            self = try ChatRequest(body, fields: headers, defaults: defaults)
        }
    }

    /// What is only needed until the whole body was read.
    private struct Reading {
        var own = RouterFields()
        var needs: ChatNeeds
        /// A bit for each field.
        var seen: UInt64 = 0
        /// The first of the values that must not be. A body that is no JSON is refused for that before.
        var refusal: APIError?
    }

    private mutating func read(_ body: RawSpan, _ reading: inout Reading) throws(JSONError) {
        var cursor = JSONCursor()
        members.reserveCapacity(16)
        try cursor.enterObject(body)
        while let key = try cursor.nextKey(body) {
            let field = Field(key, in: body)
            let value = field == .messages ? try reading.needs.readMessages(&cursor, body) : try cursor.skipValue(body)
            if field?.isOwn != true { members.append(JSONMember(key: key, value: value)) }
            guard let field, reading.refusal == nil else { continue }
            do throws(APIError) { try read(field, value, body, &reading) } catch { reading.refusal = error }
        }
        try cursor.end(body)
    }

    private mutating func read(_ field: Field, _ value: JSONValue, _ body: RawSpan, _ reading: inout Reading) throws(APIError) {
        let bit = UInt64(1) << UInt64(field.rawValue)
        guard reading.seen & bit == 0 else { throw Self.givenTwice(field.name) }
        reading.seen |= bit
        if value.kind == .null { return }
        switch field {
        case .messages: break
        case .tools, .functions: reading.needs.readTools(value, body)
        case .maxTokens: reading.needs.readMaxTokens(value, body)
        case .maxCompletionTokens: reading.needs.readMaxCompletionTokens(value, body)
        case .stream:
            guard value.kind == .true || value.kind == .false else { throw Self.invalid(field.name, "true or false") }
            isStream = value.kind == .true
        case .n:
            // A count that an upstream would refuse is the upstream's to refuse.
            choices = max(1, JSON.integer(value, in: body) ?? 1)
        case .streamOptions:
            guard value.kind == .object else { throw Self.invalid(field.name, "an object") }
            wantsUsage = try Self.member("include_usage", of: value, field, body)?.kind == .true
        case .responseFormat:
            guard value.kind == .object, let type = try Self.member("type", of: value, field, body) else { return }
            if JSON.isString(type, "json_object", in: body) || JSON.isString(type, "json_schema", in: body) { reading.needs.add(.json) }
        case .model, .tags, .type, .minContextSize, .minMaxOutputTokens, .supportsImage, .supportsVideo, .supportsAudio, .supportsFile, .supportsTools,
            .preferFast, .minSuccessRate, .selectionMode, .maxModelSwitches, .maxSameModelRetries, .retryDelay, .timeoutSecs, .fallbackProvider, .fallbackModel:
            try reading.own.read(field, RouterValue(value, in: body), name: field.name)
        }
    }

    /// A member of an object that was checked; of two, none.
    private static func member(_ name: StaticString, of object: JSONValue, _ field: Field, _ body: RawSpan) throws(APIError) -> JSONValue? {
        var cursor = JSONCursor(at: object.range.lowerBound)
        var found: JSONValue?
        var isTwice = false
        do throws(JSONError) {
            try cursor.enterObject(body)
            while let key = try cursor.nextKey(body) {
                let value = try cursor.skipValue(body)
                guard JSON.isKey(key, name, in: body) else { continue }
                if found != nil { isTwice = true }
                found = value
            }
        } catch {
            return nil
        }
        if isTwice { throw givenTwice("\(field.name).\(name)") }
        return found
    }

    static func givenTwice(_ name: String) -> APIError {
        APIError(400, "'\(name)' is given twice", code: "duplicate_field", param: name)
    }

    static func invalid(_ name: String, _ expected: String) -> APIError {
        APIError(400, "'\(name)' must be \(expected)", code: "invalid_value", param: name)
    }
}
