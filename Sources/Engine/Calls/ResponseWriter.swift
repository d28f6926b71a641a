package import NIOCore
package import ProviderKit

/// The client's side of a call: it encodes the response for the endpoint that was asked. All on the call's event loop, in this order:
/// `begin`, `write`…, perhaps `begin` again for the next attempt, `commit`, `write` and `flush`…, then one of `finish` and `fail`.
package protocol ResponseWriter: AnyObject {
    /// An attempt begins. What an earlier one staged is forgotten.
    func begin(_ record: CallRecord)
    /// Parts of the response; ranges count from the reader index of `bytes`. Until `commit` they are staged, not sent.
    func write(_ parts: [ResponsePart], of bytes: ByteBuffer)
    /// Bytes that are staged, or held back for another reason.
    var stagedBytes: Int { get }
    /// The upstream is really answering: no other model will be asked. Only for streams.
    func commit(_ record: CallRecord)
    /// The stream broke, and another model goes on where it did: what follows is written after what was sent.
    func resume(_ record: CallRecord)
    /// A read has ended; what was written since goes out.
    func flush()
    /// The response is whole.
    func finish(_ record: CallRecord)
    /// The call has failed, before or after the commit; `cancelled` where the client has left.
    func fail(_ failure: CallFailure, _ record: CallRecord)
}

/// What is known of a call: the source of `_router`, the headers, the access log and the metrics. One for each call; it grows while the call runs, on the
/// call's event loop.
package final class CallRecord {
    /// The attempt under way, or the one that answered. nil before the first.
    package var provider: String?
    package var model: String?
    package let route: String?
    /// Attempts made, this one included.
    package var attempts = 0
    package var isFallback = false
    /// The failed attempts, in order.
    package var errors: [FailedAttempt] = []
    /// A second attempt ran beside the first.
    package var isHedged = false
    /// Where another model went on after a break.
    package var resumePoints: [ResumePoint] = []
    /// US dollars; nil where there is no price.
    package var cost: Double?
    /// The digest of the policy that serves the call.
    package let config: String
    package var usage = UsageReport()
    /// From the request's arrival to the plan.
    package var planTime: Duration = .zero
    /// From the request's arrival to the first byte of the answering upstream's head.
    package var firstByteTime: Duration?
    /// From the answering attempt's start to that byte: the upstream's own part.
    package var upstreamTime: Duration?
    /// From the request's arrival until now; whole at `finish` and `fail`.
    package var totalTime: Duration = .zero

    package init(route: String? = nil, config: String) {
        self.route = route
        self.config = config
    }
}

package struct FailedAttempt: Sendable {
    package var provider: String
    package var model: String
    package var error: ProviderError
    /// The class, and for a timeout which timer: `timeout_first_byte`. One of a fixed set of words.
    package var reason: String
    package var duration: Duration
}

/// A place in a streamed response at which another model went on.
package struct ResumePoint: Sendable, Equatable {
    /// Whose response broke.
    package var provider: String
    package var model: String
    /// UTF-8 bytes of text before the resumePoint.
    package var textBytes: Int
}

/// Tokens of a call, and how they are known.
package struct UsageReport: Sendable, Equatable {
    package enum Source: String, Sendable {
        /// The provider told.
        case reported
        /// Counted from the bytes that passed: the provider told nothing, or the response was cut.
        case estimated
        /// Counted from what was delivered: the client left before the end.
        case delivered
        /// There was no response.
        case unknown
    }

    package var usage = Usage()
    package var source = Source.unknown
}

/// Why a call has failed for good.
package struct CallFailure: Sendable {
    package enum Cause: Sendable, Equatable {
        /// Every candidate failed.
        case allFailed
        /// A named model's own provider, or a request that no model would take: its response stands.
        case upstream
        /// The call's own deadline.
        case total
        /// Nobody could be asked: coolingDown, at a limit, or the key is at its own.
        case unavailable
        case clientLeft
        /// The process is stopping.
        case shuttingDown
    }

    package var cause: Cause
    /// The status that the client gets, or would have got.
    package var status: Int
    /// The failure that decided it.
    package var error: ProviderError
    package var retryAfter: Duration?
}
