import ProviderKit

/// What follows from a failed attempt, before anything was sent to the caller.
enum Fate: Equatable {
    /// The same model once more, at once; then the next.
    case retryThenNext
    case next
    /// `fallback_on` where the route has it, else the next candidate with a larger context, else the end.
    case largerContext
    /// `fallback_on` where the route has it, else the end.
    case ownChain
    case stop
}

extension FailureClass {
    /// The failure table of README.md.
    var fate: Fate {
        switch self {
        case .reset: .retryThenNext
        case .unreachable, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .unsupported: .next
        case .contextOverflow: .largerContext
        case .contentFilter: .ownChain
        case .clientError, .cancelled: .stop
        }
    }
}
