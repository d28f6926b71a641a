import ProviderKit
import RoutingPolicy

/// What follows a failed attempt before anything has been sent to the client: one row of the failure table.
enum FailureRule: Equatable {
    /// Retry the same model, then call the next one.
    case retryThenNext
    case next
    /// Call the next model; retry the same model only if no other is left.
    case nextThenRetry
    /// Call the models of `fallback_on` if the route has it for this failure; else the next candidate with a larger
    /// context; else end the call.
    case fallbackOnOrLargerContext
    /// Call the models of `fallback_on` if the route has it for this failure; else end the call.
    case fallbackOnOrStop
    case stop
}

extension ProviderError {
    /// The rule for this failure.
    /// Source: docs/failures.md, "The failure table".
    ///
    /// - Parameter failovers: the `failover` settings that precede the table: the route's, the provider's, the
    ///   defaults'.
    func failureRule(_ failovers: Failover...) -> FailureRule {
        for failover in failovers {
            switch failover.action(status: status, failure: failure) {
            case .retry: return .retryThenNext
            case .next: return .next
            case .stop: return .stop
            case nil: continue
            }
        }
        switch failure {
        case .reset, .rateLimited: return .retryThenNext
        // A retry would get the same redirect.
        case .upstreamError where (300..<400).contains(status ?? 0): return .next
        case .upstreamError: return status == 503 && retryAfter != nil ? .retryThenNext : .nextThenRetry
        case .unreachable, .timeout, .notFound, .providerRejected, .unsupported, .invalidJSON, .routerLimit: return .next
        case .contextOverflow: return .fallbackOnOrLargerContext
        case .contentFilter: return .fallbackOnOrStop
        case .clientError, .cancelled: return .stop
        }
    }
}
