import Codecs
import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// What the router reads of a request, straight from the bytes. Everything else is never parsed and reaches an upstream
/// that speaks the client's format as it came.
struct RequestOutline {
    /// The names in `model`, in the order in which they are tried; empty if there is none.
    let models: [String]
    let isStream: Bool
    /// `stream_options.include_usage`.
    let wantsUsage: Bool
    /// `n`: how many choices the response has.
    let choices: Int
    /// The body's routing overrides, over those of the headers, over those of the key; nil if there are none, as in
    /// most requests.
    let overrides: OverridesBox?
    let needs: RequestNeeds
    /// What goes upstream.
    let payload: Payload

    /// Whether `response_format` asks for JSON; the parsed content then goes into `_router`.
    var wantsJSON: Bool { needs.supports.contains(.json) }

    /// What a path says of a request, in APIs whose bodies don't.
    struct Path {
        /// The name of the model, or names with commas between them.
        let model: String
        let isStream: Bool
    }

    /// - Parameters:
    ///   - table: the members to read.
    ///   - path: nil if the body says all.
    ///   - headers: the request's; only `x-router-*` is read.
    ///   - defaults: the key's.
    ///   - streamsByDefault: whether the response is streamed if the body doesn't say so.
    ///   - exactFrom: the number of tokens, of prompt and response together, from which on the number decides
    ///     something. Such a request's tokens are estimated from its texts. For smaller ones their length is enough,
    ///     because a text has fewer tokens than bytes.
    ///   - rename: what the policy calls a model that the request names; nil: the same.
    init(
        _ body: RawSpan, _ table: borrowing FieldTable = .openAI, path: Path? = nil, fields headers: borrowing HTTPFields = HTTPFields(),
        defaults: OverridesBox? = nil, streamsByDefault: Bool = false, exactFrom: Int = 0, rename: ((String) -> String)? = nil
    ) throws(APIError) {
        var reading = try Reading(of: body, table, path, headers, isExact: body.byteCount >= exactFrom / 2)
        if !reading.needs.isExact, let maxTokens = reading.needs.maxResponseTokens, maxTokens >= exactFrom - body.byteCount {
            reading = try Reading(of: body, table, path, headers, isExact: true)
        }
        let names = table.bareNames(reading.overrides.models)
        models = rename.map { names.map($0) } ?? names
        isStream = reading.isStream ?? streamsByDefault
        wantsUsage = reading.wantsUsage
        choices = reading.choices
        overrides = reading.overrides.overrides(over: defaults)
        needs = reading.needs.needs
        payload = .members(reading.members)
    }

    /// Reads a form. Routing overrides come in headers only.
    init(_ form: MultipartForm, fields headers: HTTPFields, defaults: OverridesBox?) throws(APIError) {
        var overrides = OverrideReader()
        var texts: [String: String] = [:]
        for part in form.parts where ["model", "stream", "prompt", "n"].contains(part.name) {
            guard let text = part.text else { throw .invalid(part.name, "a text, not a file") }
            guard texts.updateValue(String(decoding: text, as: UTF8.self), forKey: part.name) == nil else { throw .duplicate(part.name) }
        }
        let stream = texts["stream"]?.lowercased()
        guard ["true", "false", "", nil].contains(stream) else { throw .invalid("stream", "true or false") }
        if let model = texts["model"] { try overrides.readModels(.header(model), name: "model") }
        if let given = try OverrideReader(headers: headers) {
            overrides.takeModels(of: given)
            overrides.add(given)
        }
        models = overrides.models
        isStream = stream == "true"
        wantsUsage = false
        choices = max(1, texts["n"].flatMap { Int($0) } ?? 1)
        self.overrides = overrides.overrides(over: defaults)
        needs = RequestNeeds(promptTokens: TokenEstimate.tokens(ofBytes: texts["prompt"]?.utf8.count ?? 0))
        payload = .form(form)
    }
}

extension APIError {
    init(_ error: MultipartError) {
        self.init(400, "the body is not a valid form: \(error.reason)", code: "invalid_form")
    }

    static func invalidJSON(_ error: JSONError, in body: RawSpan) -> APIError {
        let position = error.position(in: body)
        return APIError(
            400, "the body is not a valid JSON object: line \(position.line), column \(position.column): expected \(error.expected)",
            code: "invalid_json")
    }

    static func duplicate(_ name: String) -> APIError {
        APIError(400, "'\(name)' is given twice; remove one", code: "duplicate_field", param: name)
    }

    /// The next request may go to another provider, so the router doesn't pass on what refers to an earlier one.
    static func needsStore(_ name: String, code: String) -> APIError {
        APIError(
            400, "'\(name)' is not supported, because the router stores no responses; send the whole conversation as 'input'", code: code,
            param: name)
    }

    static func misplacedAuto(_ name: String) -> APIError {
        APIError(400, "'auto' may only be last in '\(name)'; move it to the end", code: "invalid_value", param: name)
    }

    static func invalid(_ name: String, _ expected: String) -> APIError {
        APIError(400, "'\(name)' must be \(expected)", code: "invalid_value", param: name)
    }
}
