extension OpenAIErrorBody {
    /// The class of a failure with this body.
    ///
    /// A status alone is not enough: a context that is too long, a content filter and an unsupported `response_format`
    /// are all a 400 (or 413, 422), and for some providers moderation is a 403.
    ///
    /// - Parameter status: the status of the response. nil for an error inside a successful response: then the code
    ///   counts if it is a status, and otherwise the type.
    public func failureClass(status: Int?) -> FailureClass {
        guard let status = status ?? self.status else { return known ?? Self.failureClass(ofType: type) }
        let statusClass = ProviderKit.failureClass(ofStatus: status)
        switch statusClass {
        case .clientError: return known ?? statusClass
        // On a 5xx only a code counts. Its message may be about anything.
        case .upstreamError where status >= 500: return knownCode ?? statusClass
        case .providerRejected where status == 403: return known == .contentFilter ? .contentFilter : statusClass
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .contextOverflow, .contentFilter,
            .unsupported, .cancelled:
            return statusClass
        }
    }

    /// The class according to the codes, the message, or the error of the provider that this provider has called, in
    /// this order; nil if none of them is known.
    private var known: FailureClass? {
        if let knownCode { return knownCode }
        if let message, let found = OpenAIErrorPatterns.failureClass(ofMessage: message) { return found }
        if let innerClass, innerClass != .clientError { return innerClass }
        if let innerMessage, let found = OpenAIErrorPatterns.failureClass(ofMessage: innerMessage) { return found }
        return param == "response_format" ? .unsupported : nil
    }

    private var knownCode: FailureClass? {
        if isFlagged { return .contentFilter }
        for code in [code, innerCode, type] {
            if let code, let found = OpenAIErrorPatterns.failureClass(ofCode: code, param: param) { return found }
        }
        return nil
    }

    /// The class of an error event without a status, according to OpenAI's `type`.
    private static func failureClass(ofType type: String?) -> FailureClass {
        switch type {
        case "rate_limit_error", "rate_limit_exceeded", "insufficient_quota", "tokens", "requests": .rateLimited
        case "authentication_error", "permission_error": .providerRejected
        case "invalid_request_error": .clientError
        default: .upstreamError
        }
    }
}
