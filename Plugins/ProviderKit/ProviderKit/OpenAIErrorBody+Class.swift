extension OpenAIErrorBody {
    /// What a failure with this body is. A status alone says too little: a context that is too long, a content filter and an unsupported `response_format` are
    /// all a 400 (or 413, 422), and moderation is a 403 with some.
    ///
    /// - Parameter status: the response's own. nil for an event or an object inside a 200: then the code counts where it is a status, else the type.
    public func failureClass(status: Int?) -> FailureClass {
        guard let status = status ?? self.status else { return known ?? Self.failureClass(ofType: type) }
        let plain = ProviderKit.failureClass(ofStatus: status)
        switch plain {
        case .clientError: return known ?? plain
        // What a 5xx says by a code is meant so; its words may be about anything.
        case .upstreamError where status >= 500: return knownCode ?? plain
        case .providerRejected where status == 403: return known == .contentFilter ? .contentFilter : plain
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .contextOverflow, .contentFilter,
            .unsupported, .cancelled:
            return plain
        }
    }

    /// By codes first, then by words, then by what the provider behind this one said.
    private var known: FailureClass? {
        if let knownCode { return knownCode }
        if let message, let found = OpenAIErrorWords.failureClass(ofMessage: message) { return found }
        if let innerClass, innerClass != .clientError { return innerClass }
        if let innerMessage, let found = OpenAIErrorWords.failureClass(ofMessage: innerMessage) { return found }
        return param == "response_format" ? .unsupported : nil
    }

    private var knownCode: FailureClass? {
        if isFlagged { return .contentFilter }
        for word in [code, innerCode, type] {
            if let word, let found = OpenAIErrorWords.failureClass(ofCode: word, param: param) { return found }
        }
        return nil
    }

    /// The class of an error event that tells no status, by OpenAI's `type`.
    private static func failureClass(ofType type: String?) -> FailureClass {
        switch type {
        case "rate_limit_error", "rate_limit_exceeded", "insufficient_quota", "tokens", "requests": .rateLimited
        case "authentication_error", "permission_error": .providerRejected
        case "invalid_request_error": .clientError
        default: .upstreamError
        }
    }
}
