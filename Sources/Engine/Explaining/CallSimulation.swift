package import NIOCore
package import ProviderKit
import RoutingPolicy

/// Simulates the attempts of a call in the order in which `RunningCall` makes them. The caller provides the failure of
/// each attempt. No socket is opened, and time is only a number.
package struct CallSimulation {
    package struct Attempt: Sendable, Equatable {
        /// An index into the policy's models.
        package var model: Int
        package var isFallback: Bool
        package var isRetry: Bool
        /// The time between the end of the previous attempt and the start of this one, without jitter.
        package var wait: Duration
    }

    /// The reason why no further attempt follows.
    package enum Ending: Sendable, Equatable {
        case succeeded
        /// A failure of this class ended the call.
        case stopped(FailureClass)
        /// Every candidate has been called.
        case exhausted
        case maxAttempts
        /// All remaining candidates are unavailable until after the deadline.
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
    /// The wait before the next attempt.
    private var wait: Duration = .zero
    /// The retry that follows next; nil if a retry does not follow.
    private var retry: AttemptSequence.Candidate?
    /// Models that may be called again if no other candidate is available, and the earliest time of that retry.
    private var postponedRetries: [(candidate: AttemptSequence.Candidate, time: NIODeadline)] = []

    /// - Parameters:
    ///   - availability: returns the availability of a model at the start of the call.
    ///   - failure: returns the failure of every attempt at a model; nil if the attempts succeed.
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
        while let candidate = nextAttempt() {
            begin(candidate)
            guard let error = failure(candidate.model) else {
                ending = .succeeded
                return
            }
            guard continues(after: error, at: candidate.model) else { return }
        }
    }

    /// The status that the client gets; 200 if an attempt succeeded.
    package var status: Int {
        if ending == .succeeded { return 200 }
        // If only the policy's `failover` ends the call here, the client gets this failure unchanged.
        if case .stopped = ending, let error = failures.last?.error, error.failureRule() != .stop, let status = error.status, status >= 400
        {
            return status
        }
        guard failures.isEmpty else { return CallFailure.final(after: failures, isNamed: plan.isNamed).status }
        return sequence.skipped.allSatisfy { $0.availability.end != nil } ? 429 : 503
    }

    private mutating func begin(_ candidate: AttemptSequence.Candidate) {
        sequence.begin(candidate)
        attempts.append(Attempt(model: candidate.model, isFallback: candidate.isFallback, isRetry: candidate.isRetry, wait: wait))
        wait = .zero
    }

    private mutating func continues(after error: ProviderError, at model: Int) -> Bool {
        let policy = snapshot.policy, definition = policy.models[model], provider = policy.providers[definition.provider]
        failures.append(
            FailedAttempt(provider: provider.name, model: definition.name, error: error, reason: error.failure.rawValue, duration: .zero))
        let settings = snapshot.modelRetry[model].overridden(by: plan.retry)
        let rule = error.failureRule(plan.failover, provider.failover, policy.defaults.failover)
        // The failures of this call alone may open the breaker. Then no retry is possible.
        let breaker = policy.breaker(of: definition)
        let weights = failures.filter { $0.model == definition.name && $0.provider == provider.name }.map {
            Breaker.Weight($0.error.failure, breaker)
        }
        let isOpened =
            weights.contains { $0 == .opens || $0 == .opensForLonger } || weights.count { $0 == .counts } >= breaker.failures
        switch sequence.decide(rule, after: error.failure, retries: settings.retries, context: { policy.models[$0].context }) {
        case .stop:
            ending = .stopped(error.failure)
            return false
        case .next:
            if sequence.isPostponedRetryAllowed, !isOpened, let candidate = sequence.retryCandidate {
                postponedRetries.append((candidate, now + delay(settings)))
            }
        case .retry:
            if isOpened { break }
            retry = sequence.retryCandidate
            advance(by: delay(settings))
        }
        return true
    }

    private mutating func nextAttempt() -> AttemptSequence.Candidate? {
        if let candidate = retry {
            retry = nil
            return candidate
        }
        let models = snapshot.policy.models
        while true {
            while let candidate = sequence.nextCandidate(context: { models[$0].context }) {
                let availability = availability(at: now, candidate.model)
                if availability.isAvailable { return candidate }
                sequence.skip(candidate, availability)
            }
            guard sequence.attempts < plan.maxAttempts else {
                ending = .maxAttempts
                return nil
            }
            if let candidate = queue() ?? nextRetry() { return candidate }
            if waitForAvailability() { continue }
            if let candidate = probe() { return candidate }
            ending = sequence.skipped.isEmpty ? .exhausted : .unavailable
            return nil
        }
    }

    /// Waits for a concurrency slot of the first candidate that has no free one.
    private mutating func queue() -> AttemptSequence.Candidate? {
        guard let candidate = sequence.skipped.first(where: { $0.availability == .full })?.candidate else { return nil }
        sequence.removeSkipped(candidate)
        return candidate
    }

    /// Waits for the earliest possible retry, unless another candidate becomes available before.
    private mutating func nextRetry() -> AttemptSequence.Candidate? {
        guard let next = postponedRetries.min(by: { $0.time < $1.time }), next.time < deadline else { return nil }
        if let earliestEnd, earliestEnd < next.time { return nil }
        postponedRetries.removeAll { $0.candidate == next.candidate }
        advance(by: max(.zero, next.time - now))
        return next.candidate
    }

    /// Waits until a skipped candidate becomes available, if that is before the deadline.
    private mutating func waitForAvailability() -> Bool {
        guard let earliestEnd, earliestEnd < deadline else { return false }
        advance(by: max(.zero, earliestEnd - now))
        sequence.requeueSkipped()
        return true
    }

    /// The earliest time at which a skipped candidate becomes available.
    private var earliestEnd: NIODeadline? { sequence.skipped.compactMap(\.availability.end).min() }

    /// If the breakers of all remaining candidates are open, the one whose cooldown ends first is probed early.
    private mutating func probe() -> AttemptSequence.Candidate? {
        let open = sequence.skipped.compactMap { candidate, availability in
            availability.isOpen ? availability.until.map { (candidate, $0) } : nil
        }
        guard let candidate = open.min(by: { $0.1 < $1.1 })?.0 else { return nil }
        sequence.removeSkipped(candidate)
        return candidate
    }

    private mutating func advance(by time: Duration) {
        wait += time
        now = now + time
    }

    private func availability(at now: NIODeadline, _ model: Int) -> Availability {
        let availability = availability(model)
        guard let until = availability.until, until <= now else { return availability }
        return availability.isOpen ? .probe : .ready
    }

    private func delay(_ settings: Retry) -> Duration { settings.delay(ofRetry: sequence.retriesMade + 1) }
}

extension Availability {
    /// The time from which the model is certainly available. nil if the breaker is open, because the probe may fail.
    fileprivate var end: NIODeadline? { isOpen ? nil : until }

    fileprivate var isOpen: Bool {
        if case .open = self { true } else { false }
    }
}

extension ProviderError {
    /// The failure of an attempt at a model that is assumed to be down.
    package static let simulatedOutage = ProviderError(.unreachable, message: "assumed to be down")
    /// The failure of an attempt at any other model.
    package static let simulatedFailure = ProviderError(.upstreamError, status: 500, message: "assumed to fail")
}
