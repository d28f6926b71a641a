package import NIOCore

/// What a model's state belongs to: a provider's model under the name that the policy gives it.
package struct ModelStateKey: Hashable, Sendable {
    package var provider: String
    package var name: String
    package var upstream: String
}

/// All that is remembered of a model: how its attempts went, whether it may be asked, what of its limits is left. Shared by all event loops; its parts
/// live over reloads that leave their definition as it is.
package final class ModelState: Sendable {
    package let key: ModelStateKey
    package let statistics: ModelStatistics
    package let breaker: SharedBreaker
    /// Its own limiter, and its provider's.
    package let limits: LimitChain
    let underWay: Gauge

    init(key: ModelStateKey, statistics: ModelStatistics, breaker: SharedBreaker, limits: LimitChain, underWay: Gauge) {
        self.key = key
        self.statistics = statistics
        self.breaker = breaker
        self.limits = limits
        self.underWay = underWay
    }

    package enum Admission: ~Copyable, Sendable {
        case granted(AttemptPermit)
        case refused(Availability)
    }

    package enum QueuedAdmission: ~Copyable, Sendable {
        case granted(AttemptPermit)
        case queued(AttemptTicket)
        /// `full`: the queue is full too.
        case refused(Availability)
    }

    /// Attempts under way.
    package var inFlight: Int { underWay.value }

    /// As it stands, for a plan. Takes no lock. It says `limited` only where nothing is left; whether a request's tokens fit, `begin` decides.
    package func reading(now: NIODeadline) -> ModelReading {
        ModelReading(availability: availability(now: now), statistics: statistics.summary(now: now), inFlight: underWay.value)
    }

    package func availability(now: NIODeadline) -> Availability {
        let own = breaker.availability(now: now)
        guard own.mayBeTried, !limits.isEmpty else { return own }
        let limits = limits.availability(now: now)
        return limits.mayBeTried ? own : limits
    }

    /// Takes what one attempt needs of breaker, limits and slots: all or nothing.
    ///
    /// - Parameters:
    ///   - tokens: what the request is expected to cost, prompt and completion.
    ///   - mayProbeEarly: an open breaker admits one attempt before its time: for a call that has no other candidate.
    package func begin(tokens: Int, now: NIODeadline, mayProbeEarly: Bool = false) -> Admission {
        if let refusal = refusal(now, mayProbeEarly) { return .refused(refusal) }
        guard !limits.isEmpty else { return enter(nil, now, mayProbeEarly) }
        switch limits.begin(tokens: tokens, now: now) {
        case .granted(let permit): return enter(permit, now, mayProbeEarly)
        case .refused(let availability): return .refused(availability)
        }
    }

    /// As `begin`, but where a slot is wanting it queues, fairly, for the model's and then for the provider's.
    ///
    /// - Parameters:
    ///   - fairness: whose the request is: the key's name.
    ///   - onGrant: the ticket is to be claimed. Called once for each `queued`, on any thread, maybe before this returns; the client hops to where it keeps
    ///     the ticket.
    package func wait(
        tokens: Int, fairness: String?, now: NIODeadline, mayProbeEarly: Bool = false, onGrant: @escaping ConcurrencyGate.Grant
    ) -> QueuedAdmission {
        if let refusal = refusal(now, mayProbeEarly) { return .refused(refusal) }
        return go(on: limits.wait(tokens: tokens, fairness: fairness, now: now, onGrant: onGrant), now, mayProbeEarly)
    }

    package func view(now: NIODeadline) -> ModelStateView {
        let breaker = breaker.value
        return ModelStateView(
            availability: availability(now: now), breaker: BreakerPhase(breaker, now: now), failuresInRow: breaker.failuresInRow,
            statistics: statistics.summary(now: now), inFlight: underWay.value, limits: limits.own?.view(now: now))
    }

    /// Closes the breaker and forgets the statistics, by hand. What is taken of the limits stays taken.
    package func reset() {
        breaker.reset()
        statistics.reset()
    }

    fileprivate func go(on admission: consuming LimitChain.QueuedAdmission, _ now: NIODeadline, _ mayProbeEarly: Bool) -> QueuedAdmission {
        switch consume admission {
        case .granted(let permit):
            switch enter(permit, now, mayProbeEarly) {
            case .granted(let permit): .granted(permit)
            case .refused(let availability): .refused(availability)
            }
        case .queued(let ticket): .queued(AttemptTicket(state: self, ticket: ticket, mayProbeEarly: mayProbeEarly))
        case .refused(let availability): .refused(availability)
        }
    }

    /// What makes it useless to take anything.
    private func refusal(_ now: NIODeadline, _ mayProbeEarly: Bool) -> Availability? {
        let availability = breaker.availability(now: now)
        if case .open = availability, mayProbeEarly { return nil }
        return availability.mayBeTried ? nil : availability
    }

    private func enter(_ permit: consuming LimitPermit?, _ now: NIODeadline, _ mayProbeEarly: Bool) -> Admission {
        switch breaker.enter(now: now, mayProbeEarly: mayProbeEarly) {
        case .admitted(let pass):
            underWay.increment()
            return .granted(AttemptPermit(state: self, pass: pass, limits: permit))
        case .refused(let availability):
            permit?.giveBack(now: now)
            return .refused(availability)
        }
    }
}

/// A place in the queue of a model's slot. Ended once: with `claim` after its grant, or with `cancel` at any time.
package struct AttemptTicket: ~Copyable, Sendable {
    fileprivate let state: ModelState
    fileprivate let ticket: SlotTicket
    fileprivate let mayProbeEarly: Bool

    /// Goes on with the slot that was granted. The breaker may have opened, and the minute's tokens may be gone, meanwhile: then it is refused and the
    /// slot is the next waiter's.
    package consuming func claim(now: NIODeadline) -> ModelState.QueuedAdmission {
        let (state, mayProbeEarly) = (state, mayProbeEarly)
        return state.go(on: ticket.claim(now: now), now, mayProbeEarly)
    }

    package consuming func cancel() {
        ticket.cancel()
    }
}
