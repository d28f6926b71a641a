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

    private let loop: EngineLoop
    private let limits: LimitChain
    private let budget: KeyBudget?
    private let key: String
    private let queueTime: Duration
    private var permit: LimitPermit?
    /// The place in the queue, while the request waits.
    private var ticket: SlotTicket?
    private var onEnd: ((CallFailure?) -> Void)?
    private var timeout: Scheduled<Void>?
    /// What the running call may cost.
    private var reserved: Spending?
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
            loop, limits ?? LimitChain(own: nil), budget, definition.name, queueTime: snapshot.policy.defaults.timeouts.queue)
    }

    private init(_ loop: EngineLoop, _ limits: LimitChain, _ budget: KeyBudget?, _ key: String, queueTime: Duration) {
        self.loop = loop
        self.limits = limits
        self.budget = budget
        self.key = key
        self.queueTime = queueTime
    }

    /// Takes a slot and one request, or waits in the queue for the slot.
    ///
    /// - Parameter onEnd: called once if the request had to wait: with nil when it is admitted, else with its refusal.
    package func begin(onEnd: @escaping (CallFailure?) -> Void) -> Progress {
        if let failure = budget?.refusal(ofKey: key, now: WallClock.second) { return .refused(failure) }
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

    /// Takes the tokens of the request once its body is known, and reserves what it may cost. Returns the refusal if
    /// that exceeds the key's limit or its budget; the request then counts as never sent.
    ///
    /// - Parameter spending: called if the key has a budget.
    func take(tokens: Int, spending: () -> Spending) -> CallFailure? {
        if let until = permit?.take(moreTokens: tokens, now: .now()) {
            abandon()
            return limited(until: until)
        }
        guard let budget else { return nil }
        let amount = spending()
        if let failure = budget.begin(amount, ofKey: key, now: WallClock.second) {
            abandon()
            return failure
        }
        reserved = amount
        return nil
    }

    /// Releases the slot of a call that has ended, and settles its tokens and its cost.
    func end(usedTokens: Int, spent: Spending) {
        permit.take()?.end(usedTokens: usedTokens, now: .now())
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

    private func limited(until: NIODeadline) -> CallFailure {
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
