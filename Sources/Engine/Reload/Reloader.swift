package import Logging
package import RoutingPolicy

/// Replaces the policy, one reload at a time: read, build, swap, drain. Whatever fails, the running policy stays as it is.
package struct Reloader: Sendable {
    /// What came of a reload.
    package enum Outcome: Sendable {
        /// The difference in words, a line each; empty where nothing changed.
        case swapped([String])
        /// What is wrong, a line each, and the same for a person with the file open.
        case kept(errors: [String], report: String)
    }

    private let engine: Engine
    private let listeners: any ListenerSet
    private let load: @Sendable () -> PolicyReport
    private let now: @Sendable () -> Int
    private let logger: Logger

    /// - Parameters:
    ///   - load: reads the policy afresh.
    ///   - now: seconds since 1970.
    package init(
        engine: Engine, listeners: any ListenerSet, load: @escaping @Sendable () -> PolicyReport, now: @escaping @Sendable () -> Int,
        logger: Logger
    ) {
        self.engine = engine
        self.listeners = listeners
        self.load = load
        self.now = now
        self.logger = logger
    }

    /// Serves the triggers in their order, until their stream ends. A trigger that comes during a reload waits; none is lost.
    package func run(_ triggers: AsyncStream<ReloadTrigger>) async {
        for await trigger in triggers {
            let outcome = await reload()
            log(outcome, trigger.source)
            trigger.reply?.resume(returning: outcome)
        }
    }

    private func reload() async -> Outcome {
        let report = load()
        guard let policy = report.policy else {
            return keep(report.issues.filter { $0.severity == .error }.map(report.line), report.rendered())
        }
        let running = engine.store.current
        let next = Snapshot.provision(policy, over: running, at: now())
        let prepared: any PreparedListeners
        do {
            prepared = try await listeners.prepare(policy.listen)
        } catch {
            return keep(["\(error)"], "\(error)")
        }
        let dropped = running.dropped(in: next)
        var draining: [String: Int] = [:]
        for instance in dropped { draining[instance.name] = await engine.busyCount(of: instance) }
        engine.budget.setLimit(policy.server.maxBufferedBytes)
        engine.store.swap(next)
        await prepared.commit(policy.server)
        for instance in dropped { engine.drop(instance) }
        engine.status.succeeded(digest: policy.digest, at: next.loadedAt)
        let warnings = report.issues.isEmpty ? [] : [report.rendered()]
        for warning in warnings { logger.warning("the policy has warnings", metadata: ["report": "\(warning)"]) }
        return .swapped(PolicyDifference.words(from: running.policy, to: policy, draining: draining))
    }

    private func keep(_ errors: [String], _ report: String) -> Outcome {
        engine.status.failed(errors)
        return .kept(errors: errors, report: report)
    }

    private func log(_ outcome: Outcome, _ source: String) {
        switch outcome {
        case .swapped(let difference):
            logger.notice(
                "policy reloaded",
                metadata: ["by": "\(source)", "digest": "\(engine.status.value.digest)", "changes": "\(difference.count)"])
            for line in difference { logger.notice("policy change", metadata: ["change": "\(line)"]) }
        case .kept(_, let report):
            logger.error(
                "the policy can't be put into service; the running one stays", metadata: ["by": "\(source)", "report": "\(report)"])
        }
    }
}

/// A reason to reload, and who waits for what comes of it.
package struct ReloadTrigger: Sendable {
    package var source: String
    package var reply: CheckedContinuation<Reloader.Outcome, Never>?

    package init(source: String, reply: CheckedContinuation<Reloader.Outcome, Never>? = nil) {
        self.source = source
        self.reply = reply
    }
}

/// The sockets that the process listens on.
package protocol ListenerSet: Sendable {
    /// Opens those of `addresses` that are not open yet. Throws where one can't be; then none is left open by this call.
    func prepare(_ addresses: [ListenAddress]) async throws -> any PreparedListeners
}

package protocol PreparedListeners: Sendable {
    /// Puts the settings in force and closes the sockets that the new policy doesn't name.
    func commit(_ settings: ServerSettings) async
}
