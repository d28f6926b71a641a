import NIOCore
import RoutingPolicy

/// The planning state of an explanation: chance comes from a seed, and no rotation advances.
package struct ExplanationState: PlanningState {
    package let seed: UInt64
    let now: NIODeadline
    private let readings: @Sendable (Int) -> ModelReading
    private let rotations: @Sendable (Int) -> Int
    private let limits: @Sendable (String) -> Availability
    private let stickyModel: @Sendable (Conversation) -> ModelName?
    /// Returns the state of a model of the policy; nil for one that has served nothing yet.
    private let states: @Sendable (Int) -> ModelState?
    /// The snapshot that has the models of the request which the policy doesn't list; nil: there are none.
    private var unlisted: Snapshot?
    private var random: SplitMix64

    private init(
        seed: UInt64, now: NIODeadline, readings: @escaping @Sendable (Int) -> ModelReading, rotations: @escaping @Sendable (Int) -> Int,
        limits: @escaping @Sendable (String) -> Availability = { _ in .ready },
        states: @escaping @Sendable (Int) -> ModelState? = { _ in nil },
        stickyModel: @escaping @Sendable (Conversation) -> ModelName? = { _ in nil }
    ) {
        self.seed = seed
        self.now = now
        self.readings = readings
        self.rotations = rotations
        self.limits = limits
        self.stickyModel = stickyModel
        self.states = states
        random = SplitMix64(seed: seed)
    }

    /// The state of a process that has served nothing yet. The seed also determines the position of each rotation.
    ///
    /// - Parameter stickyModel: the model that last served the request's conversation, if the route is sticky.
    package static func fresh(seed: UInt64, stickyModel: ModelName? = nil) -> ExplanationState {
        let reading = ModelReading(availability: .ready, statistics: StatisticsSummary(), inFlight: 0)
        return ExplanationState(
            seed: seed, now: .uptimeNanoseconds(0), readings: { _ in reading }, rotations: { _ in Int(truncatingIfNeeded: seed &- 1) },
            stickyModel: { _ in stickyModel })
    }

    /// A state with fixed readings for some models. The other models have served nothing yet.
    static func fixed(
        _ readings: [Int: ModelReading], _ states: [Int: ModelState] = [:], seed: UInt64, at now: NIODeadline
    ) -> ExplanationState {
        let fresh = fresh(seed: seed)
        return ExplanationState(
            seed: seed, now: now, readings: { readings[$0] ?? fresh.reading(ofModel: $0) }, rotations: fresh.rotations,
            states: { states[$0] })
    }

    /// The current state of this process, as the next request on `loop` would see it.
    package static func live(_ loop: EngineLoop, _ snapshot: Snapshot, seed: UInt64) -> ExplanationState {
        let now = NIODeadline.now(), states = snapshot.states
        return ExplanationState(
            seed: seed, now: now, readings: { states.models[$0].reading(now: now) }, rotations: { loop.upcomingRotation(ofSegment: $0) },
            limits: { states.keyLimiters[$0].map { LimitChain(own: $0).availability(now: now) } ?? .ready },
            states: { states.models[$0] }, stickyModel: { [sticky = loop.sticky] in sticky.model(of: $0, now: now) })
    }

    /// This state for a request that includes models which the policy doesn't list.
    func including(_ snapshot: Snapshot) -> ExplanationState {
        var state = self
        state.unlisted = snapshot
        return state
    }

    package func reading(ofModel model: Int) -> ModelReading {
        unlisted?.unlisted(model)?.state.reading(now: now) ?? readings(model)
    }

    func state(ofModel model: Int) -> ModelState? { unlisted?.unlisted(model)?.state ?? states(model) }

    package func model(of conversation: Conversation) -> ModelName? { stickyModel(conversation) }

    package func rotation(ofSegment segment: Int) -> Int { rotations(segment) }

    /// The availability that the key's own limits allow.
    func availability(of key: Explanation.Key) -> Availability {
        if case .named(let name) = key { limits(name) } else { .ready }
    }

    /// A multiple of 2^-53, from 53 random bits.
    package mutating func chance() -> Double { Double(random.next() >> 11) * 0x1p-53 }
}
