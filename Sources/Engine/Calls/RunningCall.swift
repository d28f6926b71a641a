import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// A running call, from its plan to its response or its failure. It calls one model after another, in the order that
/// `AttemptSequence` decides, and keeps the policy that it started with. Every call ends with either `writer.finish` or
/// `writer.fail`.
///
/// `RunningCall+Attempts` makes the attempts, `+Waiting` waits between them, `+Hedge` runs a second attempt beside a
/// slow one, and `+Resume` continues a broken stream with another model.
package final class RunningCall: @unchecked Sendable {  // confined to its event loop
    package let loop: EngineLoop
    package let request: CallRequest
    let writer: any ResponseWriter
    /// The call's index in the event loop's list of calls.
    var listIndex = 0
    let snapshot: Snapshot
    let record: CallRecord
    let deadline: NIODeadline
    var sequence: AttemptSequence
    var plan: Plan { sequence.plan }
    /// The request as typed values, for providers that don't speak the client's format. It is read for the first of
    /// them.
    lazy var translation = Result { () throws(ProviderError) in
        let body = request.body
        return try request.translate(body.readableBytesSpan)
    }
    /// The running attempt whose response the client gets.
    var attempt: Attempt?
    /// A second attempt beside it. Its response is held back until it is the first of the two with content.
    var hedge: Attempt?
    /// Whether content has been sent to the client, so that no other model may replace the attempt.
    var isCommitted = false
    /// The failure with which the call is stopped from outside; nil if it isn't.
    private(set) var ending: CallFailure?
    private var hasEnded = false
    /// What the call waits for; nil if it doesn't wait.
    var waiting: Waiting?
    /// The place in the queue for a slot of a model's `concurrent` limit, while the call waits for one.
    var slot: AttemptTicket?
    /// The number of the current wait. A slot that is granted for an earlier wait is ignored.
    var waitNumber = 0
    /// The call's place under the limits of its key; nil if the key has none.
    private let admission: KeyAdmission?
    /// The failed models that may be retried if no other model is left.
    var postponedRetries: [PostponedRetry] = []
    /// Whether the retry that the call waits for is already counted in the process's retry budget.
    var hasReservedRepeat = false
    /// Whether a model's queue was full, or timed out for this call.
    var hasQueueFailed = false
    /// The part of a broken stream that the client has; nil if no stream broke, or the route doesn't resume.
    var partial: PartialResponse?
    lazy var timer = LazyDeadline(eventLoop: loop.eventLoop) { [self] _ in timerFired() }
    var hasTimer = false
    /// When the current wait began.
    var waitStartedAt = NIODeadline.distantPast
    /// The waits for retries, cooldowns and slots that have ended, together.
    var waited = Duration.zero

    struct PostponedRetry {
        var candidate: AttemptSequence.Candidate
        /// The earliest time of the retry.
        var time: NIODeadline
    }

    package init(
        loop: EngineLoop, snapshot: Snapshot, plan: consuming Plan, request: consuming CallRequest, admission: KeyAdmission? = nil,
        writer: any ResponseWriter
    ) {
        self.loop = loop
        self.admission = admission
        self.snapshot = snapshot
        self.writer = writer
        deadline = request.arrivedAt + plan.total
        record = CallRecord(route: plan.route, skippedNames: plan.skippedNames, config: snapshot.policy.digest)
        record.planTime = .now() - request.readAt
        self.request = request
        sequence = AttemptSequence(plan)
    }

    package func start() {
        loop.add(self)
        // Checked before anything else, so that a refused request doesn't count at any model.
        if let failure = admission?.take(tokens: request.reservedTokens) { return end(failure) }
        callNext()
    }

    /// Ends the call because the client has left. The upstream's connection is closed before this returns.
    package func clientLeft() {
        stop(CallFailure(cause: .clientLeft, status: 499, error: ProviderError(.cancelled, message: "the client left")))
    }

    /// Ends the call because the process stops and its drain timeout has run out.
    package func shutDown() {
        stop(
            CallFailure(
                cause: .shuttingDown, status: 503,
                error: ProviderError(.cancelled, message: "the router is shutting down", code: "shutting_down")))
    }

    /// Applies backpressure: while the client is slow, nothing is read from the upstream.
    package func clientWritable(_ isWritable: Bool) {
        attempt?.clientWritable(isWritable)
    }

    private func stop(_ failure: CallFailure) {
        // The write of the response's end can itself detect that the client has left.
        guard ending == nil, !hasEnded else { return }
        ending = failure
        hedge?.abort(failure.error)
        hedge = nil
        guard let attempt else { return end(failure) }
        attempt.abort(failure.error)
    }

    /// Whether the call's `total` timeout has run out, so that no further attempt may start.
    var isOverdue: Bool { NIODeadline.now() >= deadline }

    func failOverdue() {
        let error = ProviderError(.timeout, message: "the 'total' timeout of \(plan.total) ran out", code: "request_timeout")
        end(CallFailure(cause: .total, status: 504, error: error))
    }

    /// Ends the call.
    ///
    /// - Parameter failure: nil if the response is complete.
    func end(_ failure: CallFailure?) {
        hasEnded = true
        stopWaiting()
        if hasTimer { timer.invalidate() }
        if hasReservedRepeat { loop.retryBudget.end() }
        // A call that reached no model costs its key one request and no tokens.
        admission?.end(usedTokens: record.usage.usage.totalTokens)
        loop.remove(self)
        record.totalTime = .now() - request.arrivedAt
        guard let failure else {
            if record.isFallback { loop.metrics.fallback(route: record.route) }
            return writer.finish(record)
        }
        writer.fail(failure, record)
    }
}
