import Codecs
import HTTPWire
import NIOCore
import ProviderKit

/// Refusals after which the router sends the request again itself: with a repair, or with another key.
extension Attempt {
    /// The body of a refusal is complete: the request is sent again with a repair, if the provider knows one;
    /// else the attempt has failed.
    func refused() {
        var error = upstreamError()
        let bytes = errorBody
        // A proxy's page, or no body at all, is in no format.
        if translation == nil, (try? JSON.members(of: bytes.readableBytesSpan)) != nil { error.body = String(buffer: bytes) }
        repair(error, refusal: bytes.readableBytesSpan, orElse: error)
    }

    /// A successful response contains an error. Until the client has got a part of it, that is a refusal with 400.
    func refused(inside reported: ProviderError) {
        let error = withoutEcho(reported)
        guard !isCommitted, error.failure == .clientError || error.failure == .unsupported else { return fail(error) }
        var refusal = error
        refusal.status = error.status ?? 400
        let body = error.encoded
        repair(refusal, refusal: body.span.bytes, orElse: error)
    }

    /// Sends the request again with the repair that the provider knows for a refusal.
    ///
    /// - Parameters:
    ///   - bytes: the body of the refusal.
    ///   - error: the failure of the attempt if there is no repair.
    private func repair(_ refused: ProviderError, refusal bytes: RawSpan, orElse error: ProviderError) {
        let body = call.request.body.bytes
        guard
            let repair = translator.repair(of: providerCall, body: body.readableBytesSpan, refusedWith: refused, refusal: bytes),
            call.mayRepair(self, with: repair)
        else { return fail(error) }
        becomeRepeated()
        call.repeatRequest(of: self, after: call.snapshot.mask(error), with: repair)
    }

    /// The failure of the attempt; nil if the request is sent again with another key.
    ///
    /// A key that the provider limits or refuses cools down. If no other key is left, the failure is that of the
    /// provider: it is refused only if every key is, and otherwise limited until the first key is due.
    func failureAfterKeyChange(_ error: ProviderError) -> ProviderError? {
        guard let reason = KeyRing.Reason(error.failure), provider.pool != nil else { return error }
        let now = NIODeadline.now()
        guard let keys = provider.instance.keys else {
            guard reason == .refused, !isCommitted, changedKeys == 0, provider.instance.hasNewToken(since: startedAt, now: now),
                call.mayChangeKey(self, hasOther: true)
            else { return error }
            repeatWithOtherKey(after: error)
            return nil
        }
        // A key may chat that may not count.
        guard call.request.operation.isMeasured else { return error }
        let failure = keys.failed(Int(key), reason, wait: error.retryAfter, now: now)
        if failure.isNew {
            call.loop.report(
                call.snapshot.mask(error), ofKey: Int(key) + 1, of: keys.count, provider: provider.name, until: failure.until)
        }
        if !isCommitted, call.mayChangeKey(self, hasOther: failure.hasOther) {
            repeatWithOtherKey(after: error)
            return nil
        }
        guard let due = failure.firstDue else { return error }
        let wait: Duration = max(due - now, .zero)
        switch reason {
        case .limited:
            var limited = error
            limited.retryAfter = wait
            return limited
        case .refused:
            // Nothing of the refusal is kept: a client would take its 401 for a refusal of the client's own key.
            return ProviderError(
                .rateLimited, status: 429, message: "each of the provider's keys is limited or refused", code: "rate_limit_exceeded",
                retryAfter: wait)
        }
    }

    private func repeatWithOtherKey(after error: ProviderError) {
        becomeRepeated()
        call.repeatRequestWithOtherKey(of: self, after: call.snapshot.mask(error))
    }
}
