import NIOCore
import RoutingPolicy

/// The state that an explanation is made under: chance comes from a seed, and no turn is used up.
package struct ExplanationState: PlanningState {
    package let seed: UInt64
    let now: NIODeadline
    private let readings: @Sendable (Int) -> ModelReading
    private let turns: @Sendable (Int) -> Int
    private let limits: @Sendable (String) -> Availability
    private var random: SplitMix64

    private init(
        seed: UInt64, now: NIODeadline, readings: @escaping @Sendable (Int) -> ModelReading, turns: @escaping @Sendable (Int) -> Int,
        limits: @escaping @Sendable (String) -> Availability = { _ in .ready }
    ) {
        self.seed = seed
        self.now = now
        self.readings = readings
        self.turns = turns
        self.limits = limits
        random = SplitMix64(seed: seed)
    }

    /// Of a process that has served nothing yet. Each seed is another turn of what rotates.
    package static func fresh(seed: UInt64) -> ExplanationState {
        let reading = ModelReading(availability: .ready, statistics: StatisticsSummary(), inFlight: 0)
        return ExplanationState(
            seed: seed, now: .uptimeNanoseconds(0), readings: { _ in reading }, turns: { _ in Int(truncatingIfNeeded: seed &- 1) })
    }

    /// With readings of some models; the others have served nothing yet.
    static func given(_ readings: [Int: ModelReading], seed: UInt64, at now: NIODeadline) -> ExplanationState {
        let fresh = fresh(seed: seed)
        return ExplanationState(seed: seed, now: now, readings: { readings[$0] ?? fresh.reading(ofModel: $0) }, turns: fresh.turns)
    }

    /// Of this process, now, as the next request on `loop` finds it.
    package static func live(_ loop: EngineLoop, _ snapshot: Snapshot, seed: UInt64) -> ExplanationState {
        let now = NIODeadline.now(), states = snapshot.states
        return ExplanationState(
            seed: seed, now: now, readings: { states.models[$0].reading(now: now) }, turns: { loop.upcomingRotation(ofSegment: $0) },
            limits: { states.keyLimiters[$0].map { LimitChain(own: $0).availability(now: now) } ?? .ready })
    }

    package func reading(ofModel model: Int) -> ModelReading { readings(model) }

    package func rotation(ofSegment segment: Int) -> Int { turns(segment) }

    /// Of a key's own limits.
    func availability(of client: Explanation.Client) -> Availability {
        if case .key(let name) = client { limits(name) } else { .ready }
    }

    /// 53 random bits.
    package mutating func chance() -> Double { Double(random.next() >> 11) * 0x1p-53 }
}
