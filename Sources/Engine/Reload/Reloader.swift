package import Logging
package import RoutingPolicy

/// Replaces the policy, one reload at a time: read, prepare, commit. If a step fails, the running policy is unchanged.
package struct Reloader: Sendable {
    /// The outcome of a reload.
    package enum Outcome: Sendable {
        /// The policy was replaced. The lines describe the changes; there are none if nothing changed.
        case swapped([String])
        /// The running policy was kept. `errors` has one line for each error, and `report` shows them with excerpts of
        /// the policy file.
        case kept(errors: [String], report: String)
    }

    private let engine: Engine
    private let resources: [any PolicyResource]
    private let load: @Sendable () -> PolicyReport
    private let now: @Sendable () -> Int
    private let logger: Logger

    /// - Parameters:
    ///   - resources: what policies need, in the order in which it is acquired.
    ///   - load: reads the policy file.
    ///   - now: returns the time in seconds since 1970.
    package init(
        engine: Engine, resources: [any PolicyResource], load: @escaping @Sendable () -> PolicyReport, now: @escaping @Sendable () -> Int,
        logger: Logger
    ) {
        self.engine = engine
        self.resources = resources
        self.load = load
        self.now = now
        self.logger = logger
    }

    /// Reloads once for each trigger, in order, until the stream of triggers ends. A trigger that arrives during a
    /// reload waits; none is lost.
    package func run(_ triggers: AsyncStream<ReloadTrigger>) async {
        for await trigger in triggers {
            let start = ContinuousClock.now
            let outcome = await reload()
            log(outcome, trigger.source)
            remember(outcome, trigger.source, start.duration(to: .now))
            trigger.reply?.resume(returning: outcome)
        }
    }

    private func reload() async -> Outcome {
        let report = load()
        guard let policy = report.policy else {
            return keep(report.issues.filter { $0.severity == .error }.map(report.line), report.rendered())
        }
        let running = engine.store.current.policy
        let draining: [String: Int]
        do {
            draining = await engine.commit(try await engine.prepare(policy, at: now(), with: resources))
        } catch {
            return keep(["\(error)"], "\(error)")
        }
        // That something is off is news only once.
        let warnings = report.rendered(leavingOut: running.offMessages)
        if !warnings.isEmpty { logger.warning("the policy has warnings", metadata: ["report": "\(warnings)"]) }
        return .swapped(PolicyDifference.words(from: running, to: policy, draining: draining))
    }

    /// The running policy's secrets are masked too: what is wrong may be the place of one of them.
    private func keep(_ errors: [String], _ report: String) -> Outcome {
        let mask = engine.store.current.policy.text?.mask
        let errors = errors.map { mask?($0) ?? $0 }
        let lines = report.split(separator: "\n", omittingEmptySubsequences: false).map { mask?(String($0)) ?? String($0) }
        return .kept(errors: errors, report: lines.joined(separator: "\n"))
    }

    private func remember(_ outcome: Outcome, _ source: String, _ duration: Duration) {
        let snapshot = engine.store.current
        var entry = ReloadHistory.Entry(
            time: now(), source: source, duration: duration, digest: snapshot.policy.digest, generation: snapshot.generation)
        switch outcome {
        case .swapped(let changes): entry.changes = changes
        case .kept(let errors, _): entry.errors = errors
        }
        engine.reloads.add(entry)
        // Last, so that whoever sees the state finds the reason in the history.
        if let errors = entry.errors { engine.status.failed(errors) }
    }

    private func log(_ outcome: Outcome, _ source: String) {
        switch outcome {
        case .swapped(let difference):
            logger.notice(
                "policy reloaded",
                metadata: ["by": "\(source)", "digest": "\(engine.status.value.digest)", "changes": "\(difference.count)"])
            for line in difference { logger.notice("policy changed", metadata: ["what": "\(line)"]) }
        case .kept(_, let report):
            logger.error(
                "the new policy cannot be used; the running policy stays in service", metadata: ["by": "\(source)", "report": "\(report)"])
        }
    }
}

/// A request to reload, and the continuation that receives the outcome.
package struct ReloadTrigger: Sendable {
    /// The origin of the request, for the log: for example `SIGHUP`.
    package var source: String
    package var reply: CheckedContinuation<Reloader.Outcome, Never>?

    package init(source: String, reply: CheckedContinuation<Reloader.Outcome, Never>? = nil) {
        self.source = source
        self.reply = reply
    }
}
