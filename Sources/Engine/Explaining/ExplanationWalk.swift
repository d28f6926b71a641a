package import NIOCore
package import ProviderKit
import RoutingPolicy

/// The attempts of a call, walked as `RunningCall` makes them, with a failure given for each: no socket is opened, and time is a number.
package struct ExplanationWalk {
    package struct Attempt: Sendable, Equatable {
        /// Index into the policy's models.
        package var model: Int
        package var isFallback: Bool
        package var isRetry: Bool
        /// Before it begins, from the end of the attempt before it. Without jitter.
        package var wait: Duration
    }

    /// Why no attempt follows the last.
    package enum Ending: Sendable, Equatable {
        case answered
        /// The failure ends the call.
        case stopped(FailureClass)
        /// Every candidate has been asked.
        case exhausted
        case maxAttempts
        /// Every candidate that is left is open, rests or is at a limit, and its time comes too late.
        case unavailable
    }

    package private(set) var attempts: [Attempt] = []
    package private(set) var ending = Ending.exhausted
    private(set) var failures: [FailedAttempt] = []

    private let plan: Plan
    private let snapshot: Snapshot
    private let availability: (Int) -> Availability
    private let failure: (Int) -> ProviderError?
    private let deadline: NIODeadline
    private var now: NIODeadline
    private var sequence: AttemptSequence
    /// Before the next attempt.
    private var wait: Duration = .zero
    /// The same model again, which is decided.
    private var retry: AttemptSequence.Step?
    /// Models that may be asked again where no other can be.
    private var lastResorts: [(step: AttemptSequence.Step, time: NIODeadline)] = []

    /// - Parameters:
    ///   - availability: of a model at `now`.
    ///   - failure: of each attempt at a model; nil: it answers.
    package init(
        _ plan: Plan, in snapshot: Snapshot, now: NIODeadline = .uptimeNanoseconds(0),
        availability: @escaping (Int) -> Availability = { _ in .ready },
        failure: @escaping (Int) -> ProviderError?
    ) {
        self.plan = plan
        self.snapshot = snapshot
        self.availability = availability
        self.failure = failure
        self.now = now
        deadline = now + plan.total
        sequence = AttemptSequence(plan)
        while let step = nextStep() {
            begin(step)
            guard let error = failure(step.model) else {
                ending = .answered
                return
            }
            guard goesOn(after: error, at: step.model) else { return }
        }
    }

    /// What the client gets; 200 for a response.
    package var status: Int {
        if ending == .answered { return 200 }
        // `failover:` may stop at what the failure table doesn't: then the client gets that failure as it is.
        if case .stopped = ending, let error = failures.last?.error, error.fate() != .stop, let status = error.status, status >= 400 {
            return status
        }
        guard failures.isEmpty else { return CallFailure.final(after: failures, isNamed: plan.isNamed).status }
        return sequence.skipped.allSatisfy { $0.availability.end != nil } ? 429 : 503
    }

    private mutating func begin(_ step: AttemptSequence.Step) {
        sequence.begin(step)
        attempts.append(Attempt(model: step.model, isFallback: step.isFallback, isRetry: step.isRetry, wait: wait))
        wait = .zero
    }

    private mutating func goesOn(after error: ProviderError, at model: Int) -> Bool {
        let policy = snapshot.policy, definition = policy.models[model], provider = policy.providers[definition.provider]
        failures.append(
            FailedAttempt(provider: provider.name, model: definition.name, error: error, reason: error.failure.rawValue, duration: .zero))
        let settings = snapshot.modelRetry[model].overridden(by: plan.retry)
        let fate = error.fate(plan.failover, provider.failover, policy.failover)
        // The failures of this call alone may open the breaker: then no wait brings a retry.
        let isOpened =
            definition.breaker.failures
            <= failures.count { failed in
                failed.model == definition.name && failed.provider == provider.name
                    && Breaker.Verdict(.failed(failed.error.failure, retryAfter: nil)) == .failed
            }
        switch sequence.follow(fate, of: error.failure, retries: settings.retries, context: { policy.models[$0].context }) {
        case .stop:
            ending = .stopped(error.failure)
            return false
        case .next:
            if sequence.isLastResortAllowed, !isOpened, let step = sequence.retryStep { lastResorts.append((step, now + delay(settings))) }
        case .retry:
            if isOpened { break }
            retry = sequence.retryStep
            pass(delay(settings))
        }
        return true
    }

    private mutating func nextStep() -> AttemptSequence.Step? {
        if let step = retry {
            retry = nil
            return step
        }
        let models = snapshot.policy.models
        while true {
            while let step = sequence.propose(context: { models[$0].context }) {
                let availability = availability(at: now, step.model)
                if availability.mayBeTried { return step }
                sequence.skip(step, availability)
            }
            guard sequence.attempts < plan.maxAttempts else {
                ending = .maxAttempts
                return nil
            }
            if let step = queue() ?? nextRetry() { return step }
            if rest() { continue }
            if let step = probe() { return step }
            ending = sequence.skipped.isEmpty ? .exhausted : .unavailable
            return nil
        }
    }

    /// For a place at the first that is at its limit of requests under way.
    private mutating func queue() -> AttemptSequence.Step? {
        guard let step = sequence.skipped.first(where: { $0.availability == .full })?.step else { return nil }
        sequence.dropSkipped(step)
        return step
    }

    /// For the one that may be asked again first, if no other has rested before.
    private mutating func nextRetry() -> AttemptSequence.Step? {
        guard let again = lastResorts.min(by: { $0.time < $1.time }), again.time < deadline else { return nil }
        if let rested, rested < again.time { return nil }
        lastResorts.removeAll { $0.step == again.step }
        pass(max(.zero, again.time - now))
        return again.step
    }

    /// Until the first has rested, if the deadline allows it.
    private mutating func rest() -> Bool {
        guard let rested, rested < deadline else { return false }
        pass(max(.zero, rested - now))
        sequence.reviveSkipped()
        return true
    }

    private var rested: NIODeadline? { sequence.skipped.compactMap(\.availability.end).min() }

    /// Every candidate that is left is open: the one due first is asked before its time.
    private mutating func probe() -> AttemptSequence.Step? {
        let open = sequence.skipped.compactMap { step, availability in availability.isOpen ? availability.until.map { (step, $0) } : nil }
        guard let step = open.min(by: { $0.1 < $1.1 })?.0 else { return nil }
        sequence.dropSkipped(step)
        return step
    }

    private mutating func pass(_ time: Duration) {
        wait += time
        now = now + time
    }

    private func availability(at now: NIODeadline, _ model: Int) -> Availability {
        let availability = availability(model)
        guard let until = availability.until, until <= now else { return availability }
        return availability.isOpen ? .probe : .ready
    }

    private func delay(_ settings: Retry) -> Duration {
        var exact = settings, random = SplitMix64(seed: 0)
        exact.jitter = 0
        return Backoff.delay(retry: sequence.retriesMade + 1, settings: exact, retryAfter: nil, using: &random)
    }
}

extension Availability {
    /// When it may be asked again for sure; an open breaker is no such promise.
    fileprivate var end: NIODeadline? { isOpen ? nil : until }

    fileprivate var isOpen: Bool {
        if case .open = self { true } else { false }
    }
}

extension ProviderError {
    /// What an explanation has happen at a provider that is down.
    package static let explainedOutage = ProviderError(.unreachable, message: "taken to be down")
    /// What it has happen at every other.
    package static let explainedFailure = ProviderError(.upstreamError, status: 500, message: "taken to fail")
}
