import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

extension RunningCall {
    /// Starts an attempt at the next candidate that is available. If none is, the call waits for one, or fails.
    func callNext() {
        while let candidate = nextCandidate() {
            if tryStart(candidate) { return }
        }
        waitForCandidate()
    }

    private func nextCandidate() -> AttemptSequence.Candidate? {
        let models = snapshot.policy.models
        return sequence.nextCandidate { models[$0].context }
    }

    /// Starts an attempt at the candidate, or skips it if it isn't available now.
    ///
    /// - Parameter isHeldBack: whether the attempt is a hedge, whose response is held back.
    /// - Returns: false if the candidate was skipped.
    func tryStart(_ candidate: AttemptSequence.Candidate, isHeldBack: Bool = false) -> Bool {
        guard let isRepeat = reserveRepeat(for: candidate) else { return false }
        let now = NIODeadline.now()
        switch snapshot.state(ofModel: candidate.model).begin(tokens: request.reservedTokens, now: now) {
        case .granted(let permit):
            start(candidate, permit, isRepeat: isRepeat, isHeldBack: isHeldBack, now: now)
            return true
        case .refused(let availability):
            if candidate.isRetry, postponeRetry(candidate, availability, isCounted: isRepeat) { return true }
            if isRepeat { loop.retryBudget.end() }
            if !candidate.isRetry || availability == .full { skip(candidate, availability) }
            return false
        }
    }

    /// Records that the candidate isn't available now.
    func skip(_ candidate: AttemptSequence.Candidate, _ availability: Availability) {
        sequence.skip(candidate, availability)
        let model = snapshot.policy.models[candidate.model]
        let provider = snapshot.policy.providers[model.provider].name
        record.skipped.removeAll { $0.provider == provider && $0.model == model.name }
        record.skipped.append(SkippedModel(provider: provider, model: model.name, availability))
    }

    /// Lets a retry wait longer if another request has meanwhile extended the model's cooldown. A retry that would wait
    /// too long becomes a last resort, for the case that no other model is left.
    ///
    /// - Parameter isCounted: whether the retry is already counted in the retry budget.
    private func postponeRetry(_ candidate: AttemptSequence.Candidate, _ availability: Availability, isCounted: Bool) -> Bool {
        guard let time = availability.availableAgainAt, time < waitLimit(forModel: candidate.model) else { return false }
        guard isCounted, time - .now() <= TimeAmount(Self.maxRetryWait) else {
            postponedRetries.append(PostponedRetry(candidate: candidate, time: time))
            return false
        }
        hasReservedRepeat = true
        wait(for: .retry(candidate), until: time)
        return true
    }

    /// Counts the attempt in the process's retry budget if a model of the same provider has already failed this
    /// request.
    ///
    /// - Returns: whether the attempt counts as a repeat; nil if the budget is used up.
    private func reserveRepeat(for candidate: AttemptSequence.Candidate) -> Bool? {
        if hasReservedRepeat {
            hasReservedRepeat = false
            return true
        }
        guard sequence.attempts > 0 else { return false }
        let models = snapshot.policy.models
        let provider = models[candidate.model].provider
        guard sequence.hasCalled(where: { models[$0].provider == provider }) else { return false }
        return loop.retryBudget.tryBegin() ? true : nil
    }

    func start(
        _ candidate: AttemptSequence.Candidate, _ permit: consuming AttemptPermit, isRepeat: Bool, isHeldBack: Bool = false,
        now: NIODeadline = .now()
    ) {
        guard let provider = loop.provider(ofModel: candidate.model, in: snapshot) else {
            // Unreachable: a plan contains no model of a provider that is off.
            permit.giveBack(now: now)
            return fail()
        }
        sequence.begin(candidate)
        if !record.skipped.isEmpty {
            let model = snapshot.policy.models[candidate.model].name
            record.skipped.removeAll { $0.provider == provider.name && $0.model == model }
        }
        let timeouts = snapshot.timeouts(ofModel: candidate.model, on: plan.timeoutRoute)
        let attempt = makeAttempt(
            candidate, permit, isRepeat: isRepeat, isHeldBack: isHeldBack, at: provider, provider.repairs, timeouts, startedAt: now)
        record.attempts = sequence.attempts
        if isHeldBack {
            hedge = attempt
        } else {
            self.attempt = attempt
            if !isCommitted { present(attempt) }
        }
        attempt.start(deadline: min(deadline, now + min(timeouts.total, plan.attemptTimeout ?? timeouts.total)))
        if !isHeldBack, plan.hedge != nil, self.attempt === attempt { armHedge() }
    }

    private func makeAttempt(
        _ candidate: AttemptSequence.Candidate, _ permit: consuming AttemptPermit, isRepeat: Bool, isHeldBack: Bool,
        at provider: LoopProvider, _ repairs: [Repair], tried repair: Repair? = nil, _ timeouts: Timeouts, startedAt: NIODeadline
    ) -> Attempt {
        Attempt(
            call: self, candidate: candidate, permit: permit, isRepeat: isRepeat, isHeldBack: isHeldBack || isCommitted,
            startedAt: startedAt, provider: provider, repairs: repairs, triedRepair: repair, timeouts: timeouts,
            checksJSON: checksJSON(of: candidate.model), hasFilterChain: plan.fallbackOn[.contentFilter] != nil, budget: loop.budget)
    }

    /// Whether a response of the model must be JSON: the request asks for JSON, and the route or the model demands it.
    private func checksJSON(of model: Int) -> Bool {
        !request.isStream && request.needs.supports.contains(.json) && plan.validJSON ?? snapshot.policy.models[model].validJSON
    }

    /// The call that the provider's plugin translates, and the reason why its request can't be translated, if the
    /// provider doesn't speak the client's format.
    ///
    /// The model's fields are read from the policy one by one, because a local variable would copy the complete
    /// definition.
    func providerCall(
        for candidate: AttemptSequence.Candidate, at provider: LoopProvider, repairs: [Repair]
    ) -> (Call, ProviderError?) {
        var payload = request.payload, failure: ProviderError?
        if !provider.translator.formats(for: request.operation, model: snapshot.policy.models[candidate.model].upstream).contains(
            request.format)
        {
            do throws(ProviderError) { payload = try translation.get() } catch { failure = error }
        }
        let call = Call(
            operation: request.operation, model: snapshot.policy.models[candidate.model].upstream, isStream: request.isStream,
            format: request.format, payload: payload, defaults: snapshot.policy.models[candidate.model].requestDefaults,
            overrides: snapshot.policy.models[candidate.model].requestOverrides,
            continuation: plan.resumes && isCommitted ? partial?.text : nil, keepsText: plan.resumes && isResumable,
            headers: request.headers.isEmpty ? [] : headers(for: candidate), repairs: repairs,
            earlierAttempts: candidate.isRetry ? sequence.retriesMade : 0)
        return (call, failure)
    }

    /// The client's header fields for an attempt. An `idempotency-key` stands for one request at one provider: another
    /// model of the same provider gets another request, so it doesn't get the key.
    private func headers(for candidate: AttemptSequence.Candidate) -> [HTTPField] {
        let models = snapshot.policy.models
        let isOtherRequest = sequence.hasCalled { $0 != candidate.model && models[$0].provider == models[candidate.model].provider }
        return isOtherRequest ? request.headers.filter { $0.name != HTTPField.idempotencyKey } : request.headers
    }

    /// Makes the attempt the one that the record and the client's side show.
    func present(_ attempt: Attempt) {
        record.provider = attempt.provider.name
        record.model = snapshot.policy.models[attempt.candidate.model].name
        record.isFallback = attempt.candidate.isFallback
        record.hasValidJSON = attempt.checksJSON
        record.firstByteTime = nil
        record.upstreamTime = nil
        writer.begin(record)
    }

    private func recordFirstByte(of attempt: Attempt) {
        record.upstreamRequestID = attempt.requestID.flatMap { snapshot.mask.shows($0) ? nil : $0 }
        record.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }
        record.upstreamTime = attempt.firstByteAt.map { $0 - attempt.startedAt }
    }

    /// The upstream closed a kept connection without a response. Returns whether the attempt's request may be sent
    /// again, which happens at most once for a call and is recorded.
    func mayReplay(_ attempt: Attempt) -> Bool {
        let model = attempt.candidate.model
        guard !record.isReplayed, snapshot.modelRetry[model].overridden(by: plan.retry).replay == .on else { return false }
        record.isReplayed = true
        loop.counters(ofModel: model, in: snapshot).replays += 1
        return true
    }

    /// The upstream has refused the attempt's request, and the provider knows a repair: the request is sent again, as a
    /// part of the same attempt.
    func repeatRequest(of attempt: Attempt, after error: ProviderError, with repair: Repair) {
        loop.counters(ofModel: attempt.candidate.model, in: snapshot).repairs += 1
        record(error, error.failure.rawValue, of: attempt, repair: repair.name)
        guard let permit = attempt.takePermit() else { return }
        let isHedge = attempt === hedge
        let repaired = makeAttempt(
            attempt.candidate, permit, isRepeat: attempt.isRepeat, isHeldBack: isHedge, at: attempt.provider,
            attempt.providerCall.repairs + [repair], tried: repair, attempt.timeouts, startedAt: attempt.startedAt)
        if isHedge { hedge = repaired } else { self.attempt = repaired }
        repaired.start(deadline: attempt.deadline)
    }

    /// The request that was sent with this repair was accepted.
    func helped(_ repair: Repair, at attempt: Attempt) {
        guard repair.isLasting, attempt.provider.instance.remember(repair) else { return }
        loop.report(repair, provider: attempt.provider.name)
    }

    /// The attempt's stream has its first content, so the call belongs to this attempt.
    func committed(_ attempt: Attempt) {
        let isResuming = isCommitted
        isCommitted = true
        if isResuming { return resume(at: attempt) }
        settleRace(for: attempt)
        recordFirstByte(of: attempt)
        writer.commit(record)
    }

    /// The attempt has succeeded or failed.
    func ended(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        release(attempt, outcome)
        switch outcome {
        case .succeeded:
            if !isCommitted { settleRace(for: attempt) }
            self.attempt = nil
            recordFirstByte(of: attempt)
            recordUsage(attempt)
            end(nil)
        case .failed(let error, let reason):
            recordFailure(error, reason, of: attempt)
            if let ending {
                if attempt === self.attempt { conclude(attempt, ending) }
                return
            }
            // Otherwise the attempt was aborted because another one had the first content.
            guard attempt === self.attempt || attempt === hedge else { return }
            if hasRival(attempt) { return leaveRace(attempt) }
            stopWaiting()  // the timer of its hedge may be running
            self.attempt = nil
            failed(attempt, error)
        }
    }

    /// Ends a call that was stopped from outside, after its attempt has been aborted.
    private func conclude(_ attempt: Attempt, _ ending: CallFailure) {
        self.attempt = nil
        if isCommitted { recordUsage(attempt) }
        end(ending)
    }

    private func failed(_ attempt: Attempt, _ error: ProviderError) {
        if isCommitted {
            if tryResume(after: attempt, error) { return }
            recordUsage(attempt)
            // If the continuing model sent no content, the earlier failure is the one that ended the response.
            let error = attempt.contentBytes == 0 ? partial?.brokenBy ?? error : error
            return end(CallFailure(cause: .allFailed, status: error.status ?? (error.failure == .timeout ? 504 : 502), error: error))
        }
        if error.code == Attempt.buffersFull.code {
            return end(CallFailure(cause: .upstream, status: 503, error: error, retryAfter: .seconds(1)))
        }
        if isOverdue { return failOverdue() }
        let policy = snapshot.policy
        let model = attempt.candidate.model
        let rule = error.failureRule(plan.failover, policy.providers[policy.models[model].provider].failover, policy.defaults.failover)
        let retry = snapshot.modelRetry[model].overridden(by: plan.retry)
        switch sequence.decide(rule, after: error.failure, retries: retry.retries, context: { policy.models[$0].context }) {
        case .stop: stopAfter(error)
        case .next where sequence.isPostponedRetryAllowed: callNextOrRetry(error, retry)
        case .next: callNext()
        case .retry: retrySameModel(error, retry)
        }
    }

    /// Ends the call because of a `stop` rule. If the rule comes from `failover` and not from the failure table, the
    /// client gets the upstream's status and message.
    private func stopAfter(_ error: ProviderError) {
        guard error.failureRule() != .stop, let status = error.status, status >= 400 else { return fail() }
        end(CallFailure(cause: .upstream, status: status, error: error, retryAfter: error.retryAfter))
    }

    /// Ends the call, because no attempt is left or can follow.
    func fail() {
        end(.final(after: record.failures, isNamed: plan.isNamed))
    }

    private func recordFailure(_ error: ProviderError, _ reason: String, of attempt: Attempt) {
        let model = snapshot.policy.models[attempt.candidate.model].name
        loop.counters(ofModel: attempt.candidate.model, in: snapshot).failures[reason, default: 0] += 1
        record(error, reason, of: attempt)
        loop.report(
            error, provider: attempt.provider.name, model: model, label: snapshot.metricLabel(ofModel: attempt.candidate.model))
    }

    private func record(_ error: ProviderError, _ reason: String, of attempt: Attempt, repair: String? = nil) {
        record.errors.append(
            FailedAttempt(
                provider: attempt.provider.name, model: snapshot.policy.models[attempt.candidate.model].name, error: error, reason: reason,
                duration: .now() - attempt.startedAt, repair: repair,
                url: attempt.target.flatMap(attempt.provider.url).map { snapshot.mask($0) },
                requestID: attempt.requestID.map { snapshot.mask($0) }))
    }

    /// Reports the outcome to the model's state, and releases the attempt's share of limits and retry budget.
    private func release(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        if attempt.isRepeat { loop.retryBudget.end() }
        let now = NIODeadline.now()
        let verdict: AttemptOutcome
        switch outcome {
        case .succeeded:
            let counters = loop.counters(ofModel: attempt.candidate.model, in: snapshot)
            counters.succeeded += 1
            if attempt.hasUnknownFinishReason { counters.unknownFinishReasons += 1 }
            verdict = .succeeded(latency: now - attempt.startedAt, firstToken: attempt.firstContentAt.map { $0 - attempt.startedAt })
        case .failed(let error, _):
            let isOurs = error.failure == .cancelled || error.failure == .routerLimit
            if error.failure == .providerRejected { snapshot.state(ofModel: attempt.candidate.model).account.remember(error) }
            verdict = isOurs ? .abandoned : .failed(error.failure, retryAfter: cooldown(after: error, of: attempt))
        }
        let tokens =
            attempt.usage.flatMap { usage in usage.promptTokens.map { $0 &+ (usage.completionTokens ?? 0) } }
            ?? estimatedTokens(of: attempt, outcome)
        guard let transitions = attempt.takePermit()?.end(verdict, usedTokens: tokens, now: now, using: &loop.random) else { return }
        loop.report(transitions, of: attempt.candidate.model, in: snapshot, after: outcome.error)
    }

    /// How long the model cools down after a 429. Without a `retry-after` it is the shortest delay that a retry can
    /// have, so that the cooldown is over when the retry starts.
    private func cooldown(after error: ProviderError, of attempt: Attempt) -> Duration {
        if let wait = error.retryAfter { return wait }
        let retry = snapshot.modelRetry[attempt.candidate.model].overridden(by: plan.retry)
        return retry.delay * (1 - retry.jitter)
    }

    /// The tokens of an attempt whose provider reported none. A failed attempt without content used no tokens.
    private func estimatedTokens(of attempt: Attempt, _ outcome: Attempt.Outcome) -> Int {
        if case .failed = outcome, attempt.contentBytes == 0 { return 0 }
        return request.needs.promptTokens &+ TokenEstimate.tokens(ofBytes: attempt.contentBytes)
    }
}
