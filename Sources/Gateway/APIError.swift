import Codecs
import Engine
import HTTPWire
import ProviderKit
import RoutingPolicy

/// An error that the client gets, in the words of OpenAI's API. `write` has its form there, and each face its own.
struct APIError: Error {
    var status: Int
    var message: String
    var code: String?
    var param: String?
    /// The `type` that an upstream sent. nil derives the type from the status.
    var upstreamType: String?
    /// Whether it ends a stream, whose status was already sent.
    var isEvent = false
    /// The body of the refusal as an upstream with the client's format sent it; nil if there is none.
    var refusal: String?
    /// Whether the prompt is too long for the model.
    var isOverflow = false
    /// The name that the request gives, if there is no model with it, shortened if it is long.
    var unknownModel: String?
    /// In seconds, at least 1.
    var retryAfter: Int?
    /// The value of `x-should-retry`. false keeps an SDK from repeating a request for which every candidate has just
    /// failed.
    var shouldRetry: Bool?

    init(_ status: Int, _ message: String, code: String? = nil, param: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.retryAfter = retryAfter
    }

    var type: String {
        if let upstreamType { return upstreamType }
        switch status {
        case 401: return "authentication_error"
        case 403: return "permission_error"
        case 429: return "rate_limit_error"
        case 400..<500: return "invalid_request_error"
        default: return "api_error"
        }
    }

    /// Writes the member `"error": {…}`.
    ///
    /// - Parameter withStatus: whether it includes `status`, for an event of a stream whose status was already sent.
    func write(to writer: inout JSONWriter, withStatus: Bool = false) {
        writer.key("error")
        writer.object {
            $0.member("message", message)
            $0.member("type", type)
            $0.member("param", param)
            $0.member("code", code)
            if withStatus { $0.member("status", status) }
        }
    }

    func addFields(to head: inout ResponseHead) {
        if let retryAfter { head.add("retry-after", String(retryAfter)) }
        if let shouldRetry { head.add("x-should-retry", shouldRetry ? "true" : "false") }
        if status == 401 { head.add("www-authenticate", "Bearer") }
    }
}

extension APIError {
    /// The error for a response of the router's own that can't be kept until the client has read it.
    static let buffersFull = APIError(
        503, "the router's buffers are full; 'server.max_buffered' limits them; retry later", code: "buffers_full", retryAfter: 1)

    /// The error for a planned call that has failed.
    init(_ failure: CallFailure, failures: [FailedAttempt]) {
        let error = failure.error
        let retryAfter = failure.retryAfter.map { max(1, Int($0.milliseconds / 1000 + 0.999)) }
        switch failure.cause {
        case .upstream:
            self.init(failure.status, error.message, code: error.code, param: error.param, retryAfter: retryAfter)
            upstreamType = error.type
            refusal = error.body
            isOverflow = error.failure == .contextOverflow
            if error.failure == .contextOverflow { code = "context_length_exceeded" }
            if error.failure == .contentFilter { code = code ?? "content_filter" }
            if failure.status == 502 || failure.status == 504 { shouldRetry = false }
        case .allFailed:
            self.init(
                failure.status, Self.summary(of: failures, last: error), code: Self.code(of: failures),
                param: failure.status == 400 ? error.param : nil, retryAfter: failure.status == 429 ? retryAfter ?? 1 : retryAfter)
            if failure.status == 502 || failure.status == 504 { shouldRetry = false }
        case .total:
            self.init(504, error.message, code: "request_timeout")
            shouldRetry = false
        case .unavailable:
            let states = failure.states.map { ": \($0)" } ?? ""
            self.init(failure.status, error.message + states, code: error.code, retryAfter: retryAfter ?? 1)
        case .overBudget:
            self.init(failure.status, error.message, code: error.code, retryAfter: retryAfter)
            // The next period may be weeks away.
            shouldRetry = false
        case .clientLeft:
            self.init(499, error.message, code: "client_left")
        case .shuttingDown:
            self.init(503, error.message, code: "shutting_down", retryAfter: 1)
        }
    }

    /// A plugin that breaks its contract is a defect of its own, which no other model's failure explains.
    private static func code(of failures: [FailedAttempt]) -> String {
        let misbehaviour = ProviderError.misbehaviourCode
        return !failures.isEmpty && failures.allSatisfy { $0.error.code == misbehaviour } ? misbehaviour : "all_models_failed"
    }

    private static func summary(of failures: [FailedAttempt], last error: ProviderError) -> String {
        guard let last = failures.last else { return error.message }
        let model = "'\(last.provider)/\(last.model)'"
        guard failures.count > 1 else { return "the only attempt failed, at \(model): \(error.message)" }
        return "all \(failures.count) attempts failed, the last one at \(model): \(error.message)"
    }

    private static let maxListedModels = 12

    /// The error for a request without a plan.
    ///
    /// - Parameter withNames: whether the client may learn the names of the models and of what their providers need.
    init(_ refusal: PlanRefusal, in snapshot: Snapshot, withNames: Bool = true) {
        switch refusal {
        case .unknown(let name):
            self = .unknownModel(name)
        case .forbidden(let name):
            // The same as for a model that does not exist, so that a client can't probe for names.
            self = .unknownModel(name)
        case .off where !withNames:
            self.init(503, "no provider of this model is enabled; tell the router's operator", code: "no_model_available", retryAfter: 60)
        case .off(let variables):
            let names = variables.map { "'\($0)'" }.joined(separator: " or ")
            self.init(
                503,
                "no provider of this model is enabled; "
                    + "the router's operator must set \(names) in the environment and restart the router, or in '.env' and reload",
                code: "no_model_available", retryAfter: 60)
        case .empty(let name):
            self.init(
                503, "the route '\(name.excerpt)' has no models; the router's operator must add one to it", code: "no_model_available",
                retryAfter: 60)
        case .unfit(let name, let omitted) where !withNames:
            let reasons = Set(omitted.filter { $0.rule.isAboutTheRequest }.map(\.rule.description)).sorted().prefix(Self.maxListedModels)
            self.init(
                400,
                "no model of '\(name.excerpt)' fits this request\(reasons.isEmpty ? "" : ": each \(reasons.joined(separator: ", or "))"); "
                    + "change the request or name another model",
                code: "no_model_fits", param: "model")
        case .unfit(let name, let omitted):
            let models = omitted.prefix(Self.maxListedModels).map { "\(snapshot.models[$0.model].key) (\($0.rule))" }.joined(
                separator: ", ")
            let more = omitted.count > Self.maxListedModels ? ", and \(omitted.count - Self.maxListedModels) more" : ""
            self.init(
                400, "no model of '\(name.excerpt)' fits this request: \(models)\(more); change the request or name another model",
                code: "no_model_fits", param: "model")
        }
    }

    static func unknownEndpoint(_ path: String) -> APIError {
        let advice = ForeignPath.advice(for: path) ?? "send chat requests to POST /v1/chat/completions; GET / lists the endpoints"
        return APIError(404, "there is no endpoint '\(path.excerpt)'; \(advice)", code: "not_found")
    }

    /// The error for a method of a model that Gemini's API may have and the router hasn't.
    ///
    /// - Parameter path: what follows `models/`; nil if it names no method.
    static func unknownMethod(_ path: String) -> APIError? {
        guard let colon = path.lastIndex(of: ":") else { return nil }
        let method = String(path[path.index(after: colon)...]), methods = EndpointTable.modelMethods
        return APIError(
            404,
            "models have no method '\(method.excerpt)' here; "
                + "they have \(methods.dropLast().joined(separator: ", ")) and \(methods.last ?? "")",
            code: "not_found")
    }

    static func unknownModel(_ name: String) -> APIError {
        var error = APIError(
            404, "the model '\(name.excerpt)' does not exist, or this key may not use it; GET /models lists the models",
            code: "model_not_found", param: "model")
        error.unknownModel = name.excerpt
        return error
    }
}

extension Omission {
    /// Whether the reason is something that the request asks for, and not how the policy is written.
    fileprivate var isAboutTheRequest: Bool {
        switch self {
        case .operation, .requested, .capability, .medium, .context, .output: true
        case .off, .scope, .condition, .unpriced, .otherVectors, .successRate, .outranked: false
        }
    }
}

extension String {
    /// The string, shortened if it is long, so that a client's text in a message is bounded.
    var excerpt: String {
        utf8.count <= 128 ? self : String(prefix(64)) + "…"
    }
}
