import ProviderKit
import RoutingPolicy

/// What follows from a failed attempt, before anything was sent to the client.
enum Fate: Equatable {
    /// The same model again; then the next.
    case retryThenNext
    case next
    /// The next; the same model again only where no other is left.
    case nextThenRetry
    /// `fallback_on` where the route has it, else the next candidate with a larger context, else the end.
    case largerContext
    /// `fallback_on` where the route has it, else the end.
    case ownChain
    case stop
}

extension ProviderError {
    /// The failure table of README.md. `failover:` comes before it: the route's, then the provider's, then the defaults'.
    func fate(_ failovers: Failover...) -> Fate {
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
        // A redirect stays one.
        case .upstreamError where (300..<400).contains(status ?? 0): return .next
        case .upstreamError: return status == 503 && retryAfter != nil ? .retryThenNext : .nextThenRetry
        case .unreachable, .timeout, .notFound, .providerRejected, .unsupported: return .next
        case .contextOverflow: return .largerContext
        case .contentFilter: return .ownChain
        case .clientError, .cancelled: return .stop
        }
    }
}
