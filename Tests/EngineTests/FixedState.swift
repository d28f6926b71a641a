import NIOCore
import RoutingPolicy

@testable import Engine

/// A state of the models that a test sets: everybody ready and never asked, but for what `readings` says.
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
    ///   - latency: milliseconds, as `firstToken`.
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

/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
