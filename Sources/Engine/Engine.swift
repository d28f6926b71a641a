import HTTPWire
package import Logging
package import NIOCore

/// The engine of one process: a loop's worth of state for each event loop, and what they share.
package final class Engine: Sendable {
    package let store: PolicyStore
    package let status: PolicyStatus
    package let loops: [EngineLoop]
    package let budget: BufferBudget
    private let eventLoops: [ObjectIdentifier]

    package init(eventLoops: [any EventLoop], snapshot: Snapshot, transport: UpstreamTransport, logger: Logger) {
        let store = PolicyStore(snapshot)
        let budget = BufferBudget(limit: snapshot.policy.server.maxBufferedBytes)
        self.store = store
        self.budget = budget
        status = PolicyStatus(snapshot)
        let retryBudget = RetryBudget(loops: eventLoops.count)
        loops = zip(eventLoops, retryBudget.cells).map { eventLoop, cell in
            EngineLoop(
                eventLoop: eventLoop, store: store, transport: transport, budget: budget, retryBudget: retryBudget, underWay: cell,
                logger: logger)
        }
        self.eventLoops = eventLoops.map { ObjectIdentifier($0) }
    }

    /// The state of an event loop of this process.
    package func loop(of eventLoop: any EventLoop) -> EngineLoop {
        // One for each core: looking at each costs less than a hash.
        guard let position = eventLoops.firstIndex(of: ObjectIdentifier(eventLoop)) else {
            preconditionFailure("an event loop of another group")
        }
        return loops[position]
    }

    /// The counters of all loops.
    package func metrics() async -> MetricValues {
        var sum = MetricValues()
        for loop in loops {
            let values = try? await loop.eventLoop.submit {
                var values = loop.metrics.values
                values.activeCalls = loop.callCount
                return values
            }.get()
            if let values { sum.add(values) }
        }
        return sum
    }

    /// The state of each model of the policy in service.
    package var stateViews: [ModelName: ModelStateView] {
        let now = NIODeadline.now()
        let states = store.current.states.models.map { (ModelName(provider: $0.key.provider, model: $0.key.name), $0.view(now: now)) }
        return Dictionary(states, uniquingKeysWith: { first, _ in first })
    }

    /// Ends every running call with `shutting_down`.
    package func shutDownCalls() {
        for loop in loops { loop.eventLoop.execute { loop.shutDownCalls() } }
    }

    /// Requests under way at a provider, over all loops.
    func busyCount(of instance: ProviderInstance) async -> Int {
        var sum = 0
        for loop in loops { sum += (try? await loop.eventLoop.submit { loop.busyCount(of: instance) }.get()) ?? 0 }
        return sum
    }

    /// Lets a provider go that no policy names any more: its streams finish, then its connections close.
    func drop(_ instance: ProviderInstance) {
        instance.retire()
        for loop in loops { loop.eventLoop.execute { loop.drop(instance) } }
    }
}
