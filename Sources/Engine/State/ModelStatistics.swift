import HTTPWire
package import NIOCore

/// Statistics about a model's attempts during the last minutes (`statistics.window`). All event loops share them, with
/// atomics and without a lock.
///
/// The totals count from the start of the process. A history keeps the totals at the beginning of each twentieth of the
/// window, and the difference to the current totals is the window. It therefore covers 19 to 20 twentieths, in constant
/// memory (2 KB).
package final class ModelStatistics: Sendable {
    package let window: Duration
    private let totals = SampleCounters()
    private let cache = SummaryCache()
    private let history: StatisticsHistory
    private let firstTokens = RecentTimes()

    package init(window: Duration) {
        self.window = window
        history = StatisticsHistory(window: window)
    }

    /// - Parameters:
    ///   - latency: duration of the complete attempt.
    ///   - firstToken: from the start of the attempt to its first content; nil for a non-streamed response.
    package func recordSuccess(latency: Duration, firstToken: Duration?, now: NIODeadline) {
        history.advance(to: now, totals)
        if let firstToken {
            let microseconds = Self.microseconds(firstToken)
            totals.addFirstToken(microseconds)
            firstTokens.add(microseconds, now: now)
        }
        totals.addSuccess(Self.microseconds(latency))
    }

    package func recordFailure(now: NIODeadline) {
        history.advance(to: now, totals)
        totals.addFailure()
    }

    /// Costs a few loads, unless a sample was recorded or a twentieth of the window has ended since the last call.
    package func summary(now: NIODeadline) -> StatisticsSummary {
        cache.summary(samples: totals.samples, now: now) ?? history.summary(totals, cache, now: now)
    }

    /// The 95th percentile (nearest rank) of the last 128 times to the first content; nil with fewer than 20 in the
    /// window.
    package func p95FirstToken(now: NIODeadline) -> Duration? {
        firstTokens.p95(window: window, now: now)
    }

    /// Clamped to 0...4,294,967,295 (71 minutes).
    private static func microseconds(_ duration: Duration) -> UInt64 {
        UInt64(UInt32(clamping: duration.wholeMicroseconds))
    }
}
