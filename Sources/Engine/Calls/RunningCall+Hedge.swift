import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// A second attempt beside a slow first one: the first content wins, and the other is cancelled at once.
extension RunningCall {
    func armHedge() {
        guard hedge == nil, !isCommitted, let settings = plan.hedge, let attempt else { return }
        let delay: Duration
        switch settings.delay {
        case .after(let duration): delay = duration
        case .p95:
            guard let observed = snapshot.state(ofModel: attempt.step.model).statistics.p95FirstToken(now: .now()) else { return }
            delay = observed
        }
        wait(for: .hedge, until: .now() + delay)
    }

    /// The first attempt is slow: the next candidate that can be had now is asked too.
    func startHedge() {
        guard let settings = plan.hedge, attempt != nil, hedge == nil, !isCommitted, ending == nil else { return }
        let models = snapshot.policy.models
        while let step = sequence.propose(context: { models[$0].context }) {
            guard isAffordable(step, settings) else { return sequence.putBack(step) }
            if ask(step, isHeld: true) {
                record.isHedged = true
                return
            }
        }
    }

    private func isAffordable(_ step: AttemptSequence.Step, _ settings: Hedge) -> Bool {
        guard let cap = settings.maxCost else { return true }
        guard let price = snapshot.policy.models[step.model].price else { return false }
        let usage = Usage(
            promptTokens: request.needs.promptTokens,
            completionTokens: request.needs.maxTokens ?? snapshot.policy.models[step.model].maxOutput)
        guard usage.completionTokens != nil || price.output == 0 else { return false }
        return price.cost(of: usage).map { $0 <= cap } ?? false
    }

    func hasRival(_ attempt: Attempt) -> Bool {
        attempt === hedge ? self.attempt != nil : hedge != nil
    }

    /// The attempt has the first content: the other is cancelled.
    func settleRace(for winner: Attempt) {
        if case .hedge = waiting { stopWaiting() }
        guard let hedge else { return winner.showHeld() }
        let loser = winner === hedge ? attempt : hedge
        self.hedge = nil
        attempt = winner
        if winner === hedge { present(winner) }
        loser?.abort(ProviderError(.cancelled, message: "another attempt answered first"))
        winner.showHeld()
    }

    /// One of two has failed: the call is the other's.
    func leaveRace(_ failed: Attempt) {
        guard failed === attempt, let hedge else {
            self.hedge = nil
            if let attempt { sequence.goBack(to: attempt.step) }
            return
        }
        self.hedge = nil
        attempt = hedge
        present(hedge)
        hedge.showHeld()
    }
}
