import ProviderKit
import RoutingPolicy

/// Hedging: a second attempt beside a slow first one. The attempt with the first content wins.
extension CallMachine {
    /// How long after the start of a main attempt its hedge starts. nil: no hedge follows, because the route has none
    /// or too few times are known for `after: p95`.
    func hedgeDelay(_ p95: Duration?) -> Duration? {
        guard let hedge = plan.hedge, !isCommitted else { return nil }
        switch hedge.delay {
        case .after(let delay): return delay
        case .p95: return p95
        }
    }

    /// Asks the next candidate for a second attempt, because the first one is slow.
    mutating func askHedge() -> Action {
        step = .attempting
        guard let candidate = nextCandidate() else { return .nothing }
        guard isAffordable(candidate) else {
            sequence.putBack(candidate)
            return .nothing
        }
        return ask(candidate, .hedge)
    }

    private func isAffordable(_ candidate: Candidate) -> Bool {
        guard let limit = plan.hedge?.maxCost else { return true }
        let model = snapshot.models[candidate.model]
        guard let price = model.price else { return false }
        let usage = Usage(promptTokens: needs.promptTokens, completionTokens: needs.maxTokens ?? model.maxOutput)
        guard usage.completionTokens != nil || price.output == 0 else { return false }
        return price.cost(of: usage).map { $0 <= limit } ?? false
    }

    /// Leaves the call to the other attempt, because one of the two has failed.
    mutating func leaveRace(_ failed: Role, _ main: Candidate, _ hedge: Candidate) -> Action {
        switch failed {
        case .main:
            running = Running(main: hedge)
            return .promoteHedge
        case .hedge:
            running = Running(main: main)
            sequence.restoreCurrent(main)
            return .nothing
        }
    }
}
