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
}

/// The state of a model at one point in time.
package struct ModelStateView: Sendable, Equatable {
    package var availability: Availability
    package var breaker: BreakerPhase
    package var failuresInRow: Int
    package var statistics: StatisticsSummary
    /// Attempts in progress.
    package var inFlight: Int
    /// The model's own limits, without those of its provider; nil: it has none.
    package var limits: LimiterView?

    /// Takes over what is worse at another model that the same wildcard stands for.
    mutating func add(_ other: ModelStateView) {
        if breaker == .closed || other.breaker == .open { breaker = other.breaker }
        failuresInRow = max(failuresInRow, other.failuresInRow)
        if other.statistics.successRate < statistics.successRate { statistics = other.statistics }
    }
}
