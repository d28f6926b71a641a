import HTTPWire
import ProviderKit

extension UpstreamFailure {
    /// The failure as a classified error, and its reason for the metrics: the class, or the timer of a timeout.
    func classified() -> (ProviderError, reason: String) {
        switch self {
        case .unreachable(let message):
            return (ProviderError(.unreachable, message: message), "unreachable")
        case .reset:
            return (ProviderError(.reset, message: "the upstream closed the connection before it responded"), "reset")
        case .truncated:
            return (.truncated("the upstream closed the connection in the middle of its response"), "truncated")
        case .malformed(let problem):
            return (
                ProviderError(
                    .upstreamError, message: "the upstream's response is not valid HTTP: \(problem)", code: "upstream_unreadable"),
                "malformed"
            )
        case .queueFull:
            return (
                ProviderError(.unreachable, message: "too many requests are waiting for a connection to this provider", code: "queue_full"),
                "queue_full"
            )
        case .timeout(let timer):
            let failure: FailureClass = timer == .connect ? .unreachable : .timeout
            return (
                ProviderError(failure, message: "the '\(timer.rawValue)' timeout ran out", code: "\(timer.rawValue)_timeout"),
                "timeout_\(timer.rawValue)"
            )
        }
    }
}
