package import Engine
import NIOCore

/// What the observers of all event loops know.
extension Engine {
    /// The sums of the counters.
    package func metrics() async -> MetricValues {
        await collect { loop, telemetry in
            var values = telemetry.values
            values.openStreams = loop.openStreams
            values.chunkSizes = Histogram(loop.chunkSizes)
            values.holds = loop.holds
            return values
        }.reduce(into: MetricValues()) { $0.add($1) }
    }

    /// The figures of the last hour.
    package func recentMinutes() async -> RecentMinutes {
        await collect { $1.minutes }.reduce(into: RecentMinutes()) { $0.add($1) }
    }

    /// The ledgers of the last requests, the newest first.
    package func recentRequests() async -> [[UInt8]] {
        let ledgers = await collect { $1.recent.ledgers() }.joined()
        return ledgers.sorted { $0.nanoseconds > $1.nanoseconds }.map(\.line)
    }

    /// The ledgers of the requests that ended since an earlier call.
    ///
    /// - Parameters:
    ///   - place: where the earlier call ended, and then where this one does. nil skips what came before.
    ///   - limit: the most ledgers of each event loop.
    /// - Returns: the ledgers, the oldest first, and how many are missing because there were more.
    package func requests(since place: inout [Int]?, limit: Int) async -> (ledgers: [[UInt8]], missing: Int) {
        let starts = place
        let news = await collect { loop, telemetry in
            let start = self.loops.firstIndex { $0 === loop }.flatMap { starts?[$0] } ?? telemetry.recent.next
            return (start: start, next: telemetry.recent.next, ledgers: telemetry.recent.ledgers(from: start, limit: limit))
        }
        place = news.map(\.next)
        let ledgers = news.flatMap(\.ledgers).sorted { $0.nanoseconds < $1.nanoseconds }
        return (ledgers.map(\.line), news.reduce(0) { $0 + $1.next - $1.start } - ledgers.count)
    }

    private func collect<Value: Sendable>(_ read: @escaping @Sendable (EngineLoop, LoopTelemetry) -> Value) async -> [Value] {
        var values: [Value] = []
        for loop in loops {
            let value = loop.eventLoop.submit { (loop.observer as? LoopTelemetry).map { read(loop, $0) } }
            if let value = try? await value.get() { values.append(value) }
        }
        return values
    }
}
