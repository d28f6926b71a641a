package import RoutingPolicy

/// How long to wait before the same model is called again.
package enum Backoff {
    /// The delay before a retry.
    ///
    /// If the upstream requests no wait, the delay is drawn from (1 - jitter)...(1 + jitter) of
    /// `Retry.delay(ofRetry:)`. With delay 500 ms, jitter 0.2 and max_delay 30 s: 500 ms, 1 s, 2 s, 4 s, 8 s, 16 s,
    /// 25 s, 25 s, each ± 20 %.
    ///
    /// If the upstream requests a wait, the delay is that wait, even above `max_delay`, plus a random part of up to
    /// jitter × the delay above. It is never shorter than the requested wait.
    ///
    /// - Parameters:
    ///   - retry: counts from 1.
    ///   - retryAfter: the wait that the upstream requested; nil or zero if it requested none.
    package static func delay(
        retry: Int, settings: Retry, retryAfter: Duration?, using random: inout some RandomNumberGenerator
    ) -> Duration {
        let length = settings.delay(ofRetry: retry)
        guard let retryAfter, retryAfter > .zero else { return length.jittered(by: settings.jitter, using: &random) }
        let spread = length * Double.random(in: 0...settings.jitter, using: &random)
        return retryAfter + spread
    }
}
