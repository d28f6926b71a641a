/// The class of a failed attempt. The raw values are the names in policy files, logs and metrics.
///
/// The router's failure table (docs/failures.md) decides what follows from each class: a retry, the next model or the
/// end of the request.
public enum FailureClass: String, Sendable, CaseIterable {
    /// The upstream can't be reached: the connection is refused, or DNS, TLS or the connect timeout fails.
    case unreachable
    /// A new connection was closed before the response began.
    case reset
    /// A timeout of the router has run out.
    case timeout
    /// The account has sent too many requests (429).
    case rateLimited = "rate_limited"
    /// The upstream has failed: a 5xx, an unreadable or empty response, or an error event.
    case upstreamError = "upstream_error"
    /// The provider does not know the model.
    case notFound = "not_found"
    /// The provider refuses the router's key or account.
    case providerRejected = "provider_rejected"
    /// The prompt is too long for the model's context.
    case contextOverflow = "context_overflow"
    /// A content filter has stopped the request or the response.
    case contentFilter = "content_filter"
    /// The model does not support something that the request needs.
    case unsupported
    /// The request asks for JSON, the policy demands it, and the response is not JSON.
    case invalidJSON = "invalid_json"
    /// The request itself is invalid, so no other model would accept it either.
    case clientError = "client_error"
    /// A limit of the router itself has been reached, such as its connections to the provider, or its memory. The
    /// upstream is not at fault.
    case routerLimit = "router_limit"
    /// The client has closed its connection, or the router is shutting down. Only the router knows that: a plugin that
    /// says so misbehaves.
    case cancelled
}

/// The failure of an attempt.
public struct ProviderError: Error, Sendable {
    /// The class, which decides what follows.
    public var failure: FailureClass
    /// The HTTP status of the upstream's response. For an error inside a successful response, it is the status that the
    /// error names. nil if there is none.
    public var status: Int?
    /// The message for people: lowercase and without secrets. An upstream's own message is kept as it is, and not
    /// cut: the router masks the secrets in it, and then cuts it at 4 KiB.
    public var message: String
    /// The `code` of OpenAI's error format; nil if the upstream sent none.
    public var code: String?
    /// The `type` of OpenAI's error format; nil if the upstream sent none.
    public var type: String?
    /// The `param` of OpenAI's error format, which names the wrong field; nil if the upstream sent none.
    public var param: String?
    /// The wait before the next request that the upstream requests; nil if it requests none.
    public var retryAfter: Duration?
    /// The refusal's body as the upstream sent it, if it is in the client's format; nil if it isn't, or not known. The
    /// router sets it.
    public var body: String?

    /// Creates an error.
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

    /// An error for a request that the provider's format can't express: ``FailureClass/unsupported``, which goes on to
    /// the next model.
    ///
    /// - Parameter what: the part of the request, such as `an image in a tool's result`.
    public static func cannotExpress(_ what: String) -> ProviderError {
        ProviderError(.unsupported, message: "the provider's format can't express \(what)")
    }

    /// The code of an error for a response that is not UTF-8, as JSON must be. Metrics and logs count it as a reason of
    /// its own.
    public static let invalidUTF8Code = "upstream_invalid_utf8"

    /// An error for a response that has ended before its own end: ``FailureClass/upstreamError`` with the code
    /// `upstream_truncated`.
    public static func truncated(_ message: String) -> ProviderError {
        ProviderError(.upstreamError, message: message, code: "upstream_truncated")
    }
}
