package import NIOCore

/// Everything that differs between two plans of the same request: the state of the models, the rotation and chance. It
/// is passed in, so that the planner is pure.
package protocol PlanningState {
    func reading(ofModel model: Int) -> ModelReading
    /// A part of the reading, as are `statistics` and `inFlight`. An order that compares a thousand models reads only
    /// the parts that it needs, because each is in a different place in memory.
    func availability(ofModel model: Int) -> Availability
    func statistics(ofModel model: Int) -> StatisticsSummary
    func inFlight(ofModel model: Int) -> Int
    /// The model that last served the conversation; nil if none is remembered.
    func model(of conversation: Conversation) -> ModelName?
    /// A number that increases with each call, separately for each segment.
    func rotation(ofSegment segment: Int) -> Int
    /// A random number from 0 up to 1, exclusive.
    mutating func chance() -> Double
}

extension PlanningState {
    package func availability(ofModel model: Int) -> Availability { reading(ofModel: model).availability }
    package func statistics(ofModel model: Int) -> StatisticsSummary { reading(ofModel: model).statistics }
    package func inFlight(ofModel model: Int) -> Int { reading(ofModel: model).inFlight }
    package func model(of conversation: Conversation) -> ModelName? { nil }
}

/// The current state of the process, for a request that is served.
package struct LivePlanningState: PlanningState {
    private let loop: EngineLoop
    /// The snapshot of this event loop. Its `states` are not stored here, because all loops share their reference
    /// counts.
    private let snapshot: Snapshot
    private let now: NIODeadline

    package init(_ loop: EngineLoop, _ snapshot: Snapshot, now: NIODeadline) {
        self.loop = loop
        self.snapshot = snapshot
        self.now = now
    }

    package func reading(ofModel model: Int) -> ModelReading { snapshot.state(ofModel: model).reading(now: now) }
    package func availability(ofModel model: Int) -> Availability { snapshot.state(ofModel: model).availability(now: now) }
    package func statistics(ofModel model: Int) -> StatisticsSummary { snapshot.state(ofModel: model).statistics.summary(now: now) }
    package func inFlight(ofModel model: Int) -> Int { snapshot.state(ofModel: model).inFlight }

    package func model(of conversation: Conversation) -> ModelName? { loop.sticky.model(of: conversation, now: now) }

    package func rotation(ofSegment segment: Int) -> Int { loop.nextRotation(ofSegment: segment) }

    package func chance() -> Double { Double.random(in: 0..<1, using: &loop.random) }
}
