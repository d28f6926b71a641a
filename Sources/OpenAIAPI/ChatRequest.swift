import NIOCore
import ProviderKit

/// What the router reads of a chat request, straight from the bytes. All else is never parsed, and reaches the upstream as it came.
struct ChatRequest {
    /// nil: none was named.
    var model: String?
    var isStream = false
    /// `stream_options.include_usage`.
    var wantsUsage = false
    /// `n`: how many choices the answer has.
    var choices = 1
    /// A `response_format` of JSON: the answer is given parsed too.
    var wantsJSON = false
    /// `timeout_secs`, for the call as a whole.
    var total: Duration?
    /// `max_model_switches` + 1.
    var maxModels: Int?
    /// The members that go upstream.
    var members: [JSONMember]

    init(_ body: RawSpan) throws(APIError) {
        do throws(JSONError) { members = try JSON.members(of: body) } catch {
            let position = error.position(in: body)
            throw APIError(400, "the body is not a JSON object: line \(position.line), column \(position.column): expected \(error.expected)", code: "invalid_json")
        }
        var seen: UInt32 = 0  // a bit for each field
        var own: [Int] = []
        for (index, member) in members.enumerated() {
            guard let field = Field(member.key, in: body) else { continue }
            let bit = UInt32(1) << UInt32(field.rawValue)
            guard seen & bit == 0 else { throw APIError(400, "'\(field.name)' is given twice", code: "duplicate_field", param: field.name) }
            seen |= bit
            try read(field, member.value, body)
            if field.isOwn { own.append(index) }
        }
        for index in own.reversed() { members.remove(at: index) }
    }

    /// The keys that the router reads; from `tags` on the router's own, which no upstream sees.
    private enum Field: Int {
        case model, stream, n, streamOptions, responseFormat
        case tags, type, minContextSize, minMaxOutputTokens, supportsImage, supportsVideo, supportsAudio, supportsFile, supportsTools, preferFast, minSuccessRate,
            selectionMode, maxModelSwitches, maxSameModelRetries, retryDelay, timeoutSecs, fallbackProvider, fallbackModel

        /// In the order of the cases.
        private static let names: [StaticString] = [
            "model", "stream", "n", "stream_options", "response_format",
            "tags", "type", "min_context_size", "min_max_output_tokens", "supports_image", "supports_video", "supports_audio", "supports_file", "supports_tools",
            "prefer_fast", "min_success_rate", "selection_mode", "max_model_switches", "max_same_model_retries", "retry_delay", "timeout_secs",
            "fallback_provider", "fallback_model",
        ]

        var name: String { "\(Self.names[rawValue])" }

        var isOwn: Bool { rawValue >= Field.tags.rawValue }

        /// By meaning, so that an escaped key is the same key. Most members are none of these, and are told by their length.
        init?(_ key: Range<Int>, in body: RawSpan) {
            let length = key.count - 2
            let isPlain = !key.contains { body.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == UInt8(ascii: "\\") }
            for (index, name) in Self.names.enumerated() where !isPlain || name.utf8CodeUnitCount == length {
                if JSON.isKey(key, name, in: body) {
                    self.init(rawValue: index)
                    return
                }
            }
            return nil
        }
    }

    private mutating func read(_ field: Field, _ value: JSONValue, _ body: RawSpan) throws(APIError) {
        if value.kind == .null { return }
        switch field {
        case .model:
            guard value.kind == .string else { throw Self.wrongType(field, "a string") }
            let name = JSON.string(value.range, in: body)
            if !name.isEmpty { model = name }
        case .stream:
            guard value.kind == .true || value.kind == .false else { throw Self.wrongType(field, "true or false") }
            isStream = value.kind == .true
        case .n:
            // A count that an upstream would refuse is the upstream's to refuse.
            choices = max(1, JSON.integer(value, in: body) ?? 1)
        case .streamOptions:
            guard value.kind == .object else { throw Self.wrongType(field, "an object") }
            wantsUsage = member("include_usage", of: value, body)?.kind == .true
        case .responseFormat:
            guard value.kind == .object, let type = member("type", of: value, body) else { return }
            wantsJSON = JSON.isString(type, "json_object", in: body) || JSON.isString(type, "json_schema", in: body)
        case .timeoutSecs:
            total = .seconds(try number(field, value, body, 1...600))
        case .maxModelSwitches:
            maxModels = try number(field, value, body, 1...10) + 1
        case .tags, .type, .minContextSize, .minMaxOutputTokens, .supportsImage, .supportsVideo, .supportsAudio, .supportsFile, .supportsTools, .preferFast,
            .minSuccessRate, .selectionMode, .maxSameModelRetries, .retryDelay, .fallbackProvider, .fallbackModel:
            if value.kind == .false { return }
            throw APIError(
                400, "'\(field.name)' is a field of the router's own that this version does not carry out; name a route in 'model' instead",
                code: "unsupported_field", param: field.name)
        }
    }

    private func member(_ name: StaticString, of object: JSONValue, _ body: RawSpan) -> JSONValue? {
        var cursor = JSONCursor(at: object.range.lowerBound)
        var found: JSONValue?
        do throws(JSONError) {
            try cursor.enterObject(body)
            while let key = try cursor.nextKey(body) {
                let value = try cursor.skipValue(body)
                if JSON.isKey(key, name, in: body) { found = value }
            }
        } catch {
            return nil
        }
        return found
    }

    private func number(_ field: Field, _ value: JSONValue, _ body: RawSpan, _ bounds: ClosedRange<Int>) throws(APIError) -> Int {
        guard let number = JSON.integer(value, in: body), bounds.contains(number) else {
            throw Self.wrongType(field, "an integer from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    private static func wrongType(_ field: Field, _ expected: String) -> APIError {
        APIError(400, "'\(field.name)' must be \(expected)", code: "invalid_value", param: field.name)
    }
}
