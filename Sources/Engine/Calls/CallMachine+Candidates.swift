import NIOCore
import RoutingPolicy

/// Asking the candidates, one after the other, and what follows the answers.
extension CallMachine {
    /// Asks for an attempt at the next candidate. If none is left, the call waits for one, or fails.
    mutating func askNext(_ now: NIODeadline) -> Action {
        guard let candidate = nextCandidate() else { return awaitCandidate(now) }
        return ask(candidate, .next)
    }

    mutating func nextCandidate() -> Candidate? {
        let models = snapshot.models
        return sequence.nextCandidate { models[$0].context }
    }

    /// Asks for an attempt at the candidate. It counts in the process's retry budget if a model of the same provider
    /// has already failed this request.
    mutating func ask(_ candidate: Candidate, _ purpose: Purpose) -> Action {
        step = .asking(candidate, purpose)
        if !hasRepeat, sequence.attempts > 0, hasCalledProvider(of: candidate) { return .reserveRepeat }
        return question(candidate, purpose)
    }

    private func hasCalledProvider(of candidate: Candidate) -> Bool {
        let models = snapshot.models
        let provider = models[candidate.model].provider
        return sequence.hasCalled { models[$0].provider == provider }
    }

    private func question(_ candidate: Candidate, _ purpose: Purpose) -> Action {
        if case .hedge = purpose { return .ask(candidate, .hedge, allowsEarlyProbe: false) }
        return .ask(candidate, .main, allowsEarlyProbe: false)
    }

    // MARK: Answers

    mutating func reserved(_ now: NIODeadline) -> Action {
        guard case .asking(let candidate, let purpose) = step else { return .nothing }
        hasRepeat = true
        switch purpose {
        // A retry counts from the start of its wait, because it is load that the upstream is about to get.
        case .retryWait(let time), .lastRetryWait(let time): return wait(for: .retry(candidate), until: time, now)
        case .next, .retry, .slot, .probe, .hedge, .resume: return question(candidate, purpose)
        }
    }

    /// Drops the candidate, because the retry budget is used up.
    mutating func denied(_ now: NIODeadline) -> Action {
        guard case .asking(let candidate, let purpose) = step else { return .nothing }
        switch purpose {
        case .next, .retry, .slot, .probe: return askNext(now)
        case .retryWait(let time):
            postponedRetries.append((candidate, time))
            return askNext(now)
        case .lastRetryWait: return awaitCooldown(now)
        case .hedge: return askHedge()
        case .resume: return askContinuation()
        }
    }

    mutating func started(_ p95: Duration?, _ now: NIODeadline) -> Action {
        guard case .asking(let candidate, let purpose) = step else { return .nothing }
        sequence.begin(candidate)
        hasRepeat = false
        step = .attempting
        if case .hedge = purpose {
            running?.hedge = candidate
        } else {
            running = Running(main: candidate)
            if let delay = hedgeDelay(p95) { return wait(for: .hedge, until: now + delay, now) }
        }
        return .nothing
    }

    mutating func refused(_ refusal: Refusal, _ now: NIODeadline) -> Action {
        guard case .asking(let candidate, let purpose) = step else { return .nothing }
        if case .retry = purpose { return postpone(candidate, refusal, now) }
        hasRepeat = false
        switch purpose {
        case .next, .retry, .retryWait, .lastRetryWait:
            sequence.skip(candidate, refusal)
            return askNext(now)
        case .slot:
            sequence.removeSkipped(candidate)
            if refusal.availability == .full { hasQueueFailed = true } else { sequence.skip(candidate, refusal) }
            return awaitCandidate(now)
        case .probe(let others):
            // The model is in cooldown after a 429 as well, and that is respected.
            if case .coolingDown(let time) = refusal.availability, time < waitLimit(forModel: candidate.model, now) {
                return wait(for: .cooldown, until: time, now)
            }
            return probe(others, now)
        case .hedge:
            sequence.skip(candidate, refusal)
            return askHedge()
        case .resume:
            sequence.skip(candidate, refusal)
            return askContinuation()
        }
    }

    /// Lets a retry wait longer if another request has meanwhile extended the model's cooldown. A retry that would wait
    /// too long becomes a last resort, for the case that no other model is left.
    private mutating func postpone(_ candidate: Candidate, _ refusal: Refusal, _ now: NIODeadline) -> Action {
        if let time = refusal.availability.availableAgainAt, time < waitLimit(forModel: candidate.model, now) {
            if time - now <= TimeAmount(Self.maxRetryWait) { return wait(for: .retry(candidate), until: time, now) }
            postponedRetries.append((candidate, time))
        }
        hasRepeat = false
        if refusal.availability == .full { sequence.skip(candidate, refusal) }
        return askNext(now)
    }
}
