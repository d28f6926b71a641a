import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// What a call waits for. At most one thing at a time.
enum Waiting {
    /// The same model again.
    case retry(AttemptSequence.Step)
    /// The first of the models that rest, or have no request or token left for this minute.
    case rest
    /// A place among a model's requests under way.
    case slot(AttemptSequence.Step)
    /// A place among the key's requests under way.
    case key
    /// The time at which a second attempt begins beside the first.
    case hedge
}

extension RunningCall {
    func wait(for waiting: Waiting, until time: NIODeadline) {
        self.waiting = waiting
        hasTimer = true
        timer.set(time)
    }

    /// Ends the wait without what it was for.
    func stopWaiting() {
        guard waiting != nil else { return }
        waiting = nil
        waitNumber += 1
        timer.set(nil)
        slot.take()?.cancel()
        keySlot.take()?.cancel()
    }

    /// The timer has come.
    func waitIsOver() {
        guard let waiting else { return }
        stopWaiting()
        if isOverdue, attempt == nil { return failOverdue() }
        switch waiting {
        case .retry(let step):
            if !ask(step) { tryNext() }
        case .rest:
            sequence.reviveSkipped()
            tryNext()
        case .hedge:
            startHedge()
        case .slot(let step):
            isQueuedOut = true
            sequence.dropSkipped(step)
            tryLater()
        case .key:
            refuseKey("waited for as long as `timeouts.queue` allows for one of this key's requests to end", retryAfter: .seconds(1))
        }
    }

    /// The wait is over, but its number stays: with a model's place in hand the same grant is called for its provider's.
    private func takeGrant() {
        waiting = nil
        timer.set(nil)
    }

    /// What a gate calls when it grants a place to who waits now.
    func grantForThisWait() -> @Sendable () -> Void {
        waitNumber += 1
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop), eventLoop = loop.eventLoop, number = waitNumber
        return { eventLoop.execute { bound.value.slotIsFree(number) } }
    }

    private func slotIsFree(_ number: Int) {
        guard number == waitNumber, let waiting else { return }  // cancelled meanwhile, and given back
        switch waiting {
        case .slot(let step):
            guard let ticket = slot.take() else { return }
            takeGrant()
            go(on: ticket.claim(now: .now()), step)
        case .key:
            guard let ticket = keySlot.take() else { return }
            takeGrant()
            goOnWithKey(ticket.claim(now: .now()))
        case .retry, .rest, .hedge:
            break
        }
    }

    // MARK: The same model again

    /// Of an upstream's own times. Longer than that, and than `retry:` alone would have it, nobody waits while another model can be asked.
    static let longestRetryWait = Duration.seconds(1)

    /// The failed model is asked again after a wait.
    func retrySameModel(_ error: ProviderError, _ retry: Retry) {
        guard let step = possibleRetry else { return tryNext() }
        let delay = Backoff.delay(retry: sequence.retriesMade + 1, settings: retry, retryAfter: error.retryAfter, using: &loop.random)
        let time = NIODeadline.now() + delay
        if error.retryAfter.map({ $0 <= max(retry.delay, Self.longestRetryWait) }) ?? true, time < deadline, waitForRetry(step, until: time)
        {
            return
        }
        lastResorts.append(LastResort(step: step, time: time))
        tryNext()
    }

    /// The failed model is asked again only if no other can be.
    func tryNextOrRetry(_ error: ProviderError, _ retry: Retry) {
        if let step = possibleRetry {
            let delay = Backoff.delay(retry: sequence.retriesMade + 1, settings: retry, retryAfter: error.retryAfter, using: &loop.random)
            lastResorts.append(LastResort(step: step, time: .now() + delay))
        }
        tryNext()
    }

    /// nil also where this failure has opened the model's breaker: then no wait brings the retry.
    private var possibleRetry: AttemptSequence.Step? {
        guard let step = sequence.retryStep else { return nil }
        if case .open = snapshot.state(ofModel: step.model).availability(now: .now()) { return nil }
        return step
    }

    /// A repeat counts against the process's budget from here on: those that wait are the storm to come.
    private func waitForRetry(_ step: AttemptSequence.Step, until time: NIODeadline) -> Bool {
        guard loop.retryBudget.tryBegin() else { return false }
        holdsRepeat = true
        wait(for: .retry(step), until: time)
        return true
    }

    // MARK: Nobody can be asked now

    /// Waits for whoever can be asked first, or fails.
    func tryLater() {
        guard sequence.attempts < plan.maxAttempts else { return fail() }
        if queue() || waitForFirst() || probe() { return }
        failUnavailable()
    }

    private func queueTime(ofModel model: Int) -> Duration {
        snapshot.timeouts(ofModel: model, on: plan.timedByRoute).queue
    }

    /// For a place at a model that is at its limit of requests under way.
    private func queue() -> Bool {
        for (step, availability) in sequence.skipped where availability == .full {
            let state = snapshot.state(ofModel: step.model)
            switch state.wait(tokens: request.reservedTokens, fairness: request.key, now: .now(), onGrant: grantForThisWait()) {
            case .refused(let availability):
                sequence.dropSkipped(step)
                if availability != .full { sequence.skip(step, availability) } else { isQueuedOut = true }
            case .granted(let permit):
                sequence.dropSkipped(step)
                start(step, permit, isRepeat: false)
                return true
            case .queued(let ticket):
                slot = consume ticket
                wait(for: .slot(step), until: min(.now() + queueTime(ofModel: step.model), deadline))
                return true
            }
        }
        return false
    }

    /// With a slot in hand; it may have to queue once more, for its provider's.
    private func go(on admission: consuming ModelState.QueuedAdmission, _ step: AttemptSequence.Step) {
        switch consume admission {
        case .granted(let permit):
            sequence.dropSkipped(step)
            start(step, permit, isRepeat: false)
        case .queued(let ticket):
            slot = consume ticket
            wait(for: .slot(step), until: min(.now() + queueTime(ofModel: step.model), deadline))
        case .refused(let availability):
            sequence.dropSkipped(step)
            sequence.skip(step, availability)
            tryLater()
        }
    }

    /// For the first that has rested or may be asked again, if the deadline allows it.
    private func waitForFirst() -> Bool {
        let again = lastResorts.min { $0.time < $1.time }
        let rested = sequence.skipped.compactMap(\.availability.coolsDownUntil).min()
        if let again, again.time < deadline, rested.map({ again.time <= $0 }) ?? true {
            lastResorts.removeAll { $0.step == again.step }
            if waitForRetry(again.step, until: again.time) { return true }
        }
        guard let rested, rested < deadline else { return false }
        wait(for: .rest, until: rested)
        return true
    }

    /// Every candidate's breaker is open: the one that is due first is probed, so that there is never none.
    private func probe() -> Bool {
        let open = sequence.skipped.compactMap { step, availability in availability.opensAt.map { (step, $0) } }
        for (step, _) in open.sorted(by: { $0.1 < $1.1 }) {
            switch snapshot.state(ofModel: step.model).begin(tokens: request.reservedTokens, now: .now(), mayProbeEarly: true) {
            case .refused(.coolingDown(let until)) where until < deadline:
                wait(for: .rest, until: until)
                return true
            case .refused: continue
            case .granted(let permit):
                sequence.dropSkipped(step)
                start(step, permit, isRepeat: false)
                return true
            }
        }
        return false
    }

    private func failUnavailable() {
        guard isQueuedOut || !sequence.skipped.isEmpty else { return fail() }
        let now = NIODeadline.now()
        let times = sequence.skipped.compactMap(\.availability.until)
        let retryAfter: Duration? = times.min().map { max(.zero, $0 - now) }
        let areLimited = !isQueuedOut && sequence.skipped.allSatisfy { $0.availability.coolsDownUntil != nil }
        guard record.errors.isEmpty else {
            return end(.final(after: record.errors, isNamed: plan.isNamed, coolingDown: areLimited ? retryAfter : nil))
        }
        let message =
            areLimited
            ? "every model that could answer has to rest, or has no request left for this minute"
            : isQueuedOut
                ? "every model that could answer is at its limit of requests under way"
                : "every model that could answer has failed too often of late"
        end(
            CallFailure(
                cause: .unavailable, status: areLimited ? 429 : 503,
                error: ProviderError(
                    areLimited ? .rateLimited : .upstreamError, message: message,
                    code: areLimited ? "rate_limit_exceeded" : "no_model_available"),
                retryAfter: retryAfter ?? .seconds(1)))
    }
}

extension Availability {
    /// It may be asked again then, for sure: it rests, or the minute's requests are used up.
    var coolsDownUntil: NIODeadline? {
        switch self {
        case .coolingDown(let until), .limited(let until): until
        case .ready, .probe, .probing, .open, .full: nil
        }
    }

    fileprivate var opensAt: NIODeadline? {
        switch self {
        case .open(let until): until
        case .ready, .probe, .probing, .coolingDown, .limited, .full: nil
        }
    }
}
