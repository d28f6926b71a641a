package import NIOCore

/// The limiters that an attempt passes, the narrowest first: a model's own and its provider's; a key's alone for a request.
package struct LimitChain: Sendable {
    package let own: Limiter?
    package let shared: Limiter?

    package init(own: Limiter?, shared: Limiter? = nil) {
        self.own = own
        self.shared = shared
    }

    package enum Admission: ~Copyable, Sendable {
        case granted(LimitPermit)
        /// `limited` or `full`.
        case refused(Availability)
    }

    package enum QueuedAdmission: ~Copyable, Sendable {
        case granted(LimitPermit)
        case queued(SlotTicket)
        /// `limited`, or `full` where the queue is full too.
        case refused(Availability)
    }

    package var isEmpty: Bool { own == nil && shared == nil }

    /// What the smallest request would meet. Takes no lock.
    package func availability(now: NIODeadline) -> Availability {
        if let until = limitedUntil(now) { return .limited(until: until) }
        return own?.gate?.isFull == true || shared?.gate?.isFull == true ? .full : .ready
    }

    /// Takes a slot, a request and so many tokens of each, or nothing of any.
    package func begin(tokens: Int, now: NIODeadline) -> Admission {
        // Refused early, an attempt doesn't hold for a moment what another could have.
        if let until = limitedUntil(now) { return .refused(.limited(until: until)) }
        guard own?.gate?.tryEnter() ?? true else { return .refused(.full) }
        guard shared?.gate?.tryEnter() ?? true else {
            own?.gate?.leave()
            return .refused(.full)
        }
        return takeTokens(tokens, now)
    }

    /// As `begin`, but where a slot is wanting it queues for it: first for its own, then, with that in hand, for the shared one. Requests and tokens are
    /// taken when the slots are there.
    ///
    /// - Parameter onGrant: the ticket is to be claimed. Called once for each `queued`, on any thread, maybe before this returns; the client hops to where
    ///   it keeps the ticket.
    package func wait(tokens: Int, fairness: String?, now: NIODeadline, onGrant: @escaping ConcurrencyGate.Grant) -> QueuedAdmission {
        if let until = limitedUntil(now) { return .refused(.limited(until: until)) }
        let waiter = SlotWaiter(tokens: tokens, fairness: fairness, onGrant: onGrant)
        guard let gate = own?.gate else { return waitForShared(waiter, now) }
        switch gate.enter(fairness: fairness, onGrant: onGrant) {
        case .entered: return waitForShared(waiter, now)
        case .queued(let ticket): return .queued(SlotTicket(chain: self, waiter: waiter, gate: gate, ticket: ticket, holdsOwn: false))
        case .full: return .refused(.full)
        }
    }

    /// With its own slot in hand.
    fileprivate func waitForShared(_ waiter: SlotWaiter, _ now: NIODeadline) -> QueuedAdmission {
        guard let gate = shared?.gate else { return finish(waiter, now) }
        switch gate.enter(fairness: waiter.fairness, onGrant: waiter.onGrant) {
        case .entered:
            return finish(waiter, now)
        case .queued(let ticket):
            return .queued(SlotTicket(chain: self, waiter: waiter, gate: gate, ticket: ticket, holdsOwn: true))
        case .full:
            own?.gate?.leave()
            return .refused(.full)
        }
    }

    /// With both slots in hand.
    fileprivate func finish(_ waiter: SlotWaiter, _ now: NIODeadline) -> QueuedAdmission {
        switch takeTokens(waiter.tokens, now) {
        case .granted(let permit): .granted(permit)
        case .refused(let availability): .refused(availability)
        }
    }

    fileprivate func leave() {
        shared?.gate?.leave()
        own?.gate?.leave()
    }

    private func takeTokens(_ tokens: Int, _ now: NIODeadline) -> Admission {
        var taken: Limiter.Reservation?
        if let own {
            switch own.take(tokens: tokens, now: now) {
            case .taken(let reservation): taken = reservation
            case .refused(let wait):
                leave()
                return .refused(.limited(until: now + wait))
            }
        }
        guard let shared else { return .granted(LimitPermit(chain: self, own: taken, shared: nil)) }
        switch shared.take(tokens: tokens, now: now) {
        case .taken(let reservation):
            return .granted(LimitPermit(chain: self, own: taken, shared: reservation))
        case .refused(let wait):
            if let taken { own?.giveBack(taken, now: now) }
            leave()
            return .refused(.limited(until: now + wait))
        }
    }

    private func limitedUntil(_ now: NIODeadline) -> NIODeadline? {
        guard let first = own?.limitedUntil(now: now) else { return shared?.limitedUntil(now: now) }
        return max(first, shared?.limitedUntil(now: now) ?? first)
    }
}

/// What an attempt, or a key's request, holds of its limits. Ended once: with `end` or `giveBack`.
package struct LimitPermit: ~Copyable, Sendable {
    fileprivate let chain: LimitChain
    fileprivate let own: Limiter.Reservation?
    fileprivate let shared: Limiter.Reservation?

    /// - Parameter usedTokens: what it cost; nil leaves the estimate as it was taken.
    package consuming func end(usedTokens: Int?, now: NIODeadline) {
        if let usedTokens {
            if let own { chain.own?.settle(own, usedTokens: usedTokens, now: now) }
            if let shared { chain.shared?.settle(shared, usedTokens: usedTokens, now: now) }
        }
        chain.leave()
    }

    /// Nothing was sent: neither a request nor a token counts.
    package consuming func giveBack(now: NIODeadline) {
        if let own { chain.own?.giveBack(own, now: now) }
        if let shared { chain.shared?.giveBack(shared, now: now) }
        chain.leave()
    }
}

private struct SlotWaiter: Sendable {
    var tokens: Int
    var fairness: String?
    var onGrant: ConcurrencyGate.Grant
}

/// A place in a gate's queue. Ended once: with `claim` after its grant, or with `cancel` at any time; so no slot is ever lost.
package struct SlotTicket: ~Copyable, Sendable {
    fileprivate let chain: LimitChain
    fileprivate let waiter: SlotWaiter
    fileprivate let gate: ConcurrencyGate
    fileprivate let ticket: ConcurrencyGate.Ticket
    /// It waits for the shared slot with its own in hand.
    fileprivate let holdsOwn: Bool

    /// Goes on with the slot that was granted: maybe into the next queue, with the same `onGrant`. Before its grant it stays queued.
    package consuming func claim(now: NIODeadline) -> LimitChain.QueuedAdmission {
        if gate.isQueued(ticket) { return .queued(self) }
        return holdsOwn ? chain.finish(waiter, now) : chain.waitForShared(waiter, now)
    }

    package consuming func cancel() {
        if !gate.cancel(ticket) { gate.leave() }
        if holdsOwn { chain.own?.gate?.leave() }
    }
}
