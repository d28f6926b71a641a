/// The state of a model as the planner sees it.
package struct ModelReading: Sendable, Equatable {
    package var availability: Availability
    /// Statistics over the window. A mean is nil if it has no sample.
    package var statistics: StatisticsSummary
    /// Attempts in progress.
    package var inFlight: Int

    package init(availability: Availability, statistics: StatisticsSummary, inFlight: Int) {
        self.availability = availability
        self.statistics = statistics
        self.inFlight = inFlight
    }
}
