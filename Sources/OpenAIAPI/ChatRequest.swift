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
        var seen: Set<Field> = []
        var own: [Int] = []
        for (index, member) in members.enumerated() {
            guard let field = Field(member.key, in: body) else { continue }
            guard seen.insert(field).inserted else { throw APIError(400, "'\(field.rawValue)' is given twice", code: "duplicate_field", param: field.rawValue) }
            try read(field, member.value, body)
            if field.isOwn { own.append(index) }
        }
        for index in own.reversed() { members.remove(at: index) }
    }

    /// The keys that the router reads.
    private enum Field: String, CaseIterable {
        case model, stream, n
        case streamOptions = "stream_options"
        case responseFormat = "response_format"
        // The router's own: no upstream sees them.
        case tags, type
        case minContextSize = "min_context_size"
        case minMaxOutputTokens = "min_max_output_tokens"
        case supportsImage = "supports_image"
        case supportsVideo = "supports_video"
        case supportsAudio = "supports_audio"
        case supportsFile = "supports_file"
        case supportsTools = "supports_tools"
        case preferFast = "prefer_fast"
        case minSuccessRate = "min_success_rate"
        case selectionMode = "selection_mode"
        case maxModelSwitches = "max_model_switches"
        case maxSameModelRetries = "max_same_model_retries"
        case retryDelay = "retry_delay"
        case timeoutSecs = "timeout_secs"
        case fallbackProvider = "fallback_provider"
        case fallbackModel = "fallback_model"

        var isOwn: Bool {
            switch self {
            case .model, .stream, .n, .streamOptions, .responseFormat: false
            default: true
            }
        }

        /// By meaning, so that an escaped key is the same key. Most members are none of these, and are told by their length.
        init?(_ key: Range<Int>, in body: RawSpan) {
            let length = key.count - 2
            let isPlain = !key.contains { body.unsafeLoad(fromByteOffset: $0, as: UInt8.self) == UInt8(ascii: "\\") }
            for field in Self.table where !isPlain || field.length == length {
                if JSON.isKey(key, field.name, in: body) {
                    self = field.field
                    return
                }
            }
            return nil
        }

        private static let table: [(field: Field, name: StaticString, length: Int)] = [
            (.model, "model", 5), (.stream, "stream", 6), (.n, "n", 1), (.streamOptions, "stream_options", 14), (.responseFormat, "response_format", 15),
            (.tags, "tags", 4), (.type, "type", 4), (.minContextSize, "min_context_size", 16), (.minMaxOutputTokens, "min_max_output_tokens", 21),
            (.supportsImage, "supports_image", 14), (.supportsVideo, "supports_video", 14), (.supportsAudio, "supports_audio", 14),
            (.supportsFile, "supports_file", 13), (.supportsTools, "supports_tools", 14), (.preferFast, "prefer_fast", 11),
            (.minSuccessRate, "min_success_rate", 16), (.selectionMode, "selection_mode", 14), (.maxModelSwitches, "max_model_switches", 18),
            (.maxSameModelRetries, "max_same_model_retries", 22), (.retryDelay, "retry_delay", 11), (.timeoutSecs, "timeout_secs", 12),
            (.fallbackProvider, "fallback_provider", 17), (.fallbackModel, "fallback_model", 14),
        ]
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
                400, "'\(field.rawValue)' is a field of the router's own that this version does not carry out; name a route in 'model' instead",
                code: "unsupported_field", param: field.rawValue)
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
        APIError(400, "'\(field.rawValue)' must be \(expected)", code: "invalid_value", param: field.rawValue)
    }
}
