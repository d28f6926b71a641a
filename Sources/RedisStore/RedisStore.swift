package import Engine
package import HTTPWire
package import Logging
package import NIOCore
package import RoutingPolicy
import Synchronization

/// What several routers count together, in a Redis server. A policy turns it on with
/// `state: redis://…`.
package final class RedisStore: SharedStore, PolicyResource {
    struct Counters: ~Copyable {
        let roundTrips = Atomic(0)
        let failures = Atomic(0)
        let decidedAlone = Atomic(0)
    }

    private struct State {
        var settings = StateSettings()
        /// By the number of the event loop: why it has no connection.
        var reasons: [Int: String] = [:]
        /// Whether all event loops had a connection, when that was last reported; nil before the first attempt.
        var wasUp: Bool?
        var since = 0
    }

    let counters = Counters()
    let tls: TLSContextProvider
    /// How long a request waits for a decision.
    let decisionTime: TimeAmount
    private let logger: Logger
    private let onOutages = Mutex<(@Sendable (SharedOutages) -> Void)?>(nil)
    private let state = Mutex(State())
    private let loops = Mutex<[(loop: RedisLoop, eventLoop: any EventLoop)]>([])

    /// - Parameter tls: the certificates that `rediss://` trusts.
    package init(tls: TLSSettings, logger: Logger, decisionTime: TimeAmount = .milliseconds(5)) {
        self.tls = TLSContextProvider(settings: tls, protocols: [])
        self.decisionTime = decisionTime
        self.logger = logger
    }

    package func makeLoop(on eventLoop: any EventLoop) -> any SharedStoreLoop { newLoop(on: eventLoop) }

    func newLoop(on eventLoop: any EventLoop) -> RedisLoop {
        loops.withLock { loops in
            let loop = RedisLoop(eventLoop: eventLoop, store: self, index: loops.count)
            loops.append((loop, eventLoop))
            return loop
        }
    }

    package var status: SharedStoreStatus? {
        state.withLock { state in
            guard let address = state.settings.redis else { return nil }
            return SharedStoreStatus(
                place: address.place, isUp: state.wasUp ?? false, reason: state.reasons.min { $0.key < $1.key }?.value, since: state.since,
                onFailure: state.settings.onFailure, roundTrips: counters.roundTrips.load(ordering: .relaxed),
                failures: counters.failures.load(ordering: .relaxed), decidedAlone: counters.decidedAlone.load(ordering: .relaxed))
        }
    }

    package func receiveOutages(_ receive: @escaping @Sendable (SharedOutages) -> Void) {
        onOutages.withLock { $0 = receive }
    }

    func receive(_ outages: SharedOutages) { onOutages.withLock { $0 }?(outages) }

    // MARK: The policy

    /// Nothing is prepared: a server that doesn't respond is no reason to keep the running policy.
    package func prepare(_ policy: RoutingPolicy) async throws -> any PreparedResource { Prepared(store: self, settings: policy.state) }

    private struct Prepared: PreparedResource {
        let store: RedisStore
        let settings: StateSettings

        func commit() async { await store.move(to: settings) }
        func undo() async {}
    }

    /// Returns when every event loop is connected, or its first attempt has failed.
    private func move(to settings: StateSettings) async {
        state.withLock { state in
            let old = state.settings
            state.settings = settings
            if old.redis != settings.redis { (state.wasUp, state.reasons, state.since) = (nil, [:], WallClock.second) }
        }
        let target = settings.redis.map { RedisTarget(address: $0, prefix: settings.prefix) }
        let attempts = loops.withLock { $0 }.map { loop, eventLoop in
            let promise = eventLoop.makePromise(of: Void.self)
            eventLoop.execute { loop.move(to: target) { promise.succeed() } }
            return promise.futureResult
        }
        for attempt in attempts { try? await attempt.get() }
    }

    // MARK: The state of the server

    func isUp(_ loop: Int) { report(loop, nil) }

    func isDown(_ loop: Int, _ reason: String) { report(loop, reason) }

    /// Logs when the first event loop loses its connection, and when all have one again.
    private func report(_ loop: Int, _ reason: String?) {
        let change = state.withLock { state -> (place: String, onFailure: StateSettings.OnFailure, reason: String?)? in
            guard let address = state.settings.redis else { return nil }
            state.reasons[loop] = reason
            let isUp = state.reasons.isEmpty
            guard isUp != state.wasUp else { return nil }
            state.wasUp = isUp
            state.since = WallClock.second
            return (address.place, state.settings.onFailure, reason)
        }
        guard let (place, onFailure, reason) = change else { return }
        guard let reason else {
            return logger.notice("the Redis server is up; limits and budgets are shared", metadata: ["server": "\(place)"])
        }
        logger.error(
            "the Redis server is down",
            metadata: ["server": "\(place)", "reason": "it \(reason)", "until_it_is_back": "\(onFailure.words)"])
    }
}

extension StateSettings.OnFailure {
    fileprivate var words: String {
        switch self {
        case .local: "each router enforces the limits and budgets by its own counts"
        case .refuse: "requests of keys with limits or hard budgets are refused"
        case .allow: "requests are served without limits and budgets"
        }
    }
}
