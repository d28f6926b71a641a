import HTTPWire
package import NIOCore

/// How a model's attempts went in the last minutes (`statistics.window`), for all event loops: atomics, and no lock.
///
/// It counts since its start, and keeps what the counts were when each twentieth of the window began: the window is the difference. So it covers 19 to
/// 20 twentieths, in constant memory (2 KB).
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
    ///   - latency: of the whole attempt.
    ///   - firstToken: from its start to its first content; nil for a response that isn't streamed.
    package func recordSuccess(latency: Duration, firstToken: Duration?, now: NIODeadline) {
        history.turn(to: now, totals)
        if let firstToken {
            let microseconds = Self.microseconds(firstToken)
            totals.addFirstToken(microseconds)
            firstTokens.add(microseconds, now: now)
        }
        totals.addSuccess(Self.microseconds(latency))
    }

    package func recordFailure(now: NIODeadline) {
        history.turn(to: now, totals)
        totals.addFailure()
    }

    /// A few loads, unless there was a sample since the last reading or a twentieth of the window has passed.
    package func summary(now: NIODeadline) -> StatisticsSummary {
        cache.summary(samples: totals.samples, now: now) ?? history.summary(totals, cache, now: now)
    }

    /// The 95th percentile (nearest rank) of the last 128 times to the first content; nil with fewer than 20 in the window.
    package func p95FirstToken(now: NIODeadline) -> Duration? {
        firstTokens.p95(window: window, now: now)
    }

    /// Forgets all samples.
    package func reset() {
        history.reset(totals, cache)
        firstTokens.clear()
    }

    /// 0...4,294,967,295 (71 minutes), whatever it is.
    private static func microseconds(_ duration: Duration) -> UInt64 {
        UInt64(UInt32(clamping: duration.wholeMicroseconds))
    }
}
