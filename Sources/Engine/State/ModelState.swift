package import NIOCore

/// Identifies a model's state: the provider, the model's name in the policy, and its name at the upstream.
package struct ModelStateKey: Hashable, Sendable {
    package var provider: String
    package var name: String
    package var upstream: String
}

/// The state of a model: its statistics, its breaker, the breaker of its provider's account, and its limits. All event
/// loops share it. A part survives a reload that does not change its definition.
package final class ModelState: Sendable {
    package let key: ModelStateKey
    package let statistics: ModelStatistics
    package let breaker: SharedBreaker
    /// Opens when the provider refuses the router's key or account. All models of the provider share it.
    package let account: SharedBreaker
    /// The limiters of the model and of its provider.
    package let limits: LimitChain
    let attemptsInFlight: Gauge

    init(
        key: ModelStateKey, statistics: ModelStatistics, breaker: SharedBreaker, account: SharedBreaker, limits: LimitChain,
        attemptsInFlight: Gauge
    ) {
        self.key = key
        self.statistics = statistics
        self.breaker = breaker
        self.account = account
        self.limits = limits
        self.attemptsInFlight = attemptsInFlight
    }

    /// The same state in an object of one event loop's own, so that not all loops change its reference count.
    func copiedForLoop() -> ModelState {
        ModelState(
            key: key, statistics: statistics, breaker: breaker, account: account, limits: limits, attemptsInFlight: attemptsInFlight)
    }

    /// A separate state with the same breaker and limits, and without statistics.
    func copy(account: SharedBreaker, provider: Limiter?) -> ModelState {
        ModelState(
            key: key, statistics: ModelStatistics(window: statistics.window), breaker: breaker.copy(), account: account,
            limits: LimitChain(own: limits.own?.copy(), shared: provider), attemptsInFlight: Gauge())
    }

    package enum Admission: ~Copyable, Sendable {
        case granted(AttemptPermit)
        case refused(Availability)
    }

    package enum QueuedAdmission: ~Copyable, Sendable {
        case granted(AttemptPermit)
        case queued(AttemptTicket)
        /// `full` means that the queue is full too.
        case refused(Availability)
    }

    /// Attempts in progress.
    package var inFlight: Int { attemptsInFlight.value }

    /// The current state, for a plan. Takes no lock. The availability is `limited` only if no request or token is left;
    /// `begin` decides whether the tokens of a request fit.
    package func reading(now: NIODeadline) -> ModelReading {
        ModelReading(availability: availability(now: now), statistics: statistics.summary(now: now), inFlight: attemptsInFlight.value)
    }

    package func availability(now: NIODeadline) -> Availability {
        if account.isClosed, breaker.isClosed, limits.isEmpty { return .ready }
        let breakers = breakerAvailability(now)
        guard breakers.isAvailable, !limits.isEmpty else { return breakers }
        let limits = limits.availability(now: now)
        return limits.isAvailable ? breakers : limits
    }

    /// Takes everything that one attempt needs from the breaker and the limits, or nothing.
    ///
    /// - Parameters:
    ///   - tokens: the expected tokens of the request, prompt and completion together.
    ///   - allowsEarlyProbe: lets an open breaker admit one attempt before the end of its cooldown, for a call that has
    ///     no other candidate.
    ///   - isLimited: whether the attempt counts for the limits.
    package func begin(tokens: Int, now: NIODeadline, allowsEarlyProbe: Bool = false, isLimited: Bool = true) -> Admission {
        if let refusal = refusal(now, allowsEarlyProbe) { return .refused(refusal) }
        guard isLimited, !limits.isEmpty else { return enter(nil, now, allowsEarlyProbe) }
        switch limits.begin(tokens: tokens, now: now) {
        case .granted(let permit): return enter(permit, now, allowsEarlyProbe)
        case .refused(let availability): return .refused(availability)
        }
    }

    /// Like `begin`, but waits in a fair queue if no slot is free: first for a slot of the model, then for one of the
    /// provider.
    ///
    /// - Parameters:
    ///   - fairnessKey: the name of the key that sent the request.
    ///   - onGrant: called once for each `queued` when its ticket must be claimed. It may run on any thread, and
    ///     possibly before this function returns, so it must hop to the event loop that owns the ticket.
    package func wait(
        tokens: Int, fairnessKey: String?, now: NIODeadline, allowsEarlyProbe: Bool = false, onGrant: @escaping ConcurrencyGate.Grant
    ) -> QueuedAdmission {
        if let refusal = refusal(now, allowsEarlyProbe) { return .refused(refusal) }
        return proceed(with: limits.wait(tokens: tokens, fairnessKey: fairnessKey, now: now, onGrant: onGrant), now, allowsEarlyProbe)
    }

    /// - Parameter availability: why an attempt was refused.
    func refusal(_ availability: Availability, now: NIODeadline) -> CallMachine.Refusal {
        CallMachine.Refusal(availability: availability, account: account.availability(now: now).isAvailable ? nil : account.refusal)
    }

    /// Closes the breakers of the model and of its provider's account, and forgets the statistics. What limits count
    /// stays.
    package func reset() {
        breaker.reset()
        account.reset()
        statistics.reset()
    }

    package func view(now: NIODeadline) -> ModelStateView {
        let value = breaker.value, account = BreakerPhase(account.value, now: now)
        return ModelStateView(
            availability: availability(now: now), breaker: BreakerPhase(value, now: now).or(account), account: account,
            failuresInRow: value.failuresInRow, opening: account == .closed ? breaker.opening : self.account.opening,
            statistics: statistics.summary(now: now), inFlight: attemptsInFlight.value, limits: limits.own?.view(now: now))
    }

    fileprivate func proceed(
        with admission: consuming LimitChain.QueuedAdmission, _ now: NIODeadline, _ allowsEarlyProbe: Bool
    ) -> QueuedAdmission {
        switch consume admission {
        case .granted(let permit):
            switch enter(permit, now, allowsEarlyProbe) {
            case .granted(let permit): .granted(permit)
            case .refused(let availability): .refused(availability)
            }
        case .queued(let ticket): .queued(AttemptTicket(state: self, ticket: ticket, allowsEarlyProbe: allowsEarlyProbe))
        case .refused(let availability): .refused(availability)
        }
    }

    private func breakerAvailability(_ now: NIODeadline) -> Availability {
        account.availability(now: now).and(breaker.availability(now: now))
    }

    /// The refusal that the breakers would give, checked before anything is taken.
    private func refusal(_ now: NIODeadline, _ allowsEarlyProbe: Bool) -> Availability? {
        let availability = breakerAvailability(now)
        if case .open = availability, allowsEarlyProbe { return nil }
        return availability.isAvailable ? nil : availability
    }

    private func enter(_ permit: consuming LimitPermit?, _ now: NIODeadline, _ allowsEarlyProbe: Bool) -> Admission {
        switch account.enter(now: now, allowsEarlyProbe: allowsEarlyProbe) {
        case .admitted(let accountPass):
            switch breaker.enter(now: now, allowsEarlyProbe: allowsEarlyProbe) {
            case .admitted(let pass):
                attemptsInFlight.increment()
                return .granted(AttemptPermit(state: self, pass: pass, accountPass: accountPass, limits: permit))
            case .refused(let availability):
                account.cancel(accountPass, now: now)
                permit?.giveBack(now: now)
                return .refused(availability)
            }
        case .refused(let availability):
            permit?.giveBack(now: now)
            return .refused(availability)
        }
    }
}

/// A place in the queue for a slot of a model. It must be ended exactly once: with `claim` after its grant, or with
/// `cancel` at any time.
package struct AttemptTicket: ~Copyable, Sendable {
    fileprivate let state: ModelState
    fileprivate let ticket: SlotTicket
    fileprivate let allowsEarlyProbe: Bool

    /// Continues with the granted slot. If the breaker has opened or the tokens of the minute are used up in the
    /// meantime, the attempt is refused and the next waiter gets the slot.
    package consuming func claim(now: NIODeadline) -> ModelState.QueuedAdmission {
        let (state, allowsEarlyProbe) = (state, allowsEarlyProbe)
        return state.proceed(with: ticket.claim(now: now), now, allowsEarlyProbe)
    }

    package consuming func cancel() {
        ticket.cancel()
    }
}
