package import NIOCore

/// The limiters that a request must pass, the narrowest first. An attempt passes the limiter of its model (`own`) and
/// that of its provider (`shared`). A request passes the limiter of its key (`own`).
package struct LimitChain: Sendable {
    package let own: Limiter?
    package let shared: Limiter?

    package init(own: Limiter?, shared: Limiter? = nil) {
        self.own = own
        self.shared = shared
    }

    package enum Admission: ~Copyable, Sendable {
        case granted(LimitPermit)
        /// Either `limited` or `full`.
        case refused(Availability)
    }

    package enum QueuedAdmission: ~Copyable, Sendable {
        case granted(LimitPermit)
        case queued(SlotTicket)
        /// Either `limited`, or `full` if the queue is full too.
        case refused(Availability)
    }

    package var isEmpty: Bool { own == nil && shared == nil }

    /// Whether a full gate has no place left in its queue.
    var isQueueFull: Bool { [own?.gate, shared?.gate].contains { $0.map { $0.isFull && $0.waiting >= $0.slots } ?? false } }

    /// Frees a slot of each full gate, as the ends of other attempts would.
    func freeSlots() {
        for gate in [own?.gate, shared?.gate] where gate?.isFull == true { gate?.leave() }
    }

    /// The availability for the smallest possible request. Takes no lock.
    package func availability(now: NIODeadline) -> Availability {
        if let until = limitedUntil(now) { return .limited(until: until) }
        return own?.gate?.isFull == true || shared?.gate?.isFull == true ? .full : .ready
    }

    /// Takes a slot, one request and the tokens from every limiter, or nothing from any of them.
    package func begin(tokens: Int, now: NIODeadline) -> Admission {
        // An early refusal keeps this attempt from briefly taking a slot that another attempt could use.
        if let until = limitedUntil(now) { return .refused(.limited(until: until)) }
        guard own?.gate?.tryEnter() ?? true else { return .refused(.full) }
        guard shared?.gate?.tryEnter() ?? true else {
            own?.gate?.leave()
            return .refused(.full)
        }
        return takeTokens(tokens, now)
    }

    /// Like `begin`, but waits in a queue if no slot is free: first for a slot of `own`, then, while it keeps that
    /// slot, for one of `shared`. Requests and tokens are taken once both slots are taken.
    ///
    /// - Parameter onGrant: called once for each `queued` when its ticket must be claimed. It may run on any thread,
    ///   and possibly before this function returns, so it must hop to the event loop that owns the ticket.
    package func wait(tokens: Int, fairnessKey: String?, now: NIODeadline, onGrant: @escaping ConcurrencyGate.Grant) -> QueuedAdmission {
        if let until = limitedUntil(now) { return .refused(.limited(until: until)) }
        let waiter = SlotWaiter(tokens: tokens, fairnessKey: fairnessKey, onGrant: onGrant)
        guard let gate = own?.gate else { return waitForShared(waiter, now) }
        switch gate.enter(fairnessKey: fairnessKey, onGrant: onGrant) {
        case .entered: return waitForShared(waiter, now)
        case .queued(let ticket): return .queued(SlotTicket(chain: self, waiter: waiter, gate: gate, ticket: ticket, hasOwnSlot: false))
        case .full: return .refused(.full)
        }
    }

    /// Continues once the slot of `own` is taken.
    fileprivate func waitForShared(_ waiter: SlotWaiter, _ now: NIODeadline) -> QueuedAdmission {
        guard let gate = shared?.gate else { return finish(waiter, now) }
        switch gate.enter(fairnessKey: waiter.fairnessKey, onGrant: waiter.onGrant) {
        case .entered:
            return finish(waiter, now)
        case .queued(let ticket):
            return .queued(SlotTicket(chain: self, waiter: waiter, gate: gate, ticket: ticket, hasOwnSlot: true))
        case .full:
            own?.gate?.leave()
            return .refused(.full)
        }
    }

    /// Continues once both slots are taken.
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

/// The slots, the request and the tokens that were taken from a chain of limiters.
/// It must be ended exactly once: with `end` or `giveBack`.
package struct LimitPermit: ~Copyable, Sendable {
    fileprivate let chain: LimitChain
    fileprivate private(set) var own: Limiter.Reservation?
    fileprivate let shared: Limiter.Reservation?

    /// Takes the tokens of a request that was admitted before they were known, under `own` only. Returns nil if they
    /// are taken, else the time at which they fit.
    ///
    /// - Parameter isDecided: whether the shared store has taken them already.
    package mutating func take(moreTokens tokens: Int, now: NIODeadline, isDecided: Bool = false) -> NIODeadline? {
        guard var reservation = own, let limiter = chain.own else { return nil }
        defer { own = reservation }
        return limiter.take(moreTokens: tokens, for: &reservation, now: now, isDecided: isDecided).map { now + $0 }
    }

    /// - Parameter usedTokens: the tokens that were used; nil keeps the estimate.
    package consuming func end(usedTokens: Int?, now: NIODeadline) {
        if let usedTokens {
            if let own { chain.own?.settle(own, usedTokens: usedTokens, now: now) }
            if let shared { chain.shared?.settle(shared, usedTokens: usedTokens, now: now) }
        }
        chain.leave()
    }

    /// Returns everything because nothing was sent: neither the request nor any token counts.
    package consuming func giveBack(now: NIODeadline) {
        if let own { chain.own?.giveBack(own, now: now) }
        if let shared { chain.shared?.giveBack(shared, now: now) }
        chain.leave()
    }
}

private struct SlotWaiter: Sendable {
    var tokens: Int
    var fairnessKey: String?
    var onGrant: ConcurrencyGate.Grant
}

/// A place in the queue of a gate. It must be ended exactly once, so that no slot is lost: with `claim` after its
/// grant, or with `cancel` at any time.
package struct SlotTicket: ~Copyable, Sendable {
    fileprivate let chain: LimitChain
    fileprivate let waiter: SlotWaiter
    fileprivate let gate: ConcurrencyGate
    fileprivate let ticket: ConcurrencyGate.Ticket
    /// Whether the slot of `own` is already taken, so that the ticket waits for the slot of `shared`.
    fileprivate let hasOwnSlot: Bool

    /// Continues with the granted slot, possibly into the next queue with the same `onGrant`. A ticket without a grant
    /// stays queued.
    package consuming func claim(now: NIODeadline) -> LimitChain.QueuedAdmission {
        if gate.isQueued(ticket) { return .queued(self) }
        return hasOwnSlot ? chain.finish(waiter, now) : chain.waitForShared(waiter, now)
    }

    package consuming func cancel() {
        if !gate.cancel(ticket) { gate.leave() }
        if hasOwnSlot { chain.own?.gate?.leave() }
    }
}
