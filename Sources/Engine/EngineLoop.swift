import HTTPWire
import Logging
package import NIOCore
import ProviderKit

/// What belongs to one event loop: its view of the policy, its connections to upstreams, its running calls and its counters. Nothing here is locked.
package final class EngineLoop: @unchecked Sendable {  // confined to its event loop
    package let eventLoop: any EventLoop
    package let executor: EventLoopTaskExecutor
    package let budget: BufferBudget
    package let metrics = LoopMetrics()
    private let store: PolicyStore
    private let transport: UpstreamTransport
    private let logger: Logger
    private var current: Snapshot
    private var pools: [ObjectIdentifier: (instance: ProviderInstance, pool: UpstreamPool)] = [:]
    private var calls: [RunningCall] = []
    private var rotation = 0

    init(eventLoop: any EventLoop, store: PolicyStore, transport: UpstreamTransport, budget: BufferBudget, logger: Logger) {
        self.eventLoop = eventLoop
        self.store = store
        self.transport = transport
        self.budget = budget
        self.logger = logger
        executor = EventLoopTaskExecutor(eventLoop)
        current = store.current
    }

    /// The policy in service. Two loads of a counter in the usual case.
    package var snapshot: Snapshot {
        if store.generation != current.generation { current = store.current }
        return current
    }

    /// A number for `Planner.plan`: another one at each call.
    package func nextRotation() -> Int {
        rotation &+= 1
        return rotation
    }

    package var callCount: Int { calls.count }

    /// Ends every running call: the drain's time is up.
    package func shutDownCalls() {
        for call in calls { call.shutDown() }
    }

    func add(_ call: RunningCall) {
        call.listIndex = calls.count
        calls.append(call)
    }

    func remove(_ call: RunningCall) {
        guard let last = calls.popLast(), last !== call else { return }
        last.listIndex = call.listIndex
        calls[call.listIndex] = last
    }

    func pool(for instance: ProviderInstance, origin: Origin) -> UpstreamPool {
        if let known = pools[ObjectIdentifier(instance)] { return known.pool }
        let pool = transport.makePool(origin: origin, poolIdle: instance.poolIdle, eventLoop: eventLoop)
        if instance.isRetired {
            // A request that began before the reload: its connection serves it alone.
            pool.shutdown()
        } else {
            pools[ObjectIdentifier(instance)] = (instance, pool)
        }
        return pool
    }

    /// Requests under way at a provider's upstream.
    package func busyCount(of instance: ProviderInstance) -> Int {
        pools[ObjectIdentifier(instance)]?.pool.busyCount ?? 0
    }

    /// Closes a retired provider's connections: the unused now, the others when their answers end.
    package func drop(_ instance: ProviderInstance) {
        pools.removeValue(forKey: ObjectIdentifier(instance))?.pool.shutdown()
    }

    /// Tells the operator of a failure that someone has to act on.
    func report(_ error: ProviderError, provider: String, model: String) {
        switch error.failure {
        case .providerRejected:
            logger.error(
                "a provider refuses the router's key or account",
                metadata: ["provider": "\(provider)", "model": "\(model)", "status": "\(error.status ?? 0)", "next": "check its api_key and its balance, then send SIGHUP"])
        case .notFound:
            logger.warning("a provider does not know a model", metadata: ["provider": "\(provider)", "model": "\(model)"])
        case .unreachable, .reset, .timeout, .rateLimited, .upstreamError, .contextOverflow, .contentFilter, .unsupported, .clientError, .cancelled:
            break
        }
    }
}

/// Runs a task's jobs on one event loop: the request's own, so that no hop stands between its socket and its plan.
package final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
