import Codecs
import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// What a chat request says to the router, straight from the bytes. All else is never parsed, and reaches the upstream as it came.
struct ChatRequest {
    /// What `model` names, in the order in which it is tried; empty: nothing was named.
    let models: [String]
    let isStream: Bool
    /// `stream_options.include_usage`.
    let wantsUsage: Bool
    /// `n`: how many choices the response has.
    let choices: Int
    /// The router's own: the body's over the headers', over the key's; nil: none was given, as is usual.
    let own: OverridesBox?
    let needs: RequestNeeds
    /// The members that go upstream.
    let members: [JSONMember]

    /// A `response_format` of JSON: the response is given parsed too.
    var wantsJSON: Bool { needs.supports.contains(.json) }

    /// - Parameters:
    ///   - headers: the request's; only `x-router-*` is read.
    ///   - defaults: the key's.
    ///   - exactFrom: from so many tokens on, prompt and answer, their number decides something, and is estimated from the texts. Below, their length is
    ///     told by four: a text has fewer tokens than bytes.
    init(_ body: RawSpan, fields headers: HTTPFields = HTTPFields(), defaults: OverridesBox? = nil, exactFrom: Int = 0) throws(APIError) {
        var reading = try Reading(of: body, headers, isExact: body.byteCount >= exactFrom / 2)
        if !reading.needs.isExact, let maxTokens = reading.needs.needs.maxTokens, maxTokens >= exactFrom - body.byteCount {
            reading = try Reading(of: body, headers, isExact: true)
        }
        models = reading.own.models
        isStream = reading.isStream
        wantsUsage = reading.wantsUsage
        choices = reading.choices
        own = reading.own.fields(over: defaults)
        needs = reading.needs.needs
        members = reading.members
    }

    static func givenTwice(_ name: String) -> APIError {
        APIError(400, "'\(name)' is given twice", code: "duplicate_field", param: name)
    }

    static func invalid(_ name: String, _ expected: String) -> APIError {
        APIError(400, "'\(name)' must be \(expected)", code: "invalid_value", param: name)
    }
}
