import HTTPWire
import NIOCore
import ProviderKit

/// Refusals that the router can repair itself.
extension Attempt {
    /// The body of a refusal is complete: the request is sent again with a repair, if the provider knows one;
    /// else the attempt has failed.
    func refused() {
        var error = upstreamError()
        let bytes = errorBody, body = call.request.body.bytes
        if translation == nil { error.body = String(buffer: bytes) }
        guard
            let repair = translator.repair(
                of: providerCall, body: body.readableBytesSpan, refusedWith: error, refusal: bytes.readableBytesSpan),
            call.mayRepair(self, with: repair)
        else { return fail(error) }
        becomeRepaired()
        call.repeatRequest(of: self, after: call.snapshot.mask(error), with: repair)
    }
}
