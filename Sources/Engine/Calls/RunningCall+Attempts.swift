import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

extension RunningCall {
    /// Asks the next candidate that can be had now. Where none can, it waits for the first, or the call has failed.
    func tryNext() {
        while let step = propose() {
            if ask(step) { return }
        }
        tryLater()
    }

    private func propose() -> AttemptSequence.Step? {
        let models = snapshot.policy.models
        return sequence.propose { models[$0].context }
    }

    /// - Parameter isHeld: it is a hedge: its response is held back.
    /// - Returns: false: it can't be had now, and is skipped.
    func ask(_ step: AttemptSequence.Step, isHeld: Bool = false) -> Bool {
        guard let repeated = budgeted(step) else { return false }
        let now = NIODeadline.now()
        switch snapshot.state(ofModel: step.model).begin(tokens: request.reservedTokens, now: now) {
        case .granted(let permit):
            start(step, permit, isRepeat: repeated, isHeld: isHeld, now: now)
            return true
        case .refused(let availability):
            if step.isRetry, postpone(step, availability, isCounted: repeated) { return true }
            if repeated { loop.retryBudget.end() }
            if !step.isRetry || availability == .full { sequence.skip(step, availability) }
            return false
        }
    }

    /// What another request has learned meanwhile may have moved the model's rest: then the retry waits on, or is what is left where no other model is.
    private func postpone(_ step: AttemptSequence.Step, _ availability: Availability, isCounted: Bool) -> Bool {
        guard let time = availability.coolsDownUntil, time < deadline else { return false }
        guard isCounted, time - .now() <= TimeAmount(Self.longestRetryWait) else {
            lastResorts.append(LastResort(step: step, time: time))
            return false
        }
        holdsRepeat = true
        wait(for: .retry(step), until: time)
        return true
    }

    /// Whether the attempt repeats a request at a provider that has failed it, and so counts against the process's budget; nil: the budget is used up.
    private func budgeted(_ step: AttemptSequence.Step) -> Bool? {
        if holdsRepeat {
            holdsRepeat = false
            return true
        }
        guard sequence.attempts > 0 else { return false }
        let models = snapshot.policy.models
        let provider = models[step.model].provider
        guard sequence.hasTried(where: { models[$0].provider == provider }) else { return false }
        return loop.retryBudget.tryBegin() ? true : nil
    }

    func start(
        _ step: AttemptSequence.Step, _ permit: consuming AttemptPermit, isRepeat: Bool, isHeld: Bool = false, now: NIODeadline = .now()
    ) {
        guard let provider = loop.provider(ofModel: step.model, in: snapshot) else {
            // Plans leave out who is off.
            permit.giveBack(now: now)
            return fail()
        }
        sequence.begin(step)
        let timeouts = snapshot.timeouts(ofModel: step.model, on: plan.timedByRoute)
        let attempt = Attempt(
            call: self, step: step, permit: permit, isRepeat: isRepeat, isHeld: isHeld || isCommitted, startedAt: now, provider: provider,
            timeouts: timeouts,
            hasFilterChain: plan.fallbackOn[.contentFilter] != nil, budget: loop.budget)
        record.attempts = sequence.attempts
        if isHeld {
            hedge = attempt
        } else {
            self.attempt = attempt
            if !isCommitted { present(attempt) }
        }
        attempt.start(deadline: min(deadline, now + timeouts.total))
        if !isHeld, plan.hedge != nil, self.attempt === attempt { armHedge() }
    }

    /// What the plugin is asked. Field by field: the whole definition would be copied.
    func providerCall(for step: AttemptSequence.Step) -> Call {
        Call(
            operation: request.operation, model: snapshot.policy.models[step.model].upstream, isStream: request.isStream,
            wantsUsage: request.wantsUsage,
            members: request.members, defaults: snapshot.policy.models[step.model].requestDefaults,
            overrides: snapshot.policy.models[step.model].requestOverrides,
            continuation: plan.resumes && isCommitted ? partial?.text : nil, keepsText: plan.resumes && isResumable,
            earlierTries: step.isRetry ? sequence.retriesMade : 0)
    }

    /// What the client is told of who answers.
    func present(_ attempt: Attempt) {
        record.provider = attempt.provider.name
        record.model = snapshot.policy.models[attempt.step.model].name
        record.isFallback = attempt.step.isFallback
        record.firstByteTime = nil
        record.upstreamTime = nil
        writer.begin(record)
    }

    private func noteFirstByte(of attempt: Attempt) {
        record.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }
        record.upstreamTime = attempt.firstByteAt.map { $0 - attempt.startedAt }
    }

    /// An attempt's stream has content: the call is its.
    func committed(_ attempt: Attempt) {
        let isResumePoint = isCommitted
        isCommitted = true
        if isResumePoint { return resume(at: attempt) }
        settleRace(for: attempt)
        noteFirstByte(of: attempt)
        writer.commit(record)
    }

    /// The attempt has answered, or failed.
    func ended(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        release(attempt, outcome)
        switch outcome {
        case .answered:
            if !isCommitted { settleRace(for: attempt) }
            self.attempt = nil
            noteFirstByte(of: attempt)
            countUsage(attempt)
            end(nil)
        case .failed(let error, let reason):
            note(error, reason, of: attempt)
            if let ending {
                if attempt === self.attempt { conclude(attempt, ending) }
                return
            }
            // A loser of the race, which is over.
            guard attempt === self.attempt || attempt === hedge else { return }
            if hasRival(attempt) { return leaveRace(attempt) }
            stopWaiting()  // for the time of its hedge
            self.attempt = nil
            failed(attempt, error)
        }
    }

    private func conclude(_ attempt: Attempt, _ ending: CallFailure) {
        self.attempt = nil
        if isCommitted { countUsage(attempt) }
        end(ending)
    }

    private func failed(_ attempt: Attempt, _ error: ProviderError) {
        if isCommitted {
            if resumes(after: attempt, error) { return }
            countUsage(attempt)
            // Where who was to go on gave nothing, the break before is what ended the response.
            let error = attempt.contentBytes == 0 ? partial?.brokenBy ?? error : error
            return end(CallFailure(cause: .allFailed, status: error.status ?? (error.failure == .timeout ? 504 : 502), error: error))
        }
        if error.code == Attempt.buffersFull.code {
            return end(CallFailure(cause: .upstream, status: 503, error: error, retryAfter: .seconds(1)))
        }
        if isOverdue { return failOverdue() }
        let policy = snapshot.policy
        let model = attempt.step.model
        let fate = error.fate(plan.failover, policy.providers[policy.models[model].provider].failover, policy.failover)
        let retry = snapshot.modelRetry[model].overridden(by: plan.retry)
        switch sequence.follow(fate, of: error.failure, retries: retry.retries, context: { policy.models[$0].context }) {
        case .stop: stopAfter(error)
        case .next where sequence.isLastResortAllowed: tryNextOrRetry(error, retry)
        case .next: tryNext()
        case .retry: retrySameModel(error, retry)
        }
    }

    /// `failover:` may stop at what the failure table doesn't: then the client gets that failure as it is.
    private func stopAfter(_ error: ProviderError) {
        guard error.fate() != .stop, let status = error.status, status >= 400 else { return fail() }
        end(CallFailure(cause: .upstream, status: status, error: error, retryAfter: error.retryAfter))
    }

    /// No attempt follows.
    func fail() {
        end(.final(after: record.errors, isNamed: plan.isNamed))
    }

    private func note(_ error: ProviderError, _ reason: String, of attempt: Attempt) {
        let model = snapshot.policy.models[attempt.step.model].name
        loop.counters(ofModel: attempt.step.model, in: snapshot).failures[reason, default: 0] += 1
        record.errors.append(
            FailedAttempt(provider: attempt.provider.name, model: model, error: error, reason: reason, duration: .now() - attempt.startedAt)
        )
        loop.report(error, provider: attempt.provider.name, model: model)
    }

    /// Tells the model's state how it went, and frees what the attempt held.
    private func release(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        if attempt.isRepeat { loop.retryBudget.end() }
        let now = NIODeadline.now()
        let verdict: AttemptOutcome
        switch outcome {
        case .answered:
            loop.counters(ofModel: attempt.step.model, in: snapshot).answered += 1
            verdict = .succeeded(latency: now - attempt.startedAt, firstToken: attempt.firstContentAt.map { $0 - attempt.startedAt })
        case .failed(let error, _):
            let isOurs = error.failure == .cancelled || error.code == Attempt.buffersFull.code
            verdict = isOurs ? .abandoned : .failed(error.failure, retryAfter: rest(after: error, of: attempt))
        }
        let tokens =
            attempt.usage.flatMap { usage in usage.promptTokens.map { $0 &+ (usage.completionTokens ?? 0) } }
            ?? estimatedTokens(of: attempt, outcome)
        attempt.takePermit()?.end(verdict, usedTokens: tokens, now: now, using: &loop.random)
    }

    /// A 429 that names no wait rests as long as the shortest that a retry may wait, so that the retry doesn't find it coolingDown.
    private func rest(after error: ProviderError, of attempt: Attempt) -> Duration {
        if let wait = error.retryAfter { return wait }
        let retry = snapshot.modelRetry[attempt.step.model].overridden(by: plan.retry)
        return retry.delay * (1 - retry.jitter)
    }

    /// An attempt that was refused used nothing.
    private func estimatedTokens(of attempt: Attempt, _ outcome: Attempt.Outcome) -> Int {
        if case .failed = outcome, attempt.contentBytes == 0 { return 0 }
        return request.needs.promptTokens &+ TokenEstimate.tokens(ofBytes: attempt.contentBytes)
    }
}
