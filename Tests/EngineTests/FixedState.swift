import NIOCore
import RoutingPolicy

@testable import Engine

/// A planning state with fixed readings. Models without a reading are ready and have no samples.
struct FixedState: PlanningState {
    var turn = 0
    var readings: [Int: ModelReading] = [:]
    var random = SplitMix64(seed: 1)

    func reading(ofModel model: Int) -> ModelReading { readings[model] ?? .fresh }
    func rotation(ofSegment segment: Int) -> Int { turn }
    mutating func chance() -> Double { Double.random(in: 0..<1, using: &random) }
}

extension ModelReading {
    static var fresh: ModelReading { with() }

    /// - Parameters:
    ///   - latency: in milliseconds, like `firstToken`.
    static func with(
        _ availability: Availability = .ready, rate: Float = 1, latency: Float? = nil, firstToken: Float? = nil, inFlight: Int = 0
    ) -> ModelReading {
        var statistics = StatisticsSummary()
        statistics.successRate = rate
        statistics.meanLatencyMilliseconds = latency
        statistics.meanFirstTokenMilliseconds = firstToken
        return ModelReading(availability: availability, statistics: statistics, inFlight: inFlight)
    }
}
