import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// Making and ending the attempts.
extension RunningCall {
    /// Starts an attempt at the candidate. Returns the answer to the machine's question if that isn't possible.
    func start(
        _ candidate: CallMachine.Candidate, _ role: CallMachine.Role, _ permit: consuming AttemptPermit, _ now: NIODeadline
    ) -> CallMachine.Event? {
        if snapshot.sharesState { loop.shareUse(of: permit.state.limits) }
        guard let provider = loop.provider(ofModel: candidate.model, in: snapshot) else {
            // Unreachable: a plan contains no model of a provider that is off.
            permit.giveBack(now: now)
            return .denied
        }
        if machine.isCommitted, let attempt { keepPart(of: attempt) }
        let isRepeat = held.hasRepeat
        held.hasRepeat = false
        // The machine knows of the attempt before it begins, because it can fail at once. No action follows.
        _ = machine.on(.started(p95: p95(of: candidate, now)), now: now)
        settle()
        let timeouts = snapshot.timeouts(ofModel: candidate.model, on: plan.timeoutRoute)
        let attempt = makeAttempt(
            candidate, permit, isRepeat: isRepeat, isHeldBack: role == .hedge, at: provider, provider.repairs, startedAt: now)
        record.attempts = machine.sequence.attempts
        if role == .hedge {
            record.isHedged = true
            hedge = attempt
        } else {
            self.attempt = attempt
            if !machine.isCommitted { present(attempt) }
        }
        loop.observer?.attemptBegan(AttemptView(attempt: attempt))
        // Read from the fields, because the call of a method would copy the machine.
        attempt.start(timeouts, deadline: min(machine.deadline, now + min(timeouts.total, plan.attemptTimeout ?? timeouts.total)))
        return nil
    }

    /// The model's 95th percentile of the time to first content, if the machine needs it.
    private func p95(of candidate: CallMachine.Candidate, _ now: NIODeadline) -> Duration? {
        guard plan.hedge?.delay == .p95 else { return nil }
        return snapshot.state(ofModel: candidate.model).statistics.p95FirstToken(now: now)
    }

    private func makeAttempt(
        _ candidate: CallMachine.Candidate, _ permit: consuming AttemptPermit, isRepeat: Bool, isHeldBack: Bool,
        at provider: LoopProvider, _ repairs: [Repair], tried repair: Repair? = nil, changedKeys: UInt8 = 0, startedAt: NIODeadline
    ) -> Attempt {
        Attempt(
            call: self, candidate: candidate, permit: permit, isRepeat: isRepeat, isHeldBack: isHeldBack || machine.isCommitted,
            startedAt: startedAt, provider: provider, repairs: repairs, triedRepair: repair, changedKeys: changedKeys,
            checksJSON: checksJSON(of: candidate.model), hasFilterChain: plan.fallbackOn[.contentFilter] != nil)
    }

    /// Whether a response of the model must be JSON: the request asks for JSON, and the route or the model demands it.
    private func checksJSON(of model: Int) -> Bool {
        !request.isStream && needs.supports.contains(.json) && plan.validJSON ?? snapshot.models[model].validJSON
    }

    /// The format in which the model gets the request: the client's if it is one of its own, otherwise its first; nil
    /// if it has none.
    func upstreamFormat(for candidate: CallMachine.Candidate, at provider: LoopProvider) -> WireFormat? {
        let formats = ModelDefinition.formats(
            snapshot.models[candidate.model].formats, for: request.operation,
            upstream: snapshot.models[candidate.model].upstream, at: provider.translator)
        return formats.contains(request.kind.format) ? request.kind.format : formats.first
    }

    /// The call that the provider's plugin translates. A call whose request can't be translated is never sent.
    ///
    /// The model's fields are read from the policy one by one, because a local variable would copy the complete
    /// definition.
    ///
    /// - Parameters:
    ///   - translation: the request as typed values; nil if it passes through.
    ///   - format: the format of `upstreamFormat(for:at:)`.
    func providerCall(
        for candidate: CallMachine.Candidate, _ translation: Translation?, in format: WireFormat?, repairs: [Repair]
    ) -> Call {
        let payload = if case .payload(let payload)? = translation { payload } else { request.payload }
        return Call(
            operation: request.operation, model: snapshot.models[candidate.model].upstream, isStream: request.isStream,
            format: request.kind.format, payload: payload, defaults: snapshot.models[candidate.model].requestDefaults,
            overrides: snapshot.models[candidate.model].requestOverrides,
            continuation: plan.resumes && machine.isCommitted ? partial?.text : nil, keepsText: plan.resumes && isResumable,
            headers: headers(for: candidate, passes: translation == nil), repairs: repairs,
            earlierAttempts: candidate.isRetry ? machine.sequence.retriesMade : 0,
            provider: snapshot.policy.providers[snapshot.models[candidate.model].provider].name,
            context: snapshot.models[candidate.model].context,
            maxOutput: snapshot.models[candidate.model].maxOutput, mayHaveTokens: needs.mayHaveTokens,
            upstreamFormat: format,
            lastHost: machine.plan.conversation.flatMap {
                loop.sticky.host(of: $0, at: snapshot.name(ofModel: candidate.model), now: .now())
            })
    }

    /// The client's header fields for an attempt. An `idempotency-key` stands for one request at one provider: another
    /// model of the same provider gets another request, so it doesn't get the key.
    ///
    /// - Parameter passes: whether the provider speaks the client's format.
    private func headers(for candidate: CallMachine.Candidate, passes: Bool) -> [HTTPField] {
        let formatHeaders = passes ? request.formatHeaders : []
        if request.headers.isEmpty { return formatHeaders }
        let models = snapshot.models
        let isOtherRequest = machine.sequence.hasCalled { $0 != candidate.model && models[$0].provider == models[candidate.model].provider }
        return formatHeaders + (isOtherRequest ? request.headers.filter { $0.name != HTTPField.idempotencyKey } : request.headers)
    }

    /// Makes the attempt the one that the record and the client's side show.
    func present(_ attempt: Attempt) {
        record.provider = attempt.provider.name
        record.model = snapshot.models[attempt.candidate.model].name
        record.presented = (attempt.candidate.model, attempt.startedAt - request.arrivedAt)
        record.isFallback = attempt.candidate.isFallback
        record.hasValidJSON = attempt.checksJSON
        record.mayResume = attempt.keepsText
        record.firstByteTime = nil
        record.upstreamTime = nil
        writer.begin(record)
    }

    func recordFirstByte(of attempt: Attempt) {
        record.upstreamRequestID = attempt.requestID.flatMap { snapshot.mask.shows($0) ? nil : $0 }
        record.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }
        record.upstreamTime = attempt.firstByteAt.map { $0 - attempt.startedAt }
        if record.firstContentTime == nil { record.firstContentTime = attempt.firstContentAt.map { $0 - request.arrivedAt } }
        record.upstreamFields = attempt.passedFields
    }

    private func role(of attempt: Attempt) -> CallMachine.Role { attempt === hedge ? .hedge : .main }

    // MARK: The same request again

    /// The upstream closed a kept connection without a response. Returns whether the attempt's request may be sent
    /// again, which happens at most once for a call and is recorded.
    func mayReplay(_ attempt: Attempt) -> Bool {
        let model = attempt.candidate.model
        guard case .sendAgain = machine.on(.connectionClosed(model: model), now: .now()) else { return false }
        record.isReplayed = true
        loop.observer?.repeated(AttemptView(attempt: attempt), with: nil)
        return true
    }

    /// The upstream has refused the attempt's request, and the provider knows a repair. Returns whether the request may
    /// be sent again with it.
    func mayRepair(_ attempt: Attempt, with repair: Repair) -> Bool {
        guard case .sendAgain = machine.on(.repairable(repair, earlier: attempt.providerCall.repairs), now: .now()) else { return false }
        return true
    }

    /// Sends the attempt's request again with the repair, as a part of the same attempt.
    func repeatRequest(of attempt: Attempt, after error: ProviderError, with repair: Repair) {
        sendAgain(
            attempt, after: error, with: repair, attempt.providerCall.repairs + [repair], tried: repair, changedKeys: attempt.changedKeys)
    }

    /// The provider limits or refuses the key of the attempt's request. Returns whether the request may be sent again
    /// with another one.
    func mayChangeKey(_ attempt: Attempt, hasOther: Bool) -> Bool {
        let event = CallMachine.Event.keyFailed(hasOther: hasOther, changes: Int(attempt.changedKeys))
        guard case .sendAgain = machine.on(event, now: .now()) else { return false }
        return true
    }

    /// Sends the attempt's request again with another key, as a part of the same attempt.
    func repeatRequestWithOtherKey(of attempt: Attempt, after error: ProviderError) {
        sendAgain(
            attempt, after: error, with: .withOtherKey, attempt.providerCall.repairs, tried: nil, changedKeys: attempt.changedKeys + 1)
    }

    private func sendAgain(
        _ attempt: Attempt, after error: ProviderError, with repair: Repair, _ repairs: [Repair], tried: Repair?, changedKeys: UInt8
    ) {
        loop.observer?.repeated(AttemptView(attempt: attempt), with: repair)
        record(error, error.failure.rawValue, of: attempt, repair: repair.name)
        guard let permit = attempt.takePermit() else { return }
        let role = role(of: attempt)
        let repeated = makeAttempt(
            attempt.candidate, permit, isRepeat: attempt.isRepeat, isHeldBack: role == .hedge, at: attempt.provider, repairs, tried: tried,
            changedKeys: changedKeys, startedAt: attempt.startedAt)
        if role == .hedge { hedge = repeated } else { self.attempt = repeated }
        // A refusal inside a successful response may have had parts before it.
        if role != .hedge, !machine.isCommitted { present(repeated) }
        repeated.start(attempt.timeouts, deadline: attempt.deadline)
    }

    /// The request that was sent with this repair was accepted.
    func helped(_ repair: Repair, at attempt: Attempt) {
        guard repair.isLasting, attempt.provider.instance.remember(repair) else { return }
        loop.report(repair, provider: attempt.provider.name)
    }

    // MARK: The end of an attempt

    /// The attempt's stream has its first content.
    func committed(_ attempt: Attempt, now: NIODeadline) {
        loop.observer?.contentBegan(AttemptView(attempt: attempt))
        handle(.contentBegan(role(of: attempt)), now: now)
    }

    /// The attempt has succeeded or failed.
    func ended(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        let now = NIODeadline.now()
        release(attempt, outcome, now)
        switch outcome {
        case .succeeded:
            loop.observer?.attemptEnded(AttemptView(attempt: attempt), nil)
            handle(.succeeded(role(of: attempt)), now: now)
        case .failed(let error, let reason):
            recordFailure(error, reason, of: attempt)
            recordLoss(of: attempt, after: error)
            // Otherwise the attempt was aborted because another one had the first content.
            guard attempt === self.attempt || attempt === hedge else { return }
            let isOpen = if case .open = snapshot.state(ofModel: attempt.candidate.model).availability(now: now) { true } else { false }
            let failure = CallMachine.Failure(
                error: error, isOpen: isOpen, hasContent: attempt.contentBytes > 0, partialBytes: partialBytes(after: attempt))
            let role = role(of: attempt)
            // A broken stream's attempt is kept, because its part counts.
            if role == .hedge { hedge = nil } else if hedge == nil, !machine.isCommitted { self.attempt = nil }
            handle(.failed(role, failure), now: now)
        }
    }

    private func recordFailure(_ error: ProviderError, _ reason: String, of attempt: Attempt) {
        record.upstreamFields = attempt.passedFields
        let model = attempt.candidate.model, failure = record(error, reason, of: attempt)
        loop.observer?.attemptEnded(AttemptView(attempt: attempt), failure)
        let settings = snapshot.state(ofModel: model).breaker.settings
        loop.report(
            error, of: snapshot.metricName(ofModel: model), model: snapshot.models[model].name,
            opensBreaker: settings.opensAtOnce.contains(error.failure))
    }

    @discardableResult
    private func record(_ error: ProviderError, _ reason: String, of attempt: Attempt, repair: String? = nil) -> FailedAttempt {
        let failure = FailedAttempt(
            index: attempt.candidate.model, provider: attempt.provider.name, model: snapshot.models[attempt.candidate.model].name,
            error: error, reason: reason,
            start: attempt.startedAt - request.arrivedAt, duration: .now() - attempt.startedAt, repair: repair,
            url: attempt.target.flatMap(attempt.provider.url).map { snapshot.mask($0) },
            requestID: attempt.requestID.map { snapshot.mask($0) },
            firstContentTime: attempt.firstContentAt.map { $0 - request.arrivedAt })
        record.errors.append(failure)
        return failure
    }

    /// Reports the outcome to the model's state, and releases the attempt's share of limits and retry budget.
    private func release(_ attempt: Attempt, _ outcome: Attempt.Outcome, _ now: NIODeadline) {
        if attempt.isRepeat { loop.retryBudget.end() }
        let verdict: AttemptOutcome
        switch outcome {
        case _ where !request.operation.isMeasured:
            verdict = .abandoned
        case .succeeded:
            attempt.provider.instance.keys?.succeeded(Int(attempt.key), startedAt: attempt.startedAt)
            verdict = .succeeded(latency: now - attempt.startedAt, firstToken: attempt.firstContentAt.map { $0 - attempt.startedAt })
        case .failed(let error, _):
            if error.failure == .providerRejected { snapshot.state(ofModel: attempt.candidate.model).account.remember(error) }
            verdict = machine.outcome(of: error, atModel: attempt.candidate.model)
        }
        let tokens =
            attempt.usage.flatMap { usage in usage.promptTokens.map { $0 &+ (usage.completionTokens ?? 0) } }
            ?? estimatedTokens(of: attempt, outcome)
        guard let transitions = attempt.takePermit()?.end(verdict, usedTokens: tokens, now: now, using: &loop.random) else { return }
        loop.report(transitions, of: attempt.candidate.model, in: snapshot, after: outcome.error)
        if snapshot.sharesState { share(verdict, of: snapshot.state(ofModel: attempt.candidate.model)) }
        if request.trace != nil { recordOpenings(transitions, of: attempt.candidate.model, now) }
    }

    /// Tells the other routers what the attempt has used, and of the cooldown that it has begun.
    private func share(_ verdict: AttemptOutcome, of state: ModelState) {
        loop.shareUse(of: state.limits)
        if case .failed(.rateLimited, let cooldown?) = verdict { loop.announceCooldown(cooldown, of: state.key) }
    }

    private func recordOpenings(_ transitions: BreakerTransitions, of model: Int, _ now: NIODeadline) {
        guard transitions.model != nil || transitions.account != nil else { return }
        let name = snapshot.metricName(ofModel: model), time: Duration = now - request.arrivedAt
        if case .opened? = transitions.model {
            record.openedBreakers.append(OpenedBreaker(provider: name.provider, model: name.model, time: time))
        }
        if case .opened? = transitions.account { record.openedBreakers.append(OpenedBreaker(provider: name.provider, time: time)) }
    }

    /// The tokens of an attempt whose provider reported none. A failed attempt without content used no tokens.
    private func estimatedTokens(of attempt: Attempt, _ outcome: Attempt.Outcome) -> Int {
        if case .failed = outcome, attempt.contentBytes == 0 { return 0 }
        return needs.promptTokens &+ TokenEstimate.tokens(ofBytes: attempt.contentBytes)
    }
}

extension Repair {
    /// The provider limits or refuses the key that the request had.
    fileprivate static let withOtherKey = Repair("with another key", isLasting: false)
}
