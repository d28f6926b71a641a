import ProviderKit

extension CallFailure {
    /// What the client is told when an attempt has failed and no other follows.
    ///
    /// - Parameter coolingDown: the models that were not asked rest, and the first may be asked after so long.
    static func final(after errors: [FailedAttempt], isNamed: Bool, coolingDown: Duration? = nil) -> CallFailure {
        guard let last = errors.last?.error else {
            return CallFailure(cause: .allFailed, status: 503, error: ProviderError(.upstreamError, message: "no attempt was made"))
        }
        switch last.failure {
        case .clientError, .contextOverflow, .contentFilter:
            // A content filter may have spoken inside a 200.
            return CallFailure(cause: .upstream, status: max(last.status ?? 400, 400), error: last)
        case .cancelled:
            return CallFailure(cause: .clientLeft, status: 499, error: last)
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .unsupported:
            break
        }
        let classes = Set(errors.map(\.error.failure))
        // No wish is followed for longer, so none is passed on.
        let waits = (errors.compactMap(\.error.retryAfter) + (coolingDown.map { [$0] } ?? [])).map { min($0, Backoff.maxRetryAfter) }
        if isNamed, classes.count == 1, last.failure != .providerRejected, let status = last.status, status >= 400 {
            return CallFailure(cause: .upstream, status: status, error: last, retryAfter: waits.min())
        }
        switch classes {
        case [.timeout]: return CallFailure(cause: .allFailed, status: 504, error: last)
        case [.rateLimited]: return CallFailure(cause: .allFailed, status: 429, error: last, retryAfter: waits.min())
        case [.unsupported]: return CallFailure(cause: .allFailed, status: 400, error: last)
        default: return CallFailure(cause: .allFailed, status: 502, error: last)
        }
    }
}
