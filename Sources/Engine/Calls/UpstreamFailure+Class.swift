import HTTPWire
import ProviderKit

extension UpstreamFailure {
    /// The failure's class and words, and its reason in the metrics: the class, with the timer where it was one.
    func described() -> (ProviderError, reason: String) {
        switch self {
        case .unreachable(let words):
            return (ProviderError(.unreachable, message: words), "unreachable")
        case .reset:
            return (ProviderError(.reset, message: "the upstream closed the connection before it answered"), "reset")
        case .truncated:
            return (.truncated("the upstream closed the connection in the middle of its response"), "truncated")
        case .malformed(let words):
            return (
                ProviderError(.upstreamError, message: "the upstream's response is not valid HTTP: \(words)", code: "upstream_unreadable"),
                "malformed"
            )
        case .queueFull:
            return (
                ProviderError(.unreachable, message: "too many requests wait for a connection to this provider", code: "queue_full"),
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
