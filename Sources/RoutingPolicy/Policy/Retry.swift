/// `retry:`: further attempts at the same model.
package struct Retry: Sendable, Equatable {
    package var retries = 1
    /// A wait that the upstream asked for replaces it.
    package var delay: Duration = .milliseconds(500)
    /// Does not bound a wait that the upstream asked for.
    package var maxDelay: Duration = .seconds(30)
    /// 0 to 1.
    package var jitter = 0.2
    /// All waits of a request for a model that the client named, together.
    package var namedWait: Duration = .seconds(5)
    package var replay = Replay.on

    package init() {}

    /// Whether a request is sent again if the upstream closes a kept connection without a response.
    package enum Replay: String, Sendable, CaseIterable {
        case on, off
    }

    package func overridden(by overrides: RetryOverrides) -> Retry { applying(overrides) }

    /// The delay before a retry, counted from 1, without jitter, if the upstream asks for no wait:
    ///
    ///     min(delay × 2^(retry - 1), max_delay / (1 + jitter))
    ///
    /// so that jitter never takes it above `max_delay`, and delays at that bound are spread too.
    package func delay(ofRetry retry: Int) -> Duration {
        let limit = maxDelay / (1 + jitter)
        var result = delay, left = retry - 1
        while left > 0, result > .zero, result < limit {
            result *= 2
            left -= 1
        }
        return min(result, limit)
    }
}

/// What one level of the policy sets of `retry:`; nil leaves an option to the level below.
package struct RetryOverrides: Sendable, Equatable, OptionHolder {
    package var retries: Int?
    package var delay: Duration?
    package var maxDelay: Duration?
    package var jitter: Double?
    package var namedWait: Duration?
    package var replay: Retry.Replay?

    package init() {}

    /// Sets the same delay before each retry, ± 20 %.
    package mutating func setConstantDelay(_ delay: Duration) {
        let jitter = 0.2
        // Doubling ends at `max_delay` without its jitter, which is this delay.
        (self.delay, maxDelay, self.jitter) = (delay, delay * (1 + jitter), jitter)
    }
}

extension Retry: LayeredSettings {
    static let sectionName = "retry"
    static let about = "may be set on defaults, a provider, a model or a route: further attempts at the same model"
    static let retryRange = 0...10

    static let layered: [LayeredOption<Retry, RetryOverrides>] = [
        .init("retries", \.retries, \.retries, .integer(retryRange), help: "how many more attempts the same model gets after the first"),
        .init(
            "delay", \.delay, \.delay, .duration,
            help: "the wait before the first retry; doubled for each further one; Retry-After replaces it"),
        .init("max_delay", \.maxDelay, \.maxDelay, .duration, help: "the longest wait that the doubling of 'delay' can reach"),
        .init("jitter", \.jitter, \.jitter, .ratio, help: "each delay is drawn from 1 - jitter to 1 + jitter of its length"),
        .init(
            "named_wait", \.namedWait, \.namedWait, .wait,
            help: "if the client names the model: how long a request waits for it in total; after that the client gets the 429"),
        .init(
            "replay", \.replay, \.replay, .word,
            help: "whether a request is sent again, once, if the upstream closes a kept connection without a response"),
    ]
}
