import HTTPWire
import NIOCore
import ProviderKit

/// A request's place under the limits and the budget of its client's key. It is taken when the request's head has
/// arrived: a client beyond its limits is refused, or waits, before its body is read.
package final class KeyAdmission {  // confined to its event loop
    package enum Progress {
        case admitted
        /// In the queue for a slot of the key's `concurrent` limit; `onEnd` follows.
        case waiting
        case refused(CallFailure)
    }

    let loop: EngineLoop
    let limits: LimitChain
    let budget: KeyBudget?
    let key: String
    private let queueTime: Duration
    /// What several routers count together; nil: this router counts alone.
    let sharing: KeySharing?
    var permit: LimitPermit?
    /// The place in the queue, while the request waits.
    private var ticket: SlotTicket?
    var onEnd: ((CallFailure?) -> Void)?
    private var timeout: Scheduled<Void>?
    /// What the running call may cost, as far as the router counts it itself.
    var reserved: Spending?
    /// What the shared store knows of the running call.
    var share = KeySharing.Share.none
    private var waitsSince: NIODeadline?
    /// How long the request waited in the queue.
    private(set) var waitTime: Duration = .zero

    /// nil if the key has neither limits nor a budget.
    package static func make(loop: EngineLoop, snapshot: Snapshot, key: Int?) -> KeyAdmission? {
        guard let key, snapshot.hasBoundedKeys else { return nil }
        let definition = snapshot.policy.keys[key]
        let limits = snapshot.limits(ofKey: definition.name), budget = snapshot.budget(of: definition)
        guard limits != nil || budget != nil else { return nil }
        return KeyAdmission(
            loop, limits ?? LimitChain(own: nil), budget, definition.name, queueTime: snapshot.policy.defaults.timeouts.queue,
            KeySharing(loop, snapshot, definition))
    }

    private init(
        _ loop: EngineLoop, _ limits: LimitChain, _ budget: KeyBudget?, _ key: String, queueTime: Duration, _ sharing: KeySharing?
    ) {
        self.loop = loop
        self.limits = limits
        self.budget = budget
        self.key = key
        self.queueTime = queueTime
        self.sharing = sharing
    }

    /// Takes a slot and one request, or waits in the queue for the slot.
    ///
    /// - Parameter onEnd: called once if the request had to wait: with nil when it is admitted, else with its refusal.
    package func begin(onEnd: @escaping (CallFailure?) -> Void) -> Progress {
        if sharing == nil, let failure = budget?.refusal(ofKey: key, now: WallClock.second) { return .refused(failure) }
        let bound = NIOLoopBound(self, eventLoop: loop.eventLoop), eventLoop = loop.eventLoop
        let admission = limits.wait(tokens: 0, fairnessKey: nil, now: .now()) { eventLoop.execute { bound.value.slotGranted() } }
        switch proceed(with: admission) {
        case .waiting:
            self.onEnd = onEnd
            waitsSince = .now()
            timeout = eventLoop.scheduleTask(in: TimeAmount(queueTime)) { bound.value.timedOut() }
            return .waiting
        case let progress:
            return progress
        }
    }

    private func proceed(with admission: consuming LimitChain.QueuedAdmission) -> Progress {
        switch consume admission {
        case .granted(let permit):
            self.permit = consume permit
            return .admitted
        case .queued(let ticket):
            self.ticket = consume ticket
            return .waiting
        case .refused(.limited(let until)):
            return .refused(limited(until: until))
        case .refused:
            return .refused(failure("is at its limit of concurrent requests, and its queue is full", retryAfter: .seconds(1)))
        }
    }

    private func slotGranted() {
        // A request that has left the queue has already given its slot back.
        guard let ticket = ticket.take() else { return }
        switch proceed(with: ticket.claim(now: .now())) {
        case .admitted: end(nil)
        case .waiting: break
        case .refused(let failure): end(failure)
        }
    }

    private func timedOut() {
        guard let ticket = ticket.take() else { return }
        ticket.cancel()
        end(
            failure(
                "is at its limit of concurrent requests, and no slot became free within 'timeouts.queue'", retryAfter: .seconds(1)))
    }

    private func end(_ failure: CallFailure?) {
        timeout?.cancel()
        timeout = nil
        if let since = waitsSince.take() { waitTime = .now() - since }
        onEnd.take()?(failure)
    }

    /// Takes the tokens of the request once its body is known, and reserves what it may cost. A request that exceeds
    /// the key's limit or its budget counts as never sent.
    ///
    /// - Parameters:
    ///   - lifetime: how long the call can last.
    ///   - spending: called if the key has a budget.
    ///   - onEnd: called once if a shared store has to decide: with nil when the request is admitted, else with its
    ///     refusal.
    func take(tokens: Int, lifetime: Duration, spending: () -> Spending, onEnd: @escaping (CallFailure?) -> Void) -> Progress {
        let amount = budget == nil ? Spending() : spending()
        if let sharing { return take(tokens, amount, lifetime, from: sharing, onEnd: onEnd) }
        return takeAlone(tokens, amount).map { .refused($0) } ?? .admitted
    }

    /// Takes everything by the router's own counts.
    func takeAlone(_ tokens: Int, _ amount: Spending) -> CallFailure? {
        if let until = permit?.take(moreTokens: tokens, now: .now()) {
            abandon()
            return limited(until: until)
        }
        guard let budget else { return nil }
        if let failure = budget.begin(amount, ofKey: key, now: WallClock.second) {
            abandon()
            return failure
        }
        reserved = amount
        return nil
    }

    /// Releases the slot of a call that has ended, and settles its tokens and its cost.
    func end(usedTokens: Int, spent: Spending) {
        onEnd = nil
        permit.take()?.end(usedTokens: usedTokens, now: .now())
        if let sharing {
            // What the store says next takes the place of the router's own sum.
            if share.isRunning { reserved = reserved ?? Spending() }
            settle(usedTokens: usedTokens, spent: spent, in: sharing)
        }
        guard let budget, let reserved = reserved.take() else { return }
        if budget.account.end(reserved, spent: spent, budget.terms, now: WallClock.second) { loop.report(budget.terms, usedUpBy: key) }
    }

    /// Gives everything back, because the request led to no call. Does nothing after the end of its call.
    package func abandon() {
        onEnd = nil
        timeout?.cancel()
        ticket.take()?.cancel()
        permit.take()?.giveBack(now: .now())
    }

    func limited(until: NIODeadline) -> CallFailure {
        failure("has used up its requests or tokens for this minute; retry later", retryAfter: until - .now())
    }

    /// A 429.
    ///
    /// - Parameter reason: the rest of the sentence "the key 'NAME' …".
    private func failure(_ reason: String, retryAfter: Duration) -> CallFailure {
        CallFailure(
            cause: .unavailable, status: 429,
            error: ProviderError(.rateLimited, message: "the key '\(key)' \(reason)", code: "rate_limit_exceeded"), retryAfter: retryAfter)
    }
}
