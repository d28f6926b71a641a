/// Why an attempt failed, in the words of routes.yaml. What follows from each class is the engine's failure table.
public enum FailureClass: String, Sendable, CaseIterable {
    /// Refused, unreachable, DNS, TLS failure, connect timeout.
    case unreachable
    /// A fresh connection was closed before the response began.
    case reset
    /// A timer ran out.
    case timeout
    case rateLimited = "rate_limited"
    /// 5xx, an unreadable or empty answer, an error event.
    case upstreamError = "upstream_error"
    /// The provider does not know the model.
    case notFound = "not_found"
    /// The provider refuses the router's own key or account.
    case providerRejected = "provider_rejected"
    case contextOverflow = "context_overflow"
    case contentFilter = "content_filter"
    /// The model can't do what the request asks for.
    case unsupported
    /// The request itself is at fault; no other model would take it.
    case clientError = "client_error"
    /// The client went away.
    case cancelled
}

/// A failed attempt.
public struct ProviderError: Error, Sendable {
    public var failure: FailureClass
    /// The upstream's status; for an error event inside a 200, the status that it stands for. nil: there was no response.
    public var status: Int?
    /// Lower-case words for people, without secrets; an upstream's own text is kept as it came.
    public var message: String
    /// OpenAI's `code`, where the upstream sent one.
    public var code: String?
    /// OpenAI's `type`, where the upstream sent one.
    public var type: String?
    /// OpenAI's `param`, where the upstream sent one.
    public var param: String?
    /// How long the upstream asked to be left alone.
    public var retryAfter: Duration?

    public init(
        _ failure: FailureClass, status: Int? = nil, message: String, code: String? = nil, type: String? = nil, param: String? = nil,
        retryAfter: Duration? = nil
    ) {
        self.failure = failure
        self.status = status
        self.message = message
        self.code = code
        self.type = type
        self.param = param
        self.retryAfter = retryAfter
    }

    /// The response stopped before its own end.
    public static func truncated(_ message: String) -> ProviderError {
        ProviderError(.upstreamError, message: message, code: "upstream_truncated")
    }
}
