import NIOCore

/// The state of a breaker, as the metrics and `/admin` name it.
package enum BreakerPhase: String, Sendable, CaseIterable {
    case closed
    case open
    case halfOpen = "half_open"

    /// This state, or that of the provider's account if this breaker is closed.
    func or(_ account: BreakerPhase) -> BreakerPhase { self == .closed ? account : self }

    init(_ breaker: Breaker, now: NIODeadline) {
        switch breaker.state {
        case .closed: self = .closed
        case .open(let until): self = now < until ? .open : .halfOpen
        case .halfOpen: self = .halfOpen
        }
    }
}

/// The names of a model and its provider, as the metrics have them.
package struct ModelName: Hashable, Sendable {
    package var provider: String
    package var model: String

    package init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }
}

/// The state of a model at one point in time.
package struct ModelStateView: Sendable, Equatable {
    package var availability: Availability
    /// Of the model, or of its provider's account if the model's is closed.
    package var breaker: BreakerPhase
    /// Of the provider's account.
    package var account: BreakerPhase
    package var failuresInRow: Int
    /// What last opened the breaker of the account, if that is not closed, else that of the model; nil if neither ever
    /// opened.
    package var opening: BreakerOpening?
    package var statistics: StatisticsSummary
    /// Attempts in progress.
    package var inFlight: Int
    /// The model's own limits, without those of its provider; nil: it has none.
    package var limits: LimiterView?

    /// Takes over what is worse at another model that the same wildcard stands for.
    mutating func add(_ other: ModelStateView) {
        if breaker == .closed || other.breaker == .open { breaker = other.breaker }
        if other.failuresInRow > failuresInRow { (failuresInRow, opening) = (other.failuresInRow, other.opening) }
        if other.statistics.successRate < statistics.successRate { statistics = other.statistics }
    }
}
