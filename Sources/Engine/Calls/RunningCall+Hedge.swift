import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// Hedging: a second attempt beside a slow first one. The attempt with the first content wins, and the other one is
/// cancelled at once.
extension RunningCall {
    /// Sets the timer for the hedge. With `after: p95` and too few known times, no hedge follows.
    func armHedge() {
        guard hedge == nil, !isCommitted, let settings = plan.hedge, let attempt else { return }
        let delay: Duration
        switch settings.delay {
        case .after(let duration): delay = duration
        case .p95:
            guard let observed = snapshot.state(ofModel: attempt.candidate.model).statistics.p95FirstToken(now: .now()) else { return }
            delay = observed
        }
        wait(for: .hedge, until: .now() + delay)
    }

    /// Starts a second attempt at the next candidate that is available, because the first attempt is slow.
    func startHedge() {
        guard let settings = plan.hedge, attempt != nil, hedge == nil, !isCommitted, ending == nil else { return }
        let models = snapshot.policy.models
        while let candidate = sequence.nextCandidate(context: { models[$0].context }) {
            guard isAffordable(candidate, settings) else { return sequence.putBack(candidate) }
            if tryStart(candidate, isHeldBack: true) {
                record.isHedged = true
                return
            }
        }
    }

    private func isAffordable(_ candidate: AttemptSequence.Candidate, _ settings: Hedge) -> Bool {
        guard let cap = settings.maxCost else { return true }
        guard let price = snapshot.policy.models[candidate.model].price else { return false }
        let usage = Usage(
            promptTokens: request.needs.promptTokens,
            completionTokens: request.needs.maxTokens ?? snapshot.policy.models[candidate.model].maxOutput)
        guard usage.completionTokens != nil || price.output == 0 else { return false }
        return price.cost(of: usage).map { $0 <= cap } ?? false
    }

    /// Whether another attempt runs beside this one.
    func hasRival(_ attempt: Attempt) -> Bool {
        attempt === hedge ? self.attempt != nil : hedge != nil
    }

    /// Gives the call to the attempt with the first content, and cancels the other one.
    func settleRace(for winner: Attempt) {
        if case .hedge = waiting { stopWaiting() }
        guard let hedge else { return winner.forwardHeldParts() }
        let loser = winner === hedge ? attempt : hedge
        self.hedge = nil
        attempt = winner
        if winner === hedge { present(winner) }
        loser?.abort(ProviderError(.cancelled, message: "another attempt responded first"))
        winner.forwardHeldParts()
    }

    /// Gives the call to the other attempt, because this one has failed.
    func leaveRace(_ failed: Attempt) {
        guard failed === attempt, let hedge else {
            self.hedge = nil
            if let attempt { sequence.restoreCurrent(attempt.candidate) }
            return
        }
        self.hedge = nil
        attempt = hedge
        present(hedge)
        hedge.forwardHeldParts()
    }
}
