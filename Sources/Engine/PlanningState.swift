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
    private let now = NIODeadline.now()

    package init(_ loop: EngineLoop, _ snapshot: Snapshot) {
        self.loop = loop
        states = snapshot.states
    }

    package func reading(ofModel model: Int) -> ModelReading { states.reading(ofModel: model, now: now) }

    package func rotation(ofSegment segment: Int) -> Int { loop.nextRotation(ofSegment: segment) }

    package func chance() -> Double { Double.random(in: 0..<1, using: &loop.random) }
}
