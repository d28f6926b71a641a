import NIOCore
import ProviderKit
import RoutingPolicy

/// The limits and the budget of a key as several routers count them together.
struct KeySharing {
    /// What the shared store knows of a running call.
    enum Share {
        /// Nothing: the call was refused or has ended.
        case none
        /// The store has taken this.
        case taken(SharedDemand)
        /// The router has spent this from its lease.
        case leased(tokens: Int)
        /// The router has decided without the store; nil if it hasn't asked. What it asked for may be taken
        /// nevertheless.
        case alone(SharedDemand?)

        var isRunning: Bool { if case .none = self { false } else { true } }
    }

    let store: any SharedStoreLoop
    let terms: SharedTerms
    let onFailure: StateSettings.OnFailure
    let lease: Double

    /// nil if the router counts alone.
    init?(_ loop: EngineLoop, _ snapshot: Snapshot, _ key: KeyDefinition) {
        guard snapshot.sharesState, let store = loop.shared else { return nil }
        self.store = store
        terms = SharedTerms(key: key.name, limits: key.limits, budget: key.budget)
        onFailure = snapshot.policy.state.onFailure
        lease = snapshot.policy.state.lease
    }

    /// Whether a hard budget bounds the requests. It is never leased, so that it is exceeded by no more than what
    /// requests cost beyond their reservations.
    var isBudgeted: Bool { terms.budget?.isHard == true }
}

extension KeyAdmission {
    /// A reservation outlives the longest call by so much.
    private static let settlingTime: Duration = .seconds(60)

    /// Takes everything from the shared store, or from the lease.
    func take(
        _ tokens: Int, _ amount: Spending, _ lifetime: Duration, from sharing: KeySharing, onEnd: @escaping (CallFailure?) -> Void
    ) -> Progress {
        let limiter = limits.own.flatMap { $0.isMetered ? $0 : nil }, now = NIODeadline.now()
        guard limiter != nil || sharing.isBudgeted else {
            share = .alone(nil)
            return .admitted
        }
        var lease = 0.0
        if let limiter, sharing.lease > 0, !sharing.isBudgeted {
            if limiter.takeLeased(tokens: tokens, now: now) {
                share = .leased(tokens: tokens)
                _ = permit?.take(moreTokens: tokens, now: now, isDecided: true)
                return .admitted
            }
            if let rest = limiter.askForLease() {
                lease = sharing.lease
                giveBack(rest, in: sharing)
            }
        }
        let demand = SharedDemand(
            terms: sharing.terms, tokens: tokens, spending: amount, lease: lease, reservation: loop.nextRandom(),
            lifetime: max(lifetime, .zero) + Self.settlingTime)
        guard sharing.store.take(demand, answer: { [self] in answered($0, demand, sharing) }) else {
            limiter?.receive(nil, share: lease, now: now)
            return decideAlone(nil, tokens, amount, sharing).map { .refused($0) } ?? .admitted
        }
        self.onEnd = onEnd
        return .waiting
    }

    private func answered(_ answer: SharedAnswer?, _ demand: SharedDemand, _ sharing: KeySharing) {
        let now = NIODeadline.now()
        limits.own?.receive(answer, share: demand.lease, now: now)
        if let view = answer?.budget { receive(view) }
        // Taken out first, because `abandon` would drop it. There is none if the client has left meanwhile.
        guard let onEnd = onEnd.take() else {
            switch answer?.verdict {
            case .taken: giveBack(demand, in: sharing)
            case nil: giveBack(demand, in: sharing, isRequestKept: true)
            case .limited, .overBudget: break
            }
            return
        }
        switch answer?.verdict {
        case nil:
            onEnd(decideAlone(demand, demand.tokens, demand.spending, sharing))
        case .taken:
            share = .taken(demand)
            _ = permit?.take(moreTokens: demand.tokens, now: now, isDecided: true)
            onEnd(nil)
        case .limited(let retryAfter):
            abandon()
            onEnd(limited(until: now + retryAfter))
        case .overBudget:
            abandon()
            onEnd(
                budget.map { budget in
                    let isSpent = answer?.budget.map { budget.terms.isUsedUp(by: $0.spent) }
                    return budget.failure(ofKey: key, isSpent: isSpent, now: WallClock.second)
                })
        }
    }

    /// Decides as `on_failure` says.
    ///
    /// - Parameter demand: what the store was asked for; nil: nothing.
    private func decideAlone(_ demand: SharedDemand?, _ tokens: Int, _ amount: Spending, _ sharing: KeySharing) -> CallFailure? {
        sharing.store.decidedAlone()
        switch sharing.onFailure {
        case .allow:
            _ = permit?.take(moreTokens: tokens, now: .now(), isDecided: true)
        case .local:
            if let failure = takeAlone(tokens, amount) {
                if let demand { giveBack(demand, in: sharing, isRequestKept: true) }
                return failure
            }
        case .refuse:
            abandon()
            if let demand { giveBack(demand, in: sharing, isRequestKept: true) }
            return CallFailure(
                cause: .unavailable, status: 503,
                error: ProviderError(
                    .routerLimit, message: "the store of the limits and budgets of keys does not respond; retry the request",
                    code: "state_unavailable"), retryAfter: .seconds(1))
        }
        share = .alone(demand)
        return nil
    }

    /// Returns what the store has taken for a request that isn't sent.
    ///
    /// - Parameter isRequestKept: whether it is unknown what the store has taken of the limits.
    private func giveBack(_ demand: SharedDemand, in sharing: KeySharing, isRequestKept: Bool = false) {
        var settlement = SharedSettlement(terms: demand.terms)
        if !isRequestKept { (settlement.returnedRequests, settlement.moreTokens) = (1, -demand.tokens) }
        if sharing.isBudgeted { settlement.reservations = [SharedReservation(demand)] } else if isRequestKept { return }
        settle(settlement, in: sharing)
    }

    /// Returns what is left of a lease.
    private func giveBack(_ rest: (requests: Int, tokens: Int), in sharing: KeySharing) {
        guard rest != (0, 0) else { return }
        var settlement = SharedSettlement(terms: sharing.terms)
        (settlement.returnedRequests, settlement.moreTokens) = (rest.requests, -rest.tokens)
        settle(settlement, in: sharing)
    }

    /// Tells the store what a call has used.
    func settle(usedTokens: Int, spent: Spending, in sharing: KeySharing) {
        var settlement = SharedSettlement(terms: sharing.terms)
        if sharing.terms.budget != nil { settlement.spending = spent }
        switch share {
        case .none:
            return
        case .taken(let demand):
            settlement.moreTokens = usedTokens &- demand.tokens
            if sharing.isBudgeted { settlement.reservations = [SharedReservation(demand)] }
        case .leased(let tokens):
            settlement.moreTokens = usedTokens &- tokens
        case .alone(let demand):
            if let demand, sharing.isBudgeted { settlement.reservations = [SharedReservation(demand)] }
        }
        share = .none
        settle(settlement, in: sharing)
    }

    private func settle(_ settlement: SharedSettlement, in sharing: KeySharing) {
        let countsTokens = settlement.terms.limits.tokensPerMinute != nil && settlement.moreTokens != 0
        guard countsTokens || settlement.returnedRequests > 0 || settlement.terms.budget != nil else { return }
        sharing.store.settle(settlement) { [self] in receive($0) }
    }

    private func receive(_ view: SharedBudgetView) {
        guard let budget, budget.account.receive(view, budget.terms, now: WallClock.second) else { return }
        loop.report(budget.terms, usedUpBy: key)
    }
}

extension SharedReservation {
    fileprivate init(_ demand: SharedDemand) { self.init(id: demand.reservation, spending: demand.spending) }
}
