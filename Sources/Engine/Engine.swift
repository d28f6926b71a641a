package import HTTPWire
package import Logging
package import NIOCore

/// The engine of the process: one `EngineLoop` per event loop, and the state that they share.
package final class Engine: Sendable {
    package let store: PolicyStore
    package let status: PolicyStatus
    package let reloads: ReloadHistory
    package let loops: [EngineLoop]
    package let budget: BufferBudget
    package let spool: BodySpool
    package let sticky = StickyMemory()
    /// What several routers count together; nil if the process can't share anything.
    package let shared: (any SharedStore)?
    let logger: Logger
    /// For the budgets of keys that a reload adds.
    let earlierSpending: EarlierSpending
    package let pluginWatch: PluginWatch
    private let eventLoops: [ObjectIdentifier]

    /// - Parameters:
    ///   - spent: what keys have spent as far as it was recorded, for budgets that a reload adds.
    ///   - makeObserver: makes the observer of one event loop.
    package init(
        eventLoops: [any EventLoop], snapshot: Snapshot, transport: UpstreamTransport, logger: Logger,
        spent: @escaping EarlierSpending = { _, _, _ in Spending() }, shared: (any SharedStore)? = nil,
        observer makeObserver: () -> (any CallObserver)? = { nil }
    ) {
        let store = PolicyStore(snapshot)
        let server = snapshot.policy.server, budget = BufferBudget(limit: server.maxBufferedBytes)
        self.store = store
        self.budget = budget
        earlierSpending = spent
        self.shared = shared
        self.logger = logger
        spool = BodySpool(folder: server.spool, limit: server.maxSpooledBytes)
        status = PolicyStatus(snapshot)
        reloads = ReloadHistory(snapshot)
        let retryBudget = RetryBudget(loops: eventLoops.count), sticky = sticky
        let pluginWatch = PluginWatch(loops: eventLoops.count)
        self.pluginWatch = pluginWatch
        loops = eventLoops.indices.map { index in
            EngineLoop(
                eventLoop: eventLoops[index], pluginWatch: pluginWatch, mark: pluginWatch.marks[index], store: store, transport: transport,
                budget: budget, retryBudget: retryBudget, sticky: sticky,
                shared: shared?.makeLoop(on: eventLoops[index]), runningRequests: retryBudget.cells[index], observer: makeObserver(),
                logger: logger)
        }
        self.eventLoops = eventLoops.map { ObjectIdentifier($0) }
        shared?.receiveOutages { [weak self] in self?.receive($0) }
    }

    /// The engine's part on one of the event loops that it was created with.
    package func loop(of eventLoop: any EventLoop) -> EngineLoop {
        // There is one event loop per core, so a linear search is faster than a hash table.
        guard let index = eventLoops.firstIndex(of: ObjectIdentifier(eventLoop)) else {
            preconditionFailure("the event loop belongs to another group")
        }
        return loops[index]
    }

    /// The state of each model of the policy in service. A wildcard has the worst state of the models that it stands
    /// for.
    package var stateViews: [ModelName: ModelStateView] {
        let now = NIODeadline.now(), snapshot = store.current
        let views = snapshot.policy.models.indices.map { index -> (ModelName, ModelStateView) in
            let state = snapshot.states.models[index]
            var view = state.view(now: now)
            if snapshot.policy.models[index].isWildcard {
                for state in snapshot.states.states(ofWildcard: index) { view.add(state.view(now: now)) }
            }
            return (ModelName(provider: state.key.provider, model: state.key.name), view)
        }
        return Dictionary(views, uniquingKeysWith: { first, _ in first })
    }

    /// How many models of each route would be called now, those of its fallbacks included.
    package var usableModels: [(route: String, count: Int)] {
        let now = NIODeadline.now(), snapshot = store.current
        // The implicit `auto` is no route of the policy.
        return (snapshot.chains + (snapshot.auto.route == nil ? [snapshot.auto] : [])).map { chains in
            let models = Set(chains.all + (chains.hasFallback ? [] : snapshot.defaultFallback.all))
            let name = chains.route.map { snapshot.policy.routes[$0].name } ?? "auto"
            return (name, models.count { snapshot.isUsable(model: $0, now: now) })
        }
    }

    /// The number of keys in each state, for each provider of the policy in service that has several.
    package var keyViews: [(provider: String, keys: [(state: String, count: Int)])] {
        let now = NIODeadline.now()
        return store.current.instances.compactMap { instance in
            guard let instance, let keys = instance.keys else { return nil }
            let cooling = keys.cooling(now: now)
            let states = KeyRing.Reason.allCases.map { reason in (reason.rawValue, cooling.count { $0.reason == reason }) }
            return (instance.name, [("ready", keys.count - cooling.count)] + states)
        }
    }

    /// Ends every running call with `shutting_down`.
    package func shutDownCalls() {
        for loop in loops { loop.eventLoop.execute { loop.shutDownCalls() } }
    }

    /// The number of upstream connections to a provider that are serving a request, over all loops.
    func busyCount(of instance: ProviderInstance) async -> Int {
        var sum = 0
        for loop in loops { sum += (try? await loop.eventLoop.submit { loop.busyCount(of: instance) }.get()) ?? 0 }
        return sum
    }

    /// Drains a provider that the policy no longer contains: its streams finish, then its connections close.
    func drop(_ instance: ProviderInstance) {
        instance.retire()
        for loop in loops { loop.eventLoop.execute { loop.drop(instance) } }
    }
}
