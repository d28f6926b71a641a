import Codecs
import ProviderKit

/// The errors that upstreams report, judged without what they repeat of the request.
extension Attempt {
    func upstreamError() -> ProviderError {
        let bytes = errorBody, head = head ?? UpstreamHead(status: 502)
        var error = translator.failure(head: head, body: bytes.readableBytesSpan)
        let request = call.request.body.bytes
        if error.failure.keepsOthersAway, let blanked = RequestEcho.blanked(bytes.readableBytesSpan, repeating: request.readableBytesSpan) {
            let other = translator.failure(head: head, body: blanked.span.bytes)
            (error.failure, error.retryAfter) = (other.failure, other.retryAfter)
        }
        return error.atModel(providerCall.model)
    }

    /// An error inside a successful response, judged without what it repeats of the request.
    func withoutEcho(_ error: ProviderError) -> ProviderError {
        guard error.failure.keepsOthersAway else { return error }
        let body = error.encoded, request = call.request.body.bytes
        guard let blanked = RequestEcho.blanked(body.span.bytes, repeating: request.readableBytesSpan) else { return error }
        var other = error
        other.failure = ErrorBody(blanked.span.bytes)?.failureClass(status: error.status) ?? .upstreamError
        if other.failure != error.failure { other.retryAfter = nil }
        return other
    }
}

extension ProviderError {
    /// What the upstream has reported, as an object.
    var encoded: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("message", message)
            if let code { $0.member("code", code) }
            if let type { $0.member("type", type) }
            if let param { $0.member("param", param) }
        }
        return writer.bytes
    }
}

extension FailureClass {
    /// Whether it keeps other requests away from the model or its provider.
    fileprivate var keepsOthersAway: Bool { self == .providerRejected || self == .notFound || self == .rateLimited }
}
