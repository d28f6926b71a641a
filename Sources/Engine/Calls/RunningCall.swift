import HTTPWire
import NIOCore
import ProviderKit
import RoutingPolicy

/// A running call, from its plan to its response or its failure. `CallMachine` decides what happens next, and the call
/// performs it on its event loop, with the policy that it started with. Every call ends with either `writer.finish` or
/// `writer.fail`.
///
/// `RunningCall+Actions` performs the machine's actions, `+Attempts` makes and ends the attempts, and `+Resume` joins
/// the parts of a stream that several models made.
package final class RunningCall: @unchecked Sendable {  // confined to its event loop
    package let loop: EngineLoop
    package let request: CallRequest
    let writer: any ResponseWriter
    /// The call's index in the event loop's list of calls.
    var listIndex = 0
    package let snapshot: Snapshot
    package let record: CallRecord
    var machine: CallMachine
    var plan: Plan { machine.plan }
    var needs: RequestNeeds { machine.needs }
    /// The request as typed values, for providers that don't speak the client's format. It is read for the first of
    /// them.
    lazy var translation = Translation(of: request)
    /// The running attempt whose response the client gets.
    var attempt: Attempt?
    /// A second attempt beside it. Its response is held back until it is the first of the two with content.
    var hedge: Attempt?
    /// What the call holds for the machine.
    var held = CallMachine.Holding()
    var hasTimer = false
    /// The call's places in queues; nil if it has had none.
    var queue: Queue?
    /// The call's place under the limits of its key; nil if the key has none.
    let admission: KeyAdmission?
    /// The part of a broken stream that the client has; nil if no stream broke, or the route doesn't resume.
    var partial: PartialResponse?
    /// Plans the request anew, if other routers may know better which model last served its conversation.
    var replan: (() -> Plan?)?
    lazy var timer = LazyDeadline(eventLoop: loop.eventLoop) { [self] now in
        held.wakeTime = nil
        handle(.timerFired, now: now)
    }

    /// The places of a call in the queues for the slots of models, one after the other. Few calls have one, so it
    /// stands apart: a call must stay small enough for the allocator's fast path, 1,032 bytes in glibc.
    final class Queue {
        /// The place while the call waits.
        var ticket: AttemptTicket?
        /// The number of the current place. A slot that is granted for an earlier one is ignored.
        var number = 0
        /// Since when the call waits; nil if it doesn't.
        var since: NIODeadline?
    }

    package init(
        loop: EngineLoop, snapshot: Snapshot, plan: consuming Plan, request: consuming CallRequest, needs: RequestNeeds,
        admission: KeyAdmission? = nil, replan: (() -> Plan?)? = nil, writer: any ResponseWriter
    ) {
        self.loop = loop
        self.admission = admission
        self.replan = replan
        self.snapshot = snapshot
        self.writer = writer
        record = CallRecord(route: plan.route, skippedNames: plan.skippedNames, config: snapshot.policy.digest)
        if let admission { record.queueTime = admission.waitTime }
        let isUpload = if case .form = request.payload { true } else { false }
        let deadline = (isUpload ? request.readAt : request.arrivedAt) + plan.total
        machine = CallMachine(
            plan, needs: needs, in: snapshot, deadline: deadline, random: SplitMix64(seed: loop.nextRandom()))
        self.request = request
    }

    package func start() {
        let now = NIODeadline.now()
        record.planTime = now - request.readAt
        loop.add(self)
        loop.observer?.began(self)
        if replan == nil || !asksForConversation(proceed: { [self] in admit(now: .now()) }) { admit(now: now) }
    }

    private func admit(now: NIODeadline) {
        // Decided before anything else, so that a refused request doesn't count at any model.
        let progress = admission?.take(
            tokens: needs.reservedTokens, lifetime: machine.deadline - now, spending: { expectedSpending }
        ) { [self] failure in handle(failure.map { .stopped($0) } ?? .began) }
        switch progress {
        case nil, .admitted: handle(.began, now: now)
        case .waiting: break
        case .refused(let failure): handle(.stopped(failure))
        }
    }

    /// Ends the call because the client has left. The upstream's connection is closed before this returns.
    package func clientLeft() {
        handle(
            .stopped(CallFailure(cause: .clientLeft, status: 499, error: ProviderError(.cancelled, message: "the client left"))))
    }

    /// Ends the call because the process stops and its drain timeout has run out.
    package func shutDown() {
        handle(
            .stopped(
                CallFailure(
                    cause: .shuttingDown, status: 503,
                    error: ProviderError(.cancelled, message: "the router is shutting down", code: "shutting_down"))))
    }

    /// Applies backpressure: while the client is slow, nothing is read from the upstream.
    package func clientWritable(_ isWritable: Bool) {
        attempt?.clientWritable(isWritable)
    }

    /// The most tokens of the response that the client asks for; nil if it sets no limit.
    package var maxTokens: Int? { machine.needs.maxTokens }

    /// Whether the call's `total` timeout has run out.
    var isOverdue: Bool { NIODeadline.now() >= machine.deadline }
}
