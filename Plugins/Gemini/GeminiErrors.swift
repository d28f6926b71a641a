public import ProviderKit

extension GeminiProvider {
    /// Google's errors are read like OpenAI's, with the waits in their `RetryInfo`. A quota of a day that is used up
    /// names a short wait, or none, and comes back at midnight in California.
    /// Source: the Gemini API's guide "Rate limits".
    public func failure(head: UpstreamHead, body: RawSpan) -> ProviderError {
        var error = openAIFailure(head: head, body: body)
        guard head.status == 429, ErrorBody.mentions(["perday"], in: body) else { return error }
        error.failure = .rateLimited
        error.retryAfter = max(error.retryAfter ?? .zero, Self.untilReset(head.receivedAt))
        return error
    }

    /// The time until 08:00 UTC, which is midnight in California, or an hour later in summer. An hour, if the time is
    /// unknown.
    ///
    /// - Parameter now: in seconds since 1970.
    static func untilReset(_ now: Double?) -> Duration {
        guard let now, now.isFinite, (0..<1e11).contains(now) else { return .seconds(3600) }
        let day = 86_400.0, reset = 8 * 3600.0
        let passed = (now - reset).truncatingRemainder(dividingBy: day)
        return .seconds(day - (passed < 0 ? passed + day : passed))
    }
}
