import Codecs
package import HTTPWire
import Logging
package import NIOCore
import ProviderKit
import RoutingPolicy

/// The engine's part on one event loop: its reference to the policy, its upstream connections and its running calls. It
/// needs no lock, because it is used on its event loop only.
package final class EngineLoop: @unchecked Sendable {  // confined to its event loop
    package let eventLoop: any EventLoop
    package let budget: BufferBudget
    private let store: PolicyStore
    private let transport: UpstreamTransport
    private let pluginWatch: PluginWatch
    /// What this loop runs of a loaded plugin.
    private let mark: PluginWatch.Mark
    private let logger: Logger
    private var current: Snapshot
    private var providers: [ObjectIdentifier: LoopProvider] = [:]
    /// The current policy's providers, by the provider's index; nil until they are first used.
    private var currentProviders: [LoopProvider?] = []
    private var calls: [RunningCall] = []
    /// Learns about this loop's requests and calls.
    package let observer: (any CallObserver)?
    let retryBudget: RetryBudget
    let sticky: StickyMemory
    /// This loop's part of what several routers count together; nil if the process can't share anything.
    let shared: (any SharedStoreLoop)?
    /// This loop's count of running requests, which bounds the retry budget.
    private let runningRequests: RetryBudget.Cell
    /// The rotation counters of the current policy, by segment.
    private var rotations: [Int] = []
    /// When a failure of the model was last logged.
    private var lastReports: [ModelName: NIODeadline] = [:]
    var random = SplitMix64(seed: .random(in: .min ... .max))
    /// The sizes of the chunks in which upstreams send their streams.
    package internal(set) var chunkSizes = ChunkSizes()
    /// How often a client was so slow that the reading of its upstream's stream was stopped.
    package internal(set) var holds = 0
    /// An empty buffer, so that an attempt without pending bytes allocates none.
    let noBytes = ByteBuffer.unshared()

    init(
        eventLoop: any EventLoop, pluginWatch: PluginWatch, mark: PluginWatch.Mark, store: PolicyStore, transport: UpstreamTransport,
        budget: BufferBudget, retryBudget: RetryBudget,
        sticky: StickyMemory,
        shared: (any SharedStoreLoop)?,
        runningRequests: RetryBudget.Cell, observer: (any CallObserver)?, logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.store = store
        self.transport = transport
        self.pluginWatch = pluginWatch
        self.mark = mark
        self.budget = budget
        self.retryBudget = retryBudget
        self.sticky = sticky
        self.shared = shared
        self.runningRequests = runningRequests
        self.observer = observer
        self.logger = logger
        current = Snapshot(forLoop: store.current)
    }

    /// The policy in service. Costs two loads of a counter if the policy has not changed.
    package var snapshot: Snapshot {
        if store.generation != current.generation {
            current = Snapshot(forLoop: store.current)
            currentProviders = []
            rotations = []
        }
        return current
    }

    /// Plans a request from the current state of the models.
    package func plan(_ request: consuming PlanRequest, in snapshot: Snapshot, now: NIODeadline = .now()) throws(PlanRefusal) -> Plan {
        try Planner.plan(consume request, in: snapshot, state: LivePlanningState(self, snapshot, now: now))
    }

    /// Advances a segment's rotation, which decides ties and round-robin orders. It starts at a random number, so that
    /// the event loops don't choose the same model at the same time.
    func nextRotation(ofSegment segment: Int) -> Int {
        while rotations.count <= segment { rotations.append(Int(truncatingIfNeeded: random.next() & 0xFFFF)) }
        rotations[segment] &+= 1
        return rotations[segment]
    }

    /// The number that `nextRotation` returns next; doesn't advance the rotation.
    func upcomingRotation(ofSegment segment: Int) -> Int {
        rotations.indices.contains(segment) ? rotations[segment] &+ 1 : 0
    }

    /// 64 random bits for ids, without a system call. Not for secrets.
    package func nextRandom() -> UInt64 { random.next() }

    /// Ends every running call with `shutting_down`.
    package func shutDownCalls() {
        for call in calls { call.shutDown() }
    }

    func add(_ call: RunningCall) {
        runningRequests.begin()
        call.listIndex = calls.count
        calls.append(call)
    }

    func remove(_ call: RunningCall) {
        runningRequests.end()
        guard let last = calls.popLast(), last !== call else { return }
        last.listIndex = call.listIndex
        calls[call.listIndex] = last
    }

    /// The provider of a model; nil if the provider is off.
    func provider(ofModel model: Int, in snapshot: Snapshot) -> LoopProvider? {
        let index = snapshot.models[model].provider
        let isCurrent = snapshot === current
        if isCurrent, index < currentProviders.count, let known = currentProviders[index] { return known }
        guard let instance = snapshot.instances[index] else { return nil }
        let provider = provider(of: instance)
        if isCurrent {
            if currentProviders.isEmpty { currentProviders = Array(repeating: nil, count: snapshot.instances.count) }
            currentProviders[index] = provider
        }
        return provider
    }

    func provider(of instance: ProviderInstance) -> LoopProvider {
        if let known = providers[ObjectIdentifier(instance)] { return known }
        let watch = instance.loadedPlugin.map { plugin in
            HookWatch(mark: mark, owner: pluginWatch.add(plugin: plugin, provider: instance.name), plugin: plugin)
        }
        let provider = LoopProvider(instance, watch: watch, transport: transport, eventLoop: eventLoop)
        if instance.isRetired {
            // The request started before the reload that removed the provider. It gets a connection that isn't kept.
            provider.pool?.shutdown()
        } else {
            providers[ObjectIdentifier(instance)] = provider
        }
        return provider
    }

    /// This loop's connections to each provider that has been called.
    var poolViews: [PoolView] {
        providers.values.compactMap { provider in
            provider.pool.map { PoolView(provider: provider.name, busy: $0.busyCount, idle: $0.idleCount, waiting: $0.queuedCount) }
        }
    }

    /// The number of this loop's running calls whose streams have their first content.
    package var openStreams: Int { calls.count { $0.record.firstContentTime != nil } }

    /// The number of this loop's connections to the provider that are serving a request.
    package func busyCount(of instance: ProviderInstance) -> Int {
        providers[ObjectIdentifier(instance)]?.pool?.busyCount ?? 0
    }

    /// Closes a retired provider's connections: the idle ones now, the others when their responses end.
    package func drop(_ instance: ProviderInstance) {
        providers.removeValue(forKey: ObjectIdentifier(instance))?.pool?.shutdown()
        if currentProviders.contains(where: { $0?.instance === instance }) { currentProviders = [] }
    }

    /// Logs a failure that the operator has to act on, at most once in ten seconds per model.
    ///
    /// - Parameters:
    ///   - name: the model's names in metrics. Models that the policy doesn't list share one.
    ///   - model: the model's own name.
    ///   - opensBreaker: whether such a failure opens a breaker at once.
    func report(_ error: ProviderError, of name: ModelName, model: String, opensBreaker: Bool) {
        func next(_ check: String, _ retrial: String) -> Logger.MetadataValue { "\(opensBreaker ? "\(check); \(retrial)" : check)" }
        switch error.failure {
        case .providerRejected where shouldReport(name):
            logger.error(
                "a provider refuses the router's API key or account",
                metadata: [
                    "provider": "\(name.provider)", "model": "\(model)", "status": "\(error.status ?? 0)", "message": "\(error.message)",
                    "next": next(
                        "check the provider's 'api_key', balance and region",
                        "the provider is tried again after 5 to 60 minutes, and after a reload with another key"),
                ])
        case .notFound where shouldReport(name):
            logger.warning(
                "a provider does not have a model, or not for this account",
                metadata: [
                    "provider": "\(name.provider)", "model": "\(model)", "message": "\(error.message)",
                    "next": next("check the model's 'upstream'", "the model is tried again after 1 to 60 minutes"),
                ])
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .contextOverflow, .contentFilter,
            .unsupported, .invalidJSON, .clientError, .routerLimit, .cancelled:
            break
        }
    }

    /// Logs that a key of a provider cools down, once for each cooldown. It is named by its position.
    func report(_ error: ProviderError, ofKey position: Int, of count: Int, provider: String, until: NIODeadline) {
        let isRefused = error.failure == .providerRejected
        logger.log(
            level: isRefused ? .error : .warning,
            isRefused ? "a provider refuses one of the router's keys" : "a provider limits one of the router's keys",
            metadata: [
                "provider": "\(provider)", "key": "\(position) of \(count)", "status": "\(error.status ?? 0)",
                "message": "\(error.message)",
                "until": "\(WireDate.rfc3339(WallClock.second(at: until)))",
            ])
    }

    /// Logs that a key has used up its budget, once in each period.
    func report(_ budget: Budget, usedUpBy key: String) {
        logger.warning(
            "a key has used up its budget",
            metadata: [
                "key": "\(key)", "budget": "\(budget.words)",
                "next":
                    "\(budget.isHard ? "its requests are refused until the period ends or 'budget' is raised" : "its requests are still served, because the budget isn't hard")",
            ])
    }

    /// Logs a lasting repair, once for each provider.
    func report(_ repair: Repair, provider: String) {
        logger.warning(
            "a provider refuses what the router adds to requests; from now on they are sent \(repair.name)",
            metadata: ["provider": "\(provider)"].merging(repair.advice.map { ["next": "\($0)"] } ?? [:]) { $1 })
    }

    /// Logs that breakers have opened or closed, and lets them remember why. A breaker is shared, and only one attempt
    /// causes a transition, so each is logged once.
    ///
    /// - Parameter error: the failure that caused the transitions, without secrets.
    func report(_ transitions: BreakerTransitions, of model: Int, in snapshot: Snapshot, after error: ProviderError? = nil) {
        guard transitions.model != nil || transitions.account != nil else { return }
        let state = snapshot.state(ofModel: model), key = state.key
        announce(transitions, of: key, in: snapshot)
        state.breaker.remember(transitions.model, after: error)
        state.account.remember(transitions.account, after: error)
        log(transitions.model, "a model's breaker", ["provider": "\(key.provider)", "model": "\(key.name)"], error)
        log(transitions.account, "the breaker of a provider's account", ["provider": "\(key.provider)"], error)
    }

    private func log(_ transition: Breaker.Transition?, _ breaker: String, _ subject: Logger.Metadata, _ error: ProviderError?) {
        switch transition {
        case .opened(let until, let isReopening):
            var metadata = subject
            metadata["until"] = "\(WireDate.rfc3339(WallClock.second(at: until)))"
            if let error {
                metadata["class"] = "\(error.failure.rawValue)"
                metadata["message"] = "\(error.message)"
                if let status = error.status { metadata["status"] = "\(status)" }
            }
            // While an upstream is down, the breaker opens again after each cooldown.
            logger.log(
                level: isReopening ? .info : .warning, "\(breaker) opened\(isReopening ? " again: the probe failed" : "")",
                metadata: metadata)
        case .closed:
            logger.info("\(breaker) closed", metadata: subject)
        case nil:
            break
        }
    }

    private func shouldReport(_ name: ModelName) -> Bool {
        let now = NIODeadline.now()
        if let last = lastReports[name], now - last < TimeAmount.seconds(10) { return false }
        lastReports[name] = now
        return true
    }
}
