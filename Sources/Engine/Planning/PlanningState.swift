import NIOCore

/// What changes between two plans: the models' state, whose turn it is, and chance. Passed in, so that the planner is pure.
package protocol PlanningState {
    func reading(ofModel model: Int) -> ModelReading
    /// Parts of the reading, for orders that look at a thousand models and need no more: each lies elsewhere in memory.
    func availability(ofModel model: Int) -> Availability
    func statistics(ofModel model: Int) -> StatisticsSummary
    func inFlight(ofModel model: Int) -> Int
    /// Another number at each call, counting up for each segment on its own.
    func rotation(ofSegment segment: Int) -> Int
    /// From 0 up to 1, exclusive.
    mutating func chance() -> Double
}

extension PlanningState {
    package func availability(ofModel model: Int) -> Availability { reading(ofModel: model).availability }
    package func statistics(ofModel model: Int) -> StatisticsSummary { reading(ofModel: model).statistics }
    package func inFlight(ofModel model: Int) -> Int { reading(ofModel: model).inFlight }
}

/// The state as it is now, for a request in service.
package struct LivePlanningState: PlanningState {
    private let loop: EngineLoop
    /// Not its states: their references are counted by all loops.
    private let snapshot: Snapshot
    private let now = NIODeadline.now()

    package init(_ loop: EngineLoop, _ snapshot: Snapshot) {
        self.loop = loop
        self.snapshot = snapshot
    }

    package func reading(ofModel model: Int) -> ModelReading { snapshot.states.models[model].reading(now: now) }
    package func availability(ofModel model: Int) -> Availability { snapshot.states.availability(ofModel: model, now: now) }
    package func statistics(ofModel model: Int) -> StatisticsSummary { snapshot.states.statistics(ofModel: model, now: now) }
    package func inFlight(ofModel model: Int) -> Int { snapshot.states.models[model].inFlight }

    package func rotation(ofSegment segment: Int) -> Int { loop.nextRotation(ofSegment: segment) }

    package func chance() -> Double { Double.random(in: 0..<1, using: &loop.random) }
}
