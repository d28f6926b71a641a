import NIOCore

/// What changes between two plans: the models' state, whose turn it is, and chance. Passed in, so that the planner is pure.
package protocol PlanningState {
    func reading(ofModel model: Int) -> ModelReading
    /// Another number at each call, counting up for each segment on its own.
    func rotation(ofSegment segment: Int) -> Int
    /// From 0 up to 1, exclusive.
    mutating func chance() -> Double
}

/// The state as it is now, for a request in service.
package struct LivePlanningState: PlanningState {
    private let loop: EngineLoop
    private let states: ModelStates
    private let recent: RecentReadings?
    private let now = NIODeadline.now()

    package init(_ loop: EngineLoop, _ snapshot: Snapshot) {
        self.loop = loop
        states = snapshot.states
        recent = loop.recentReadings(of: snapshot, now: now)
    }

    package func reading(ofModel model: Int) -> ModelReading { recent?.readings[model] ?? states.models[model].reading(now: now) }

    package func rotation(ofSegment segment: Int) -> Int { loop.nextRotation(ofSegment: segment) }

    package func chance() -> Double { Double.random(in: 0..<1, using: &loop.random) }
}

/// The readings of all models of a large policy, side by side, for one event loop: a plan that looks at a thousand would else wait for a thousand places in memory.
/// What they say may be 10 ms old; whether a model can really be asked, its state says when the attempt begins.
final class RecentReadings {
    /// Below that, each is read when it is looked at.
    static let minModels = 64
    private static let lifetime = Duration.milliseconds(10)

    private(set) var readings: [ModelReading]
    private var readAt: NIODeadline

    init(_ states: ModelStates, now: NIODeadline) {
        readings = states.models.map { $0.reading(now: now) }
        readAt = now
    }

    func refresh(_ states: ModelStates, now: NIODeadline) {
        guard now - readAt > Self.lifetime else { return }
        for (index, state) in states.models.enumerated() { readings[index] = state.reading(now: now) }
        readAt = now
    }
}
