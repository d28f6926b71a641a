import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// The machine's actions, performed.
extension RunningCall {
    /// Reports an event to the machine, and performs what follows.
    func handle(_ event: CallMachine.Event, now: NIODeadline = .now()) {
        var action = machine.on(event, now: now)
        while true {
            settle()
            guard let answer = perform(action, now) else { return }
            action = machine.on(answer, now: now)
        }
    }

    /// Releases what the machine no longer holds, and sets the timer.
    func settle() {
        let holding = machine.holding
        guard holding != held else { return }
        if holding.wakeTime != held.wakeTime {
            hasTimer = true
            timer.set(holding.wakeTime)
        }
        if held.hasRepeat, !holding.hasRepeat { loop.retryBudget.end() }
        if holding.isQueued != held.isQueued { recordQueue(holding.isQueued) }
        if !holding.isQueued, let queue { queue.ticket.take()?.cancel() }
        held = holding
    }

    /// Performs the action. Returns the answer if it is a question.
    private func perform(_ action: CallMachine.Action, _ now: NIODeadline) -> CallMachine.Event? {
        switch action {
        case .nothing, .sendAgain:
            return nil
        case .reserveRepeat:
            held.hasRepeat = loop.retryBudget.tryBegin()
            return held.hasRepeat ? .reserved : .denied
        case .ask(let candidate, let role, let allowsEarlyProbe):
            let state = snapshot.state(ofModel: candidate.model)
            let isLimited = request.operation.isMeasured
            switch state.begin(tokens: needs.reservedTokens, now: now, allowsEarlyProbe: allowsEarlyProbe, isLimited: isLimited) {
            case .granted(let permit): return start(candidate, role, permit, now)
            case .refused(let availability): return refused(availability, state, now)
            }
        case .queue(let candidate):
            let state = snapshot.state(ofModel: candidate.model)
            return proceed(
                with: state.wait(tokens: needs.reservedTokens, fairnessKey: request.key, now: now, onGrant: makeGrantHandler()),
                candidate, now)
        case .claim(let candidate):
            guard let ticket = queue?.ticket.take() else { return .refused(CallMachine.Refusal(availability: .full)) }
            return proceed(with: ticket.claim(now: now), candidate, now)
        case .promoteHedge:
            attempt = hedge.take()
            if let attempt {
                present(attempt)
                attempt.forwardHeldParts()
            }
        case .commit(let role):
            guard let winner = settleRace(for: role) else { return nil }
            recordFirstByte(of: winner)
            writer.commit(record)
        case .resume:
            if let attempt { resume(at: attempt) }
        case .finish(let role):
            guard let winner = settleRace(for: role) else { return nil }
            attempt = nil
            recordFirstByte(of: winner)
            if request.operation.isMeasured { recordUsage(winner, after: nil) }
            end(nil, servedBy: winner.servedBy, now)
        case .fail(let failure):
            hedge.take()?.abort(failure.error)
            attempt?.abort(failure.error)
            let last = attempt.take()
            if machine.isCommitted, let last { recordUsage(last, after: failure) }
            end(failure, servedBy: last?.servedBy, now)
        }
        return nil
    }

    /// Gives the call to the attempt with the first content, and aborts the other one.
    private func settleRace(for role: CallMachine.Role) -> Attempt? {
        let loser = hedge == nil ? nil : role == .hedge ? attempt : hedge
        if role == .hedge, let hedge { attempt = hedge }
        hedge = nil
        guard let attempt else { return nil }
        if role == .hedge { present(attempt) }
        loser?.abort(ProviderError(.cancelled, message: "another attempt responded first"))
        attempt.forwardHeldParts()
        return attempt
    }

    // MARK: Queues

    /// The answer to `queue` and `claim`. A call that has the model's slot may have to queue again, for the provider's.
    private func proceed(
        with admission: consuming ModelState.QueuedAdmission, _ candidate: CallMachine.Candidate, _ now: NIODeadline
    ) -> CallMachine.Event? {
        switch consume admission {
        case .granted(let permit): return start(candidate, .main, permit, now)
        case .queued(let ticket):
            queue?.ticket = consume ticket
            return .queued
        case .refused(let availability): return refused(availability, snapshot.state(ofModel: candidate.model), now)
        }
    }

    private func refused(_ availability: Availability, _ state: ModelState, _ now: NIODeadline) -> CallMachine.Event {
        if case .limited = availability, snapshot.sharesState { loop.shareUse(of: state.limits, isRefused: true) }
        return .refused(state.refusal(availability, now: now))
    }

    /// Makes the closure that a gate calls when it grants a slot. A call that has the model's slot may have to queue
    /// for the provider's, and the same closure is called for both.
    private func makeGrantHandler() -> @Sendable () -> Void {
        let queue = queue ?? Queue()
        self.queue = queue
        queue.number += 1
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop), eventLoop = loop.eventLoop, number = queue.number
        return { eventLoop.execute { if bound.value.queue?.number == number { bound.value.handle(.slotGranted) } } }
    }

    // MARK: The end

    /// Ends the call.
    ///
    /// - Parameters:
    ///   - failure: nil if the response is complete.
    ///   - server: who made the response behind the provider; nil if it doesn't say.
    private func end(_ failure: CallFailure?, servedBy server: ServedBy?, _ now: NIODeadline) {
        if hasTimer { timer.invalidate() }
        // A call that reached no model costs its key one request and no tokens.
        admission?.end(usedTokens: record.usage.usage.totalTokens, spent: record.spending)
        loop.remove(self)
        // A stream that broke has filled the cache too.
        if failure == nil || machine.isCommitted { rememberModel(servedBy: server) }
        recordSkipped()
        record.totalTime = now - request.arrivedAt
        record.failure = failure?.error.failure
        loop.observer?.ended(self, failure)
        if let failure { writer.fail(failure, record) } else { writer.finish(record) }
    }

    /// Adds the time in a queue to the record when the call leaves it.
    private func recordQueue(_ isQueued: Bool) {
        guard let queue else { return }
        let now = NIODeadline.now()
        if !isQueued, let since = queue.since { record.queueTime += now - since }
        queue.since = isQueued ? now : nil
    }

    private func recordSkipped() {
        for (index, availability) in machine.sequence.notCalled {
            let model = snapshot.models[index]
            record.skipped.append(SkippedModel(provider: snapshot.policy.providers[model.provider].name, model: model.name, availability))
        }
    }
}
