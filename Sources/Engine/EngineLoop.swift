import HTTPWire
import Logging
package import NIOCore
import ProviderKit

/// What belongs to one event loop: its view of the policy, its connections to upstreams, its running calls and its counters. Nothing here is locked.
package final class EngineLoop: @unchecked Sendable {  // confined to its event loop
    package let eventLoop: any EventLoop
    package let budget: BufferBudget
    package let metrics = LoopMetrics()
    private let store: PolicyStore
    private let transport: UpstreamTransport
    private let logger: Logger
    private var current: Snapshot
    /// The counters of the current policy's models, in its order; nil until they are needed.
    private var modelCounters: [ModelCounters?] = []
    private var providers: [ObjectIdentifier: LoopProvider] = [:]
    /// The current policy's, in its order; nil until they are needed.
    private var currentProviders: [LoopProvider?] = []
    private var calls: [RunningCall] = []
    let retryBudget: RetryBudget
    private let underWay: RetryBudget.Cell
    /// By segment of the policy in service.
    private var rotations: [Int] = []
    /// When a model's failure was last told to the operator.
    private var reported: [ModelName: NIODeadline] = [:]
    var random = SplitMix64(seed: .random(in: .min ... .max))
    /// For who has no bytes yet.
    let noBytes = ByteBuffer.unshared()

    init(
        eventLoop: any EventLoop, store: PolicyStore, transport: UpstreamTransport, budget: BufferBudget, retryBudget: RetryBudget,
        underWay: RetryBudget.Cell,
        logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.store = store
        self.transport = transport
        self.budget = budget
        self.retryBudget = retryBudget
        self.underWay = underWay
        self.logger = logger
        current = Snapshot(store.current)
    }

    /// The policy in service. Two loads of a counter in the usual case.
    package var snapshot: Snapshot {
        if store.generation != current.generation {
            current = Snapshot(store.current)
            modelCounters = []
            currentProviders = []
            rotations = []
        }
        return current
    }

    func counters(ofModel model: Int, in snapshot: Snapshot) -> ModelCounters {
        let isCurrent = snapshot === current
        if isCurrent, model < modelCounters.count, let known = modelCounters[model] { return known }
        let definition = snapshot.policy.models[model]
        let counters = metrics.counters(provider: snapshot.policy.providers[definition.provider].name, model: definition.name)
        if isCurrent {
            if modelCounters.isEmpty { modelCounters = Array(repeating: nil, count: snapshot.policy.models.count) }
            modelCounters[model] = counters
        }
        return counters
    }

    /// A plan for a request in service, from the models' state as it is now.
    package func plan(_ request: consuming PlanRequest, in snapshot: Snapshot) throws(PlanRefusal) -> Plan {
        try Planner.plan(consume request, in: snapshot, state: LivePlanningState(self, snapshot))
    }

    /// Counts up for each segment; where it begins is chance, so that the loops don't turn in step.
    func nextRotation(ofSegment segment: Int) -> Int {
        while rotations.count <= segment { rotations.append(Int(truncatingIfNeeded: random.next() & 0xFFFF)) }
        rotations[segment] &+= 1
        return rotations[segment]
    }

    /// What `nextRotation` will give next; nothing turns by it.
    func upcomingRotation(ofSegment segment: Int) -> Int {
        rotations.indices.contains(segment) ? rotations[segment] &+ 1 : 0
    }

    /// 64 random bits for ids, not for secrets; without a system call.
    package func nextRandom() -> UInt64 { random.next() }

    package var callCount: Int { calls.count }

    /// Ends every running call: the drain's time is up.
    package func shutDownCalls() {
        for call in calls { call.shutDown() }
    }

    func add(_ call: RunningCall) {
        underWay.begin()
        call.listIndex = calls.count
        calls.append(call)
    }

    func remove(_ call: RunningCall) {
        underWay.end()
        guard let last = calls.popLast(), last !== call else { return }
        last.listIndex = call.listIndex
        calls[call.listIndex] = last
    }

    /// The provider of a model; nil: it is off.
    func provider(ofModel model: Int, in snapshot: Snapshot) -> LoopProvider? {
        let index = snapshot.policy.models[model].provider
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

    private func provider(of instance: ProviderInstance) -> LoopProvider {
        if let known = providers[ObjectIdentifier(instance)] { return known }
        let made = LoopProvider(instance, transport: transport, eventLoop: eventLoop)
        if instance.isRetired {
            // A request that began before the reload: its connection serves it alone.
            made.pool?.shutdown()
        } else {
            providers[ObjectIdentifier(instance)] = made
        }
        return made
    }

    /// Requests under way at a provider's upstream.
    package func busyCount(of instance: ProviderInstance) -> Int {
        providers[ObjectIdentifier(instance)]?.pool?.busyCount ?? 0
    }

    /// Closes a retired provider's connections: the unused now, the others when their answers end.
    package func drop(_ instance: ProviderInstance) {
        providers.removeValue(forKey: ObjectIdentifier(instance))?.pool?.shutdown()
        if currentProviders.contains(where: { $0?.instance === instance }) { currentProviders = [] }
    }

    /// Tells the operator of a failure that someone has to act on: of each model's once in ten seconds.
    func report(_ error: ProviderError, provider: String, model: String) {
        switch error.failure {
        case .providerRejected where mayReport(provider, model):
            logger.error(
                "a provider refuses the router's key or account",
                metadata: [
                    "provider": "\(provider)", "model": "\(model)", "status": "\(error.status ?? 0)",
                    "next": "check its api_key and its balance, then send SIGHUP",
                ])
        case .notFound where mayReport(provider, model):
            logger.warning("a provider does not know a model", metadata: ["provider": "\(provider)", "model": "\(model)"])
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .notFound, .providerRejected, .contextOverflow, .contentFilter,
            .unsupported, .clientError,
            .cancelled:
            break
        }
    }

    private func mayReport(_ provider: String, _ model: String) -> Bool {
        let name = ModelName(provider: provider, model: model), now = NIODeadline.now()
        if let last = reported[name], now - last < TimeAmount.seconds(10) { return false }
        reported[name] = now
        return true
    }
}
