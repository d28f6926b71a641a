import ProviderKit

/// Sections that may stand in several places.
extension OptionTexts {
    static let shared = [timeouts, retry, breaker, limits, failover, statistics]

    private static let timeouts = Section(
        name: "timeouts", place: "of defaults, a provider, a model or a route",
        lines: [
            Line("queue", "waiting for a free connection or a slot", .value("10s")),
            Line("connect", "DNS, TCP and TLS", .value("10s")),
            Line("write", "between two writes that make progress, towards the upstream", .value("10s")),
            Line("first_byte", "request sent -> the response's head, of a stream", .value("60s")),
            Line("first_content", "request sent -> first content of a stream", .value("120s")),
            Line("idle", "between two reads of a stream, from the first content on", .value("60s")),
            Line("response", "request sent -> the end of a response that is not streamed", .value("5m")),
            Line("pool_idle", "an unused upstream connection is closed after so long", .value("55s")),
            Line("total", "everything: every attempt, every wait", .value("10m")),
        ])

    private static let retry = Section(
        name: "retry", place: "of defaults, a provider, a model or a route: further tries of the same model",
        lines: [
            Line("retries", "further tries after the first", .value("1")),
            Line("delay", "before the first of them, doubled each time; what the upstream asks for wins", .value("500ms")),
            Line("max_delay", "what the doubling never exceeds", .value("30s")),
            Line("jitter", "each wait is drawn from 1 - jitter to 1 + jitter of its length", .value("0.2")),
        ])

    private static let breaker = Section(
        name: "breaker", place: "of defaults, a provider or a model: when a failing model rests; kept for provider and model together",
        lines: [
            Line("failures", "so many in a row open it", .value("3")),
            Line("cooldown", "how long it rests before a probe; doubled at each failed probe", .value("30s")),
            Line("max_cooldown", "what the doubling never exceeds", .value("5m")),
            Line("jitter", "each rest is drawn from 1 - jitter to 1 + jitter of its length", .value("0.2")),
            Line("successes", "probes that must succeed in a row, one at a time, before it closes", .value("2")),
        ])

    private static let limits = Section(
        name: "limits", place: "of defaults (each model's), a provider, a model or a key: they bound what they stand on",
        lines: [
            Line("requests_per_minute", "requests that begin in a minute", .absent("no limit")),
            Line("tokens_per_minute", "tokens of prompts and answers together, in a minute", .absent("no limit")),
            Line("concurrent", "requests under way at once; the others wait in 'timeouts.queue'", .absent("no limit")),
        ])

    private static let failover = Section(
        name: "failover",
        place: "of defaults, a provider or a route: 'retry' the same model, ask the 'next', or 'stop' and hand the failure to the client",
        lines: FailureClass.allCases.compactMap { failure in meaning(of: failure).map { Line(failure.rawValue, $0) } } + [
            Line(PolicySchema.statusOption, "a response with this status; counts before its class")
        ])

    private static let statistics = Section(
        name: "statistics", place: "of defaults",
        lines: [
            Line("window", "what 'weighted', 'fastest' and 'min_success_rate' look back on", .value("10m"))
        ])

    /// nil for what `failover` doesn't take.
    private static func meaning(of failure: FailureClass) -> String? {
        switch failure {
        case .unreachable: "refused, unreachable, DNS, TLS or connect timeout"
        case .reset: "a fresh connection was closed before the response began"
        case .timeout: "one of 'timeouts' ran out"
        case .rateLimited: "429, or a limit of this policy"
        case .upstreamError: "408, 409, 425, 5xx, or a response that is unreadable or empty"
        case .notFound: "404: the provider doesn't know the model"
        case .providerRejected: "401, 402, 403: the provider refuses this account"
        case .contextOverflow: "the prompt is too long for the model"
        case .contentFilter: "the content filter refused"
        case .unsupported: "the model can't do what the request asks for"
        case .clientError: "every other 4xx"
        case .cancelled: nil
        }
    }
}
