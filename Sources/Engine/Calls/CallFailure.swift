package import ProviderKit

/// The final failure of a call.
package struct CallFailure: Sendable {
    package enum Cause: Sendable, Equatable {
        /// Every attempt failed.
        case allFailed
        /// The upstream's status and message are passed on, because the client named the model or the request itself is
        /// at fault.
        case upstream
        /// The `total` timeout ran out.
        case total
        /// No model could be called: all are in cooldown or at a limit, or the client's key is at its limit.
        case unavailable
        /// The client's key has used up its budget.
        case overBudget
        case clientLeft
        /// The process is stopping.
        case shuttingDown
    }

    package var cause: Cause
    /// The status that the client gets. If the client has left, it appears in the access log only.
    package var status: Int
    /// The error that decided the outcome.
    package var error: ProviderError
    package var retryAfter: Duration?
    /// Why the candidates could not be called, with their names, which follows the error's message; nil if none was
    /// skipped.
    package var states: String?
}

extension CallFailure {
    /// The failure that the client gets if no other attempt follows.
    /// Source: docs/failures.md, "The final status".
    ///
    /// - Parameters:
    ///   - isNamed: whether the client named the model itself.
    ///   - cooldown: the time until the first skipped model can be called; nil if it isn't known.
    static func final(after errors: [ProviderError], isNamed: Bool, cooldown: Duration? = nil) -> CallFailure {
        guard let last = errors.last else {
            return CallFailure(cause: .allFailed, status: 503, error: ProviderError(.upstreamError, message: "no attempt was made"))
        }
        switch last.failure {
        case .clientError, .contextOverflow, .contentFilter:
            // A content filter can refuse inside a 200, which is an error nevertheless.
            return CallFailure(cause: .upstream, status: max(last.status ?? 400, 400), error: last)
        case .cancelled:
            return CallFailure(cause: .clientLeft, status: 499, error: last)
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .unsupported, .invalidJSON,
            .routerLimit:
            break
        }
        let classes = Set(errors.map(\.failure))
        let waits = errors.compactMap(\.retryAfter) + (cooldown.map { [$0] } ?? [])
        if isNamed, classes.count == 1, last.failure != .providerRejected, let status = last.status, status >= 400 {
            return CallFailure(cause: .upstream, status: status, error: last, retryAfter: waits.min())
        }
        switch classes {
        case [.timeout]: return CallFailure(cause: .allFailed, status: 504, error: last)
        case [.rateLimited]: return CallFailure(cause: .allFailed, status: 429, error: last, retryAfter: waits.min())
        case [.routerLimit]: return CallFailure(cause: .unavailable, status: 503, error: last, retryAfter: .seconds(1))
        case [.unsupported]: return CallFailure(cause: .allFailed, status: 400, error: last)
        default: return CallFailure(cause: .allFailed, status: 502, error: last)
        }
    }
}
