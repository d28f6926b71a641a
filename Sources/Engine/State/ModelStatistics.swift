import HTTPWire
package import NIOCore
import Synchronization

/// Statistics about a model's attempts during the last minutes (`statistics.window`). All event loops share them.
package final class ModelStatistics: Sendable {
    private struct Samples {
        var window: StatisticsWindow
        var firstTokens = RecentTimes()
    }

    package let window: Duration
    private let samples: Mutex<Samples>

    package init(window: Duration) {
        self.window = window
        samples = Mutex(Samples(window: StatisticsWindow(window: window)))
    }

    /// - Parameters:
    ///   - latency: duration of the complete attempt.
    ///   - firstToken: from the start of the attempt to its first content; nil for a non-streamed response.
    package func recordSuccess(latency: Duration, firstToken: Duration?, now: NIODeadline) {
        let latency = Self.microseconds(latency), firstToken = firstToken.map(Self.microseconds)
        samples.withLock {
            $0.window.addSuccess(latency: latency, firstToken: firstToken, now: now)
            if let firstToken { $0.firstTokens.add(firstToken, now: now) }
        }
    }

    package func recordFailure(now: NIODeadline) {
        samples.withLock { $0.window.addFailure(now: now) }
    }

    func reset() {
        let window = window
        samples.withLock { $0 = Samples(window: StatisticsWindow(window: window)) }
    }

    package func summary(now: NIODeadline) -> StatisticsSummary {
        samples.withLock { $0.window.summary(now: now) }
    }

    /// The 95th percentile (nearest rank) of the last 128 times to the first content; nil with fewer than 20 in the
    /// window.
    package func p95FirstToken(now: NIODeadline) -> Duration? {
        samples.withLock { $0.firstTokens }.p95(window: window, now: now)
    }

    /// Clamped to 0...4,294,967,295 (71 minutes).
    private static func microseconds(_ duration: Duration) -> Int {
        Int(UInt32(clamping: duration.wholeMicroseconds))
    }
}
