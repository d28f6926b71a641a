import HTTPWire
import NIOCore
import ProviderKit

extension RunningCall {
    /// Checks the key's limits before anything else, so that a refused request doesn't count at any model.
    func admit(by limits: LimitChain) {
        continueWithKey(limits.wait(tokens: request.reservedTokens, fairnessKey: nil, now: .now(), onGrant: makeGrantHandler()))
    }

    func continueWithKey(_ admission: consuming LimitChain.QueuedAdmission) {
        switch consume admission {
        case .granted(let permit):
            keyPermit = consume permit
            callNext()
        case .queued(let ticket):
            keySlot = consume ticket
            wait(for: .key, until: min(.now() + snapshot.policy.defaults.timeouts.queue, deadline))
        case .refused(.limited(let until)):
            refuseKey("has used up its requests or tokens for this minute; retry later", retryAfter: until - .now())
        case .refused:
            refuseKey("is at its limit of concurrent requests, and its queue is full", retryAfter: .seconds(1))
        }
    }

    /// Ends the call with a 429.
    ///
    /// - Parameter reason: the rest of the sentence "the key 'NAME' …".
    func refuseKey(_ reason: String, retryAfter: Duration) {
        let error = ProviderError(.rateLimited, message: "the key '\(request.key ?? "")' \(reason)", code: "rate_limit_exceeded")
        end(CallFailure(cause: .unavailable, status: 429, error: error, retryAfter: retryAfter))
    }

    /// Releases the key's slot and settles its tokens. A call that reached no model costs its key one request and no
    /// tokens.
    func releaseKey() {
        keyPermit.take()?.end(usedTokens: record.usage.usage.totalTokens, now: .now())
    }
}
