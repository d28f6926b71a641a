import NIOCore
import ProviderKit
import RoutingPolicy

/// What follows a failed attempt: a retry, the next model, another model that continues the stream, or the end.
extension CallMachine {
    mutating func failed(_ role: Role, _ failure: Failure, _ now: NIODeadline) -> Action {
        guard let running, let failed = role == .hedge ? running.hedge : running.main else { return .nothing }
        let error = failure.error
        failures.append((failed.model, error))
        if let hedge = running.hedge { return leaveRace(role, running.main, hedge) }
        step = .attempting  // the wait for a hedge is over
        self.running = nil
        if isCommitted { return resume(after: failure, now) }
        if now >= deadline { return failOverdue() }
        let policy = snapshot.policy, models = snapshot.models
        let rule = error.failureRule(
            plan.failover, policy.providers[models[failed.model].provider].failover, policy.defaults.failover)
        let retry = retry(ofModel: failed.model)
        switch sequence.decide(rule, after: error.failure, retries: retry.retries, context: { models[$0].context }) {
        case .stop: return stop(after: error)
        case .next:
            if sequence.isPostponedRetryAllowed, let candidate = possibleRetry(after: failure) {
                postponedRetries.append((candidate, now + delay(after: error, retry)))
            }
            return askNext(now)
        case .retry: return retrySameModel(failure, retry, now)
        }
    }

    /// Retries the failed model after a delay. Calls the next model first if the upstream's `retry-after` is too long,
    /// if the retry would start after the deadline, or if the retry budget is used up.
    private mutating func retrySameModel(_ failure: Failure, _ retry: Retry, _ now: NIODeadline) -> Action {
        guard let candidate = possibleRetry(after: failure) else { return askNext(now) }
        let time = now + delay(after: failure.error, retry)
        let isShort = failure.error.retryAfter.map { $0 <= max(retry.delay, Self.maxRetryWait) } ?? true
        if isShort, time < waitLimit(forModel: candidate.model, now) {
            step = .asking(candidate, .retryWait(until: time))
            return .reserveRepeat
        }
        postponedRetries.append((candidate, time))
        return askNext(now)
    }

    /// The retry of the failed model; nil if no attempt is left, or the failure has opened the model's breaker.
    private func possibleRetry(after failure: Failure) -> Candidate? { failure.isOpen ? nil : sequence.retryCandidate }

    private mutating func delay(after error: ProviderError, _ settings: Retry) -> Duration {
        let number = sequence.retriesMade + 1
        guard var random else { return error.retryAfter.map { max($0, .zero) } ?? settings.delay(ofRetry: number) }
        defer { self.random = random }
        return Backoff.delay(retry: number, settings: settings, retryAfter: error.retryAfter, using: &random)
    }

    /// The outcome of a failed attempt for the state of its model. The router's own limits, and the patience of one
    /// client, reveal nothing about it.
    func outcome(of error: ProviderError, atModel model: Int) -> AttemptOutcome {
        if error.failure == .cancelled || error.failure == .routerLimit || error.isImpatience { return .abandoned }
        return .failed(error.failure, retryAfter: cooldown(after: error, ofModel: model))
    }

    /// How long the model cools down after a 429. Without a `retry-after` it is the shortest delay that a retry can
    /// have, so that the cooldown is over when the retry starts.
    private func cooldown(after error: ProviderError, ofModel model: Int) -> Duration {
        if let wait = error.retryAfter { return wait }
        let retry = retry(ofModel: model)
        return retry.delay * (1 - retry.jitter)
    }

    // MARK: Resume

    // On routes with `resume: true`, another model continues a stream that broke after its first content.

    /// The longest text that another model is given to continue.
    static let maxPartialBytes = 1 << 20

    private mutating func resume(after failure: Failure, _ now: NIODeadline) -> Action {
        if failure.hasContent { brokenBy = failures.count - 1 }
        guard plan.resumes, failure.error.failure.isBreak, now < deadline, let bytes = failure.partialBytes,
            (1...Self.maxPartialBytes).contains(bytes)
        else { return failBroken() }
        return askContinuation()
    }

    /// Asks the next candidate that can continue the stream. If none is left, the call fails.
    mutating func askContinuation() -> Action {
        while let candidate = nextCandidate() {
            guard snapshot.instance(ofModel: candidate.model)?.canContinue == true else { continue }
            return ask(candidate, .resume)
        }
        return failBroken()
    }
}

extension FailureClass {
    /// Whether the upstream is at fault, so that another model may continue the stream.
    fileprivate var isBreak: Bool {
        switch self {
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .routerLimit: true
        case .notFound, .providerRejected, .contextOverflow, .contentFilter, .unsupported, .invalidJSON, .clientError, .cancelled: false
        }
    }
}
