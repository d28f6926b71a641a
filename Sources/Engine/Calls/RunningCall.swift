import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// A call from its plan to its response or its failure: it asks one model after the other, as `AttemptSequence` says. It keeps the policy that it started
/// with. Every call ends with one of `writer.finish` and `writer.fail`.
///
/// How it asks stands in `RunningCall+Asking`, how it waits in `+Waiting`, a second attempt beside a slow one in `+Hedge`, a broken stream that goes on at another
/// model in `+Resume`.
package final class RunningCall: @unchecked Sendable {  // confined to its event loop
    package let loop: EngineLoop
    package let request: CallRequest
    let writer: any ResponseWriter
    /// Where the loop's list of calls holds it.
    var listIndex = 0
    let snapshot: Snapshot
    let record: CallRecord
    let deadline: NIODeadline
    var sequence: AttemptSequence
    var plan: Plan { sequence.plan }
    /// The attempt that the client gets, if it answers.
    var attempt: Attempt?
    /// A second one beside it, whose response is held back until it is the first with content.
    var hedge: Attempt?
    var isCommitted = false
    /// Set from outside: the call ends with it.
    private(set) var ending: CallFailure?
    private var hasEnded = false
    /// What the call waits for while it has no attempt.
    var waiting: Waiting?
    /// Of the model's slot that it waits for; ended with the wait.
    var slot: AttemptTicket?
    /// A grant counts only for the wait that it was asked for in.
    var waitNumber = 0
    /// What it holds, or waits for, of its key's limits.
    var keyPermit: LimitPermit?
    var keySlot: SlotTicket?
    /// Models that have failed and may be asked once more where no other is left, and when.
    var lastResorts: [LastResort] = []
    /// It holds a place in the process's budget of repeats, for the retry that it waits for.
    var holdsRepeat = false
    /// It waited in vain for a place at a model, or found no room to wait.
    var isQueuedOut = false
    /// What the client has of a stream that broke, on routes that resume.
    var partial: PartialResponse?
    lazy var timer = LazyDeadline(eventLoop: loop.eventLoop) { [self] _ in waitIsOver() }
    var hasTimer = false

    struct LastResort {
        var step: AttemptSequence.Step
        var time: NIODeadline
    }

    package init(loop: EngineLoop, snapshot: Snapshot, plan: consuming Plan, request: consuming CallRequest, writer: any ResponseWriter) {
        self.loop = loop
        self.snapshot = snapshot
        self.writer = writer
        deadline = request.arrivedAt + plan.total
        record = CallRecord(route: plan.route, config: snapshot.policy.digest)
        record.planTime = .now() - request.readAt
        self.request = request
        sequence = AttemptSequence(plan)
    }

    package func start() {
        loop.add(self)
        guard let limits = snapshot.limits(ofKey: request.key) else { return tryNext() }
        admit(by: limits)
    }

    /// The client's connection is gone: the upstream's is closed before this returns.
    package func clientLeft() {
        stop(CallFailure(cause: .clientLeft, status: 499, error: ProviderError(.cancelled, message: "the client left")))
    }

    /// The process stops and the call's time is up.
    package func shutDown() {
        stop(
            CallFailure(
                cause: .shuttingDown, status: 503,
                error: ProviderError(.cancelled, message: "the router is shutting down", code: "shutting_down")))
    }

    /// Backpressure turned: while the client is slow, the upstream's next read waits.
    package func clientWritable(_ isWritable: Bool) {
        attempt?.clientWritable(isWritable)
    }

    private func stop(_ failure: CallFailure) {
        // Writing the response's end may be what finds out that the client has left.
        guard ending == nil, !hasEnded else { return }
        ending = failure
        hedge?.abort(failure.error)
        hedge = nil
        guard let attempt else { return end(failure) }
        attempt.abort(failure.error)
    }

    /// The call's own time is up: nothing more is begun.
    var isOverdue: Bool { NIODeadline.now() >= deadline }

    func failOverdue() {
        let error = ProviderError(.timeout, message: "the request's total time of \(plan.total) ran out", code: "request_timeout")
        end(CallFailure(cause: .total, status: 504, error: error))
    }

    /// - Parameter failure: nil: the response is whole.
    func end(_ failure: CallFailure?) {
        hasEnded = true
        stopWaiting()
        if hasTimer { timer.invalidate() }
        if holdsRepeat { loop.retryBudget.end() }
        releaseKey()
        loop.remove(self)
        record.totalTime = .now() - request.arrivedAt
        guard let failure else {
            if record.isFallback { loop.metrics.fallback(route: record.route) }
            return writer.finish(record)
        }
        writer.fail(failure, record)
    }
}
