import Codecs
import Engine
import ProviderKit

extension APIError {
    /// The error that ends a stream after its head was sent.
    init(afterCommit failure: CallFailure) {
        switch failure.cause {
        case .shuttingDown: self.init(503, failure.error.message, code: "shutting_down")
        case .allFailed, .upstream, .total, .unavailable, .clientLeft:
            self.init(failure.status, failure.error.message, code: failure.error.code ?? "upstream_truncated", param: failure.error.param)
            upstreamType = failure.error.type
        }
    }

    /// Writes the member `"error": {…}` of an event. It includes `status`, because the HTTP status has already been
    /// sent.
    func writeAsEvent(to writer: inout JSONWriter) {
        writer.key("error")
        writer.object {
            $0.member("message", message)
            $0.member("type", type)
            $0.member("param", param)
            $0.member("code", code)
            $0.member("status", status)
        }
    }
}
