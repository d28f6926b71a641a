import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// What a call waits for. It waits for one thing at a time. In a queue it holds a ticket, its place; a ticket that is
/// granted becomes a permit, the right to start an attempt.
enum Waiting {
    /// The delay before a retry.
    case retry(AttemptSequence.Candidate)
    /// The earliest time at which a candidate's cooldown ends or its rate limit allows another request.
    case cooldown
    /// A slot under the model's `concurrent` limit, and then one under its provider's.
    case slot(AttemptSequence.Candidate)
    /// The time at which the hedge starts.
    case hedge
}

extension RunningCall {
    func wait(for waiting: Waiting, until time: NIODeadline) {
        self.waiting = waiting
        waitStartedAt = .now()
        hasTimer = true
        timer.set(time)
    }

    /// The time until which the call may wait for a model: its deadline, or earlier if the client named the model,
    /// because a client that names a model rather gets the 429 than a response after minutes.
    func waitLimit(forModel model: Int) -> NIODeadline {
        guard plan.isNamed else { return deadline }
        let namedWait = snapshot.modelRetry[model].overridden(by: plan.retry).namedWait
        return min(deadline, .now() + max(.zero, namedWait - waited))
    }

    private func countWait() {
        if case .hedge = waiting { return }
        waited += .now() - waitStartedAt
    }

    /// Ends the wait: stops the timer and leaves the queues. A grant that is already on its way has no effect.
    func stopWaiting() {
        guard waiting != nil else { return }
        countWait()
        waiting = nil
        waitNumber += 1
        timer.set(nil)
        slot.take()?.cancel()
    }

    func timerFired() {
        guard let waiting else { return }
        stopWaiting()
        // A hedge's timer also fires while the first attempt runs, and that attempt has its own deadline.
        if isOverdue, attempt == nil { return failOverdue() }
        switch waiting {
        case .retry(let candidate):
            if !tryStart(candidate) { callNext() }
        case .cooldown:
            sequence.requeueSkipped()
            callNext()
        case .hedge:
            startHedge()
        case .slot(let candidate):
            hasQueueFailed = true
            sequence.removeSkipped(candidate)
            waitForCandidate()
        }
    }

    /// Ends the wait after a grant. The wait keeps its number: a call that has the model's slot may have to wait for
    /// the provider's, and the same grant handler is called for both.
    private func endWaitAfterGrant() {
        countWait()
        waiting = nil
        timer.set(nil)
    }

    /// Makes the closure that a gate calls when it grants a slot to the wait that begins now.
    func makeGrantHandler() -> @Sendable () -> Void {
        waitNumber += 1
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop), eventLoop = loop.eventLoop, number = waitNumber
        return { eventLoop.execute { bound.value.slotGranted(number) } }
    }

    private func slotGranted(_ number: Int) {
        // A wait that has ended has already released its slot.
        guard number == waitNumber, let waiting else { return }
        switch waiting {
        case .slot(let candidate):
            guard let ticket = slot.take() else { return }
            endWaitAfterGrant()
            proceed(with: ticket.claim(now: .now()), candidate)
        case .retry, .cooldown, .hedge:
            break
        }
    }

    // MARK: Retries

    /// While another model can be called, a call waits at most this long for a `retry-after`, or `retry.delay` if that
    /// is longer.
    static let maxRetryWait = Duration.seconds(1)

    /// Retries the failed model after a delay. Calls the next model first if the upstream's `retry-after` is too long,
    /// if the retry would start after the deadline, or if the retry budget is used up.
    func retrySameModel(_ error: ProviderError, _ retry: Retry) {
        guard let candidate = possibleRetry else { return callNext() }
        let delay = Backoff.delay(retry: sequence.retriesMade + 1, settings: retry, retryAfter: error.retryAfter, using: &loop.random)
        let time = NIODeadline.now() + delay
        let isShort = error.retryAfter.map { $0 <= max(retry.delay, Self.maxRetryWait) } ?? true
        if isShort, time < waitLimit(forModel: candidate.model), waitForRetry(candidate, until: time) { return }
        postponedRetries.append(PostponedRetry(candidate: candidate, time: time))
        callNext()
    }

    /// Calls the next model, and retries the failed one only if no other is left.
    func callNextOrRetry(_ error: ProviderError, _ retry: Retry) {
        if let candidate = possibleRetry {
            let delay = Backoff.delay(retry: sequence.retriesMade + 1, settings: retry, retryAfter: error.retryAfter, using: &loop.random)
            postponedRetries.append(PostponedRetry(candidate: candidate, time: .now() + delay))
        }
        callNext()
    }

    /// The retry of the failed model; nil if no attempt is left, or the failure has opened the model's breaker.
    private var possibleRetry: AttemptSequence.Candidate? {
        guard let candidate = sequence.retryCandidate else { return nil }
        if case .open = snapshot.state(ofModel: candidate.model).availability(now: .now()) { return nil }
        return candidate
    }

    /// Waits for the retry. The retry counts in the process's retry budget from the start of its wait, because waiting
    /// retries are load that the upstream is about to get.
    ///
    /// - Returns: false if the budget is used up.
    private func waitForRetry(_ candidate: AttemptSequence.Candidate, until time: NIODeadline) -> Bool {
        guard loop.retryBudget.tryBegin() else { return false }
        hasReservedRepeat = true
        wait(for: .retry(candidate), until: time)
        return true
    }

    // MARK: No candidate is available

    /// Waits for the candidate that is available earliest; ends the call if there is none.
    func waitForCandidate() {
        guard sequence.attempts < plan.maxAttempts else { return fail() }
        // Each returns true if the call now waits or has started an attempt.
        if queueForSlot() || waitForFirstAvailable() || probeEarly() { return }
        failUnavailable()
    }

    private func queueTime(ofModel model: Int) -> Duration {
        snapshot.timeouts(ofModel: model, on: plan.timeoutRoute).queue
    }

    /// Queues for a slot of the first candidate that is at its `concurrent` limit. Returns false if there is none.
    private func queueForSlot() -> Bool {
        for (candidate, availability) in sequence.skipped where availability == .full {
            let state = snapshot.state(ofModel: candidate.model)
            switch state.wait(tokens: request.reservedTokens, fairnessKey: request.key, now: .now(), onGrant: makeGrantHandler()) {
            case .refused(let availability):
                sequence.removeSkipped(candidate)
                if availability != .full { skip(candidate, availability) } else { hasQueueFailed = true }
            case .granted(let permit):
                sequence.removeSkipped(candidate)
                start(candidate, permit, isRepeat: false)
                return true
            case .queued(let ticket):
                slot = consume ticket
                wait(for: .slot(candidate), until: min(.now() + queueTime(ofModel: candidate.model), waitLimit(forModel: candidate.model)))
                return true
            }
        }
        return false
    }

    /// Continues with a granted slot. A call that has the model's slot may have to queue again, for the provider's.
    private func proceed(with admission: consuming ModelState.QueuedAdmission, _ candidate: AttemptSequence.Candidate) {
        switch consume admission {
        case .granted(let permit):
            sequence.removeSkipped(candidate)
            start(candidate, permit, isRepeat: false)
        case .queued(let ticket):
            slot = consume ticket
            wait(for: .slot(candidate), until: min(.now() + queueTime(ofModel: candidate.model), waitLimit(forModel: candidate.model)))
        case .refused(let availability):
            sequence.removeSkipped(candidate)
            skip(candidate, availability)
            waitForCandidate()
        }
    }

    /// Waits for the first postponed retry or the end of the first cooldown, whichever is earlier. Returns false if
    /// neither comes before the deadline. A retry that the retry budget refuses is dropped.
    private func waitForFirstAvailable() -> Bool {
        let retry = postponedRetries.min { $0.time < $1.time }
        let cooldowns = sequence.skipped.compactMap { candidate, availability in
            availability.availableAgainAt.flatMap { $0 < waitLimit(forModel: candidate.model) ? $0 : nil }
        }
        let cooldownEnd = cooldowns.min()
        if let retry, retry.time < waitLimit(forModel: retry.candidate.model), cooldownEnd.map({ retry.time <= $0 }) ?? true {
            postponedRetries.removeAll { $0.candidate == retry.candidate }
            if waitForRetry(retry.candidate, until: retry.time) { return true }
        }
        guard let cooldownEnd else { return false }
        wait(for: .cooldown, until: cooldownEnd)
        return true
    }

    /// Probes the candidate whose breaker would become half-open first, so that the call doesn't fail without an
    /// attempt. An account that has refused this call is not asked again. Returns false if no open breaker admits an
    /// early probe.
    private func probeEarly() -> Bool {
        let refusing = Set(record.failures.lazy.filter { $0.error.failure == .providerRejected }.map(\.provider))
        let open = sequence.skipped.compactMap { candidate, availability in availability.openUntil.map { (candidate, $0) } }
        for (candidate, _) in open.sorted(by: { $0.1 < $1.1 }) where !refusing.contains(providerName(of: candidate)) {
            switch snapshot.state(ofModel: candidate.model).begin(tokens: request.reservedTokens, now: .now(), allowsEarlyProbe: true) {
            // The model is in cooldown after a 429 as well, and that is respected.
            case .refused(.coolingDown(let until)) where until < waitLimit(forModel: candidate.model):
                wait(for: .cooldown, until: until)
                return true
            case .refused: continue
            case .granted(let permit):
                sequence.removeSkipped(candidate)
                start(candidate, permit, isRepeat: false)
                return true
            }
        }
        return false
    }

    private func providerName(of candidate: AttemptSequence.Candidate) -> String {
        snapshot.policy.providers[snapshot.policy.models[candidate.model].provider].name
    }

    private func failUnavailable() {
        guard hasQueueFailed || !sequence.skipped.isEmpty else { return fail() }
        let now = NIODeadline.now()
        let times = sequence.skipped.compactMap(\.availability.until)
        let retryAfter: Duration? = times.min().map { max(.zero, $0 - now) }
        let areAllLimited = !hasQueueFailed && sequence.skipped.allSatisfy { $0.availability.availableAgainAt != nil }
        guard record.failures.isEmpty else {
            return end(.final(after: record.failures, isNamed: plan.isNamed, cooldown: areAllLimited ? retryAfter : nil))
        }
        if let refusal = accountRefusal(now) {
            return end(CallFailure(cause: .allFailed, status: 502, error: refusal, retryAfter: retryAfter ?? .seconds(1)))
        }
        let message =
            areAllLimited
            ? "every candidate is in cooldown or has used up its requests or tokens for this minute"
            : hasQueueFailed
                ? "no candidate is available: at least one is at its limit of concurrent requests, and its queue is full or the wait timed out"
                : "no candidate is available"
        end(
            CallFailure(
                cause: .unavailable, status: areAllLimited ? 429 : 503,
                error: ProviderError(
                    areAllLimited ? .rateLimited : .upstreamError, message: message,
                    code: areAllLimited ? "rate_limit_exceeded" : "no_model_available"),
                retryAfter: retryAfter ?? .seconds(1), states: skippedStates(now)))
    }

    private static let maxListedStates = 3

    /// The skipped candidates with their states: `'a': breaker open for another 12 s`.
    private func skippedStates(_ now: NIODeadline) -> String? {
        let listed = sequence.skipped.prefix(Self.maxListedStates).compactMap { candidate, availability in
            availability.reason(now: now).map { "'\(snapshot.policy.models[candidate.model].key)': \($0)" }
        }
        let more = sequence.skipped.count - listed.count
        return listed.isEmpty ? nil : listed.joined(separator: "; ") + (more > 0 ? "; and \(more) more" : "")
    }

    /// The last refusal of an account, if no candidate is left because of refused accounts alone.
    private func accountRefusal(_ now: NIODeadline) -> ProviderError? {
        guard !hasQueueFailed else { return nil }
        let refusals = sequence.skipped.compactMap { candidate, _ -> ProviderError? in
            let account = snapshot.state(ofModel: candidate.model).account
            return account.availability(now: now).isAvailable ? nil : account.refusal
        }
        return refusals.count == sequence.skipped.count ? refusals.last : nil
    }
}

extension Availability {
    /// The time from which the model can certainly be called again: the end of its cooldown, or the time at which its
    /// rate limit allows another request. nil for an open breaker, because its probe may fail or belong to another
    /// call.
    var availableAgainAt: NIODeadline? {
        switch self {
        case .coolingDown(let until), .limited(let until): until
        case .ready, .probe, .probing, .open, .full: nil
        }
    }

    fileprivate var openUntil: NIODeadline? {
        switch self {
        case .open(let until): until
        case .ready, .probe, .probing, .coolingDown, .limited, .full: nil
        }
    }
}
