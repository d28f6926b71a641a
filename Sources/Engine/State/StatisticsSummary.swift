/// The attempts at a model during the window.
package struct StatisticsSummary: Sendable, Equatable {
    /// 0 to 1; 1 if the window is empty.
    package var successRate: Float = 1
    /// The mean over the successes; nil if there was none.
    package var meanLatencyMilliseconds: Float?
    /// The mean time from the start of an attempt to its first content; nil if no streamed response succeeded.
    package var meanFirstTokenMilliseconds: Float?
    /// The number of attempts that reveal something about the model. Attempts that the client abandoned, and those that
    /// failed because of the request, are not counted.
    package var samples = 0

    package init() {}

    init(_ counts: StatisticsWindow.Counts) {
        guard counts.samples > 0 else { return }
        samples = counts.samples
        successRate = Float(counts.successes) / Float(counts.samples)
        meanLatencyMilliseconds = Self.mean(counts.latency, counts.successes)
        meanFirstTokenMilliseconds = Self.mean(counts.firstToken, counts.firstTokens)
    }

    private static func mean(_ microseconds: Int, _ count: Int) -> Float? {
        count > 0 ? Float(Double(microseconds) / Double(count) / 1000) : nil
    }
}
