import NIOCore

/// A breaker's state as metrics and `/admin` name it.
package enum BreakerPhase: String, Sendable, CaseIterable {
    case closed
    case open
    case halfOpen = "half_open"

    init(_ breaker: Breaker, now: NIODeadline) {
        switch breaker.state {
        case .closed: self = .closed
        case .open(let until): self = now < until ? .open : .halfOpen
        case .halfOpen: self = .halfOpen
        }
    }
}

/// A model's state at one moment.
package struct ModelStateView: Sendable, Equatable {
    /// With the time until which it is open, coolingDown or limited.
    package var availability: Availability
    package var breaker: BreakerPhase
    package var failuresInRow: Int
    package var statistics: StatisticsSummary
    /// Attempts under way.
    package var inFlight: Int
    /// Of its own limits; nil: it has none.
    package var limits: LimiterView?
}
