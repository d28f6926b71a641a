import HTTPWire
import NIOCore
import ProviderKit

extension RunningCall {
    /// A key's limits come before everything: what they refuse costs no model anything.
    func admit(by limits: LimitChain) {
        goOnWithKey(limits.wait(tokens: request.reservedTokens, fairness: nil, now: .now(), onGrant: grantForThisWait()))
    }

    func goOnWithKey(_ admission: consuming LimitChain.QueuedAdmission) {
        switch consume admission {
        case .granted(let permit):
            keyPermit = consume permit
            tryNext()
        case .queued(let ticket):
            keySlot = consume ticket
            wait(for: .key, until: min(.now() + snapshot.policy.timeouts.queue, deadline))
        case .refused(.limited(let until)):
            refuseKey("has used up its requests or tokens for this minute", retryAfter: until - .now())
        case .refused:
            refuseKey("has as many requests under way as it may, and as many waiting", retryAfter: .seconds(1))
        }
    }

    func refuseKey(_ reason: String, retryAfter: Duration) {
        let error = ProviderError(.rateLimited, message: "the key '\(request.key ?? "")' \(reason)", code: "rate_limit_exceeded")
        end(CallFailure(cause: .unavailable, status: 429, error: error, retryAfter: retryAfter))
    }

    /// Gives back what wasn't used. A call that reached no model costs its key a request, and no tokens.
    func releaseKey() {
        keyPermit.take()?.end(usedTokens: record.usage.usage.totalTokens, now: .now())
    }
}
