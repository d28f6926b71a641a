/// What a plan looks at of a model.
package struct ModelReading: Sendable, Equatable {
    package var availability: Availability
    /// Of the window; what is nil there was not observed.
    package var statistics: StatisticsSummary
    /// Attempts under way.
    package var inFlight: Int

    package init(availability: Availability, statistics: StatisticsSummary, inFlight: Int) {
        self.availability = availability
        self.statistics = statistics
        self.inFlight = inFlight
    }
}
