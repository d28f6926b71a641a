package import HTTPWire
package import ProviderKit

extension UpstreamFailure {
    var isTimeout: Bool { if case .timeout = self { true } else { false } }

    /// The failure as a classified error, and its reason for the metrics: the class, or the timer of a timeout.
    ///
    /// - Parameter attemptTimeout: the timeout of the attempt that the request set, if `total` stands for it; else nil.
    package func classified(attemptTimeout: Duration? = nil) -> (ProviderError, reason: String) {
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
                ProviderError(
                    .routerLimit, message: "too many requests are waiting for a connection to this provider; retry later",
                    code: "queue_full"),
                "queue_full"
            )
        case .outOfResources(let message):
            return (ProviderError(.routerLimit, message: message, code: "out_of_resources"), "out_of_resources")
        case .timeout(.total) where attemptTimeout != nil:
            return (.impatience, "timeout_attempt")
        case .timeout(let timer):
            return (
                ProviderError(timer.failureClass, message: "the '\(timer.rawValue)' timeout ran out", code: "\(timer.rawValue)_timeout"),
                "timeout_\(timer.rawValue)"
            )
        }
    }
}

extension ProviderError {
    /// The error of an attempt that took longer than its request allows. Another client may wait longer.
    static let impatience = ProviderError(
        .timeout, message: "the attempt took longer than the request's 'timeout_secs' allows", code: "attempt_timeout")

    /// Whether this is ``impatience``: an upstream's own error has a status.
    var isImpatience: Bool { failure == .timeout && status == nil && code == Self.impatience.code }
}

extension UpstreamTimer {
    /// The class of a failure if this timer runs out.
    fileprivate var failureClass: FailureClass {
        switch self {
        case .queue: .routerLimit
        case .connect: .unreachable
        case .write, .firstByte, .firstContent, .idle, .response, .total: .timeout
        }
    }
}
