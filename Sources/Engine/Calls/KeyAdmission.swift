import HTTPWire
import NIOCore
import ProviderKit

/// A request's place under the limits of its client's key. It is taken when the request's head has arrived: a client
/// beyond its limits is refused, or waits, before its body is read.
package final class KeyAdmission {  // confined to its event loop
    package enum Progress {
        case admitted
        /// In the queue for a slot of the key's `concurrent` limit; `onEnd` follows.
        case waiting
        case refused(CallFailure)
    }

    private let loop: EngineLoop
    private let limits: LimitChain
    private let key: String
    private let queueTime: Duration
    private var permit: LimitPermit?
    /// The place in the queue, while the request waits.
    private var ticket: SlotTicket?
    private var onEnd: ((CallFailure?) -> Void)?
    private var timeout: Scheduled<Void>?
    private var waitsSince: NIODeadline?
    /// How long the request waited in the queue.
    private(set) var waitTime: Duration = .zero

    /// nil if the key has no limits.
    package static func make(loop: EngineLoop, snapshot: Snapshot, key: String?) -> KeyAdmission? {
        guard let key, let limits = snapshot.limits(ofKey: key) else { return nil }
        return KeyAdmission(loop, limits, key, queueTime: snapshot.policy.defaults.timeouts.queue)
    }

    private init(_ loop: EngineLoop, _ limits: LimitChain, _ key: String, queueTime: Duration) {
        self.loop = loop
        self.limits = limits
        self.key = key
        self.queueTime = queueTime
    }

    /// Takes a slot and one request, or waits in the queue for the slot.
    ///
    /// - Parameter onEnd: called once if the request had to wait: with nil when it is admitted, else with its refusal.
    package func begin(onEnd: @escaping (CallFailure?) -> Void) -> Progress {
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

    /// Takes the tokens of the request once its body is known. Returns the refusal if they exceed the key's limit; the
    /// request then counts as never sent.
    func take(tokens: Int) -> CallFailure? {
        guard let until = permit?.take(moreTokens: tokens, now: .now()) else { return nil }
        abandon()
        return limited(until: until)
    }

    /// Releases the slot of a call that has ended, and settles its tokens.
    ///
    /// - Parameter usedTokens: nil keeps the estimate.
    func end(usedTokens: Int?) {
        permit.take()?.end(usedTokens: usedTokens, now: .now())
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
