/// A model's attempts of the window.
package struct StatisticsSummary: Sendable, Equatable {
    /// 0 to 1; 1 where the window is empty.
    package var successRate: Float = 1
    /// Of the successes; nil where there is none.
    package var meanLatencyMilliseconds: Float?
    /// From an attempt's start to its first content; nil where no stream succeeded.
    package var meanFirstTokenMilliseconds: Float?
    /// Attempts that say something about the model: those that a client left, and those whose fault was the request's, are none.
    package var samples = 0

    package init() {}

    init(_ counts: SampleCounts) {
        guard counts.samples > 0 else { return }
        samples = Int(clamping: counts.samples)
        successRate = min(Float(counts.successes) / Float(counts.samples), 1)
        meanLatencyMilliseconds = Self.mean(counts.latency, counts.successes)
        meanFirstTokenMilliseconds = Self.mean(counts.firstToken, counts.firstTokens)
    }

    private static func mean(_ microseconds: UInt64, _ count: UInt64) -> Float? {
        count > 0 ? Float(Double(microseconds) / Double(count) / 1000) : nil
    }
}
