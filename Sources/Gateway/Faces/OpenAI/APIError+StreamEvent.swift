import Engine
import ProviderKit

extension APIError {
    /// The error that ends a stream after its head was sent.
    init(afterCommit failure: CallFailure) {
        switch failure.cause {
        case .shuttingDown: self.init(503, failure.error.message, code: "shutting_down")
        case .allFailed, .upstream, .total, .unavailable, .overBudget, .clientLeft:
            self.init(failure.status, failure.error.message, code: failure.error.code ?? "upstream_truncated", param: failure.error.param)
            upstreamType = failure.error.type
        }
    }
}
