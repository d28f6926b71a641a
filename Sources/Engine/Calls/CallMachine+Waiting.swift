import NIOCore
import RoutingPolicy

/// Waiting for a candidate while none can be called.
extension CallMachine {
    /// While another model can be called, a call waits at most this long for a `retry-after`, or `retry.delay` if that
    /// is longer.
    static let maxRetryWait = Duration.seconds(1)

    mutating func wait(for wait: Wait, until time: NIODeadline, _ now: NIODeadline) -> Action {
        step = .waiting(wait, since: now, until: time)
        return .nothing
    }

    /// The time until which the call may wait for a model: its deadline, or earlier if the client named the model,
    /// because a client that names a model rather gets the 429 than a response after minutes.
    func waitLimit(forModel model: Int, _ now: NIODeadline) -> NIODeadline {
        guard plan.isNamed else { return deadline }
        return min(deadline, now + max(.zero, retry(ofModel: model).namedWait - waited))
    }

    /// Waits for the candidate that is available earliest; ends the call if there is none. It queues for a slot of the
    /// first candidate that is at its `concurrent` limit; else it waits for a retry or a cooldown; else it probes.
    mutating func awaitCandidate(_ now: NIODeadline) -> Action {
        guard sequence.attempts < plan.maxAttempts else { return fail(.maxAttempts) }
        guard let full = sequence.waitable.first(where: { $0.refusal.availability == .full }) else { return awaitRetry(now) }
        step = .asking(full.candidate, .slot)
        return .queue(full.candidate)
    }

    /// Waits for the first postponed retry, unless a cooldown ends earlier.
    private mutating func awaitRetry(_ now: NIODeadline) -> Action {
        guard let retry = postponedRetries.min(by: { $0.time < $1.time }), retry.time < waitLimit(forModel: retry.candidate.model, now),
            earliestCooldownEnd(now).map({ retry.time <= $0 }) ?? true
        else { return awaitCooldown(now) }
        postponedRetries.removeAll { $0.candidate == retry.candidate }
        step = .asking(retry.candidate, .lastRetryWait(until: retry.time))
        return .reserveRepeat
    }

    mutating func awaitCooldown(_ now: NIODeadline) -> Action {
        if let time = earliestCooldownEnd(now) { return wait(for: .cooldown, until: time, now) }
        return probe(candidatesToProbe[...], now)
    }

    private func earliestCooldownEnd(_ now: NIODeadline) -> NIODeadline? {
        sequence.waitable.compactMap { candidate, refusal in
            refusal.availability.availableAgainAt.flatMap { $0 < waitLimit(forModel: candidate.model, now) ? $0 : nil }
        }.min()
    }

    /// The candidates with open breakers, the one that becomes half-open first in front. An account that has refused
    /// this call is not asked again.
    private var candidatesToProbe: [Candidate] {
        let models = snapshot.models
        let refusing = Set(failures.lazy.filter { $0.error.failure == .providerRejected }.map { models[$0.model].provider })
        let open = sequence.waitable.compactMap { skipped in skipped.refusal.availability.openUntil.map { (skipped.candidate, $0) } }
        return open.sorted { $0.1 < $1.1 }.map(\.0).filter { !refusing.contains(models[$0.model].provider) }
    }

    /// Probes the first candidate before its cooldown ends, so that the call doesn't fail without an attempt. Ends the
    /// call if there is none.
    mutating func probe(_ candidates: ArraySlice<Candidate>, _ now: NIODeadline) -> Action {
        guard let candidate = candidates.first else { return failUnavailable(now) }
        step = .asking(candidate, .probe(others: candidates.dropFirst()))
        return .ask(candidate, .main, allowsEarlyProbe: true)
    }

    // MARK: The end of a wait

    private mutating func endWait(_ now: NIODeadline) -> Wait? {
        guard case .waiting(let wait, let start, _) = step else { return nil }
        step = .attempting
        if case .hedge = wait { return wait }
        waited += now - start
        return wait
    }

    mutating func timerFired(_ now: NIODeadline) -> Action {
        guard let wakeTime = holding.wakeTime, wakeTime <= now, let wait = endWait(now) else { return .nothing }
        // A hedge's timer also fires while the first attempt runs, and that attempt has its own deadline.
        if now >= deadline, running == nil { return failOverdue() }
        switch wait {
        case .retry(let candidate): return ask(candidate, .retry)
        case .cooldown:
            sequence.requeueSkipped()
            return askNext(now)
        case .slot(let candidate):
            hasQueueFailed = true
            sequence.removeSkipped(candidate)
            return awaitCandidate(now)
        case .hedge: return askHedge()
        }
    }

    mutating func queued(_ now: NIODeadline) -> Action {
        guard case .asking(let candidate, _) = step else { return .nothing }
        let queueTime = snapshot.timeouts(ofModel: candidate.model, on: plan.timeoutRoute).queue
        return wait(for: .slot(candidate), until: min(now + queueTime, waitLimit(forModel: candidate.model, now)), now)
    }

    mutating func slotGranted(_ now: NIODeadline) -> Action {
        guard holding.isQueued, case .slot(let candidate) = endWait(now) else { return .nothing }
        step = .asking(candidate, .slot)
        return .claim(candidate)
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
