package import NIOCore
package import RoutingPolicy

/// A store outside the process, in which several routers count limits and budgets together, and tell each other what
/// they know of models and conversations.
package protocol SharedStore: Sendable {
    /// The store's part on one event loop.
    func makeLoop(on eventLoop: any EventLoop) -> any SharedStoreLoop
    /// nil while no policy names a store.
    var status: SharedStoreStatus? { get }
    /// Called once, with what receives all that is open or cools down somewhere. It is called on any thread, about once
    /// a second while the store is up.
    func receiveOutages(_ receive: @escaping @Sendable (SharedOutages) -> Void)
}

/// A shared store as one event loop uses it. It is confined to that event loop.
package protocol SharedStoreLoop: AnyObject {
    /// Takes what a request needs: all of it, or nothing.
    ///
    /// - Parameter answer: called once, later, on the event loop: with nil if the store doesn't respond in time or
    ///   fails. It may then have taken everything nevertheless.
    /// - Returns: false if the store is known not to respond; then `answer` isn't called.
    func take(_ demand: SharedDemand, answer: @escaping (SharedAnswer?) -> Void) -> Bool

    /// Corrects what a request took to what it used. It is never lost while the process runs: it waits for a store that
    /// doesn't respond.
    ///
    /// - Parameter answer: called at most once, with the budget after it.
    func settle(_ settlement: SharedSettlement, answer: @escaping (SharedBudgetView) -> Void)

    /// Counts a request that was decided without the store.
    func decidedAlone()

    /// Tells the other routers of a breaker or a cooldown. While the store doesn't respond, they learn nothing.
    func announce(_ news: BreakerNews)

    /// Counts what requests took from the limits of a model or a provider. Nobody waits for it.
    ///
    /// - Parameter answer: called once, later, on the event loop: with what is left for all routers; nil if the store
    ///   fails.
    /// - Returns: false if the store is known not to respond; then `answer` isn't called.
    func use(_ use: SharedUse, answer: @escaping (SharedLeft?) -> Void) -> Bool

    /// Asks which model last served a conversation, in any router.
    ///
    /// - Parameter answer: called once, later, on the event loop: with nil if none is known, or the store doesn't
    ///   respond in time.
    /// - Returns: false if the store is known not to respond; then `answer` isn't called.
    func lastServed(_ conversation: UInt128, answer: @escaping (ServedConversation?) -> Void) -> Bool

    /// Tells the other routers which model has served a conversation.
    func remember(_ served: ServedConversation, for conversation: UInt128, lasting time: Duration)
}

/// The limits and the budget that a request is counted under.
package struct SharedTerms: Sendable, Equatable {
    package var key: String
    /// `concurrent` is not shared: its slots would stay taken when a router dies.
    package var limits: Limits
    package var budget: Budget?
}

/// What a request wants to take.
package struct SharedDemand: Sendable {
    package var terms: SharedTerms
    /// The expected tokens, prompt and completion together.
    package var tokens: Int
    /// What the request may cost; taken only if the budget is hard.
    package var spending: Spending
    /// The share of what is left of the limits that the router takes besides, for later requests; 0: none.
    package var lease: Double
    /// Identifies what was taken, until it is settled.
    package var reservation: UInt64
    /// A reservation that isn't settled for so long ends by itself: its router has died.
    package var lifetime: Duration
}

/// What a finished request used.
package struct SharedSettlement: Sendable {
    package var terms: SharedTerms
    /// 1 for a request that was never sent and doesn't count.
    package var returnedRequests = 0
    /// The tokens used beyond those that were taken; negative: fewer.
    package var moreTokens = 0
    package var spending = Spending()
    /// The reservations that this ends.
    package var reservations: [SharedReservation] = []

    package init(terms: SharedTerms) { self.terms = terms }
}

/// What is taken from a budget for a running request.
package struct SharedReservation: Sendable {
    package var id: UInt64
    package var spending: Spending
}

/// What the store says to a demand.
package struct SharedAnswer: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        case taken
        /// - retryAfter: the time until the request fits, if no other request takes anything before.
        case limited(retryAfter: Duration)
        case overBudget
    }

    package var verdict: Verdict
    /// nil: no such limit.
    package var requestsLeft: Int?
    package var tokensLeft: Int?
    package var leasedRequests = 0
    package var leasedTokens = 0
    package var budget: SharedBudgetView?

    package init(_ verdict: Verdict) { self.verdict = verdict }
}

/// The state of a budget in the store.
package struct SharedBudgetView: Sendable, Equatable {
    package var spent: Spending
    /// What running requests of all routers may cost.
    package var reserved: Spending
    /// In seconds since 1970, by the store's clock; nil: the period has no end.
    package var periodEnd: Int?

    package init(spent: Spending, reserved: Spending, periodEnd: Int?) {
        (self.spent, self.reserved, self.periodEnd) = (spent, reserved, periodEnd)
    }
}

/// The state of a shared store, for people and metrics.
package struct SharedStoreStatus: Sendable, Equatable {
    /// Where the store is, without credentials.
    package var place: String
    /// Whether all event loops can use it.
    package var isUp: Bool
    /// Why it can't be used; nil while it can.
    package var reason: String?
    /// In seconds since 1970: since when it is up, or down.
    package var since: Int
    package var onFailure: StateSettings.OnFailure
    /// Decisions and settlements that the store has answered.
    package var roundTrips: Int
    /// Those that it refused, or didn't answer in time.
    package var failures: Int
    /// Requests that were decided without it.
    package var decidedAlone: Int

    package init(
        place: String, isUp: Bool, reason: String?, since: Int, onFailure: StateSettings.OnFailure, roundTrips: Int, failures: Int,
        decidedAlone: Int
    ) {
        (self.place, self.isUp, self.reason, self.since, self.onFailure) = (place, isUp, reason, since, onFailure)
        (self.roundTrips, self.failures, self.decidedAlone) = (roundTrips, failures, decidedAlone)
    }
}
