import NIOCore
package import ProviderKit
import RoutingPolicy

/// Decides what a call does next: which model it asks, when it retries, waits, probes, hedges, resumes or repairs, and
/// with which failure it ends.
///
/// A value without a clock, a socket or shared state. Its owner reports each event with the current time and performs
/// the action that is returned. If the action is a question, the answer is the next event. `RunningCall` performs the
/// actions for a client's request, and `CallSimulation` for an explanation.
///
/// `CallMachine+Candidates` asks the candidates, `+Waiting` waits for them, `+Failures` decides what follows a failed
/// attempt, `+Hedge` runs a second attempt beside a slow one, and `+Ending` has the final failures.
struct CallMachine {
    typealias Candidate = AttemptSequence.Candidate

    /// The place of an attempt in its call.
    enum Role {
        /// The attempt whose response the client gets.
        case main
        /// A second attempt beside it. Its response is held back until it is the first of the two with content.
        case hedge
    }

    /// The cases that carry much are indirect, so that the others are cheap to pass.
    enum Event {
        case began
        /// The retry budget allows the repeat that `reserveRepeat` asks for.
        case reserved
        /// The retry budget is used up.
        case denied
        /// The attempt that `ask`, `queue` or `claim` asks for has begun.
        ///
        /// - p95: the model's 95th percentile of the time to first content; nil if it is unknown or not needed.
        case started(p95: Duration?)
        /// The call has a place in the queue that `queue` or `claim` asks for.
        case queued
        /// The attempt that `ask`, `queue` or `claim` asks for isn't possible now.
        indirect case refused(Refusal)
        /// The call has the slot that it queues for.
        case slotGranted
        /// `holding.wakeTime` has come.
        case timerFired
        /// The attempt's stream has its first content.
        case contentBegan(Role)
        case succeeded(Role)
        indirect case failed(Role, Failure)
        /// The upstream has refused the attempt's request, and its provider knows a repair.
        ///
        /// - earlier: the repairs that the request already has.
        indirect case repairable(Repair, earlier: [Repair])
        /// The upstream limits or refuses the key of the attempt's request.
        ///
        /// - hasOther: whether the provider has another key, which doesn't cool down.
        /// - changes: how often the request has been sent with another key before.
        case keyFailed(hasOther: Bool, changes: Int)
        /// The upstream has closed a kept connection without a response to the request.
        case connectionClosed(model: Int)
        /// The call ends for a reason from outside.
        indirect case stopped(CallFailure)
    }

    enum Action {
        /// Nothing until the next event.
        case nothing
        /// A question: whether the process's retry budget allows another repeat. The answer is `reserved` or `denied`.
        case reserveRepeat
        /// A question: an attempt at the candidate. The answer is `started` or `refused`.
        ///
        /// - allowsEarlyProbe: lets an open breaker admit the attempt before the end of its cooldown.
        case ask(Candidate, Role, allowsEarlyProbe: Bool)
        /// A question: an attempt at the candidate, or a place in the queue for its slots. The answer is `started`,
        /// `queued` or `refused`.
        case queue(Candidate)
        /// A question: the same, with the slot that was granted.
        case claim(Candidate)
        /// The request is sent again, as a part of the same attempt: with the repair or another key, or on another
        /// connection.
        case sendAgain
        /// The main attempt has failed, and the hedge takes its place.
        case promoteHedge
        /// The call belongs to this attempt, and its content is sent. The other attempt is aborted.
        case commit(Role)
        /// The content of the main attempt is sent after the part of the broken stream that the client has.
        case resume
        /// The response is complete. The other attempt is aborted.
        case finish(Role)
        /// The call has failed. The running attempts are aborted.
        indirect case fail(CallFailure)
    }

    /// Why an attempt at a candidate isn't possible now.
    struct Refusal {
        var availability: Availability
        /// The last refusal by the provider's account; nil if the account is accepted.
        var account: ProviderError?
    }

    /// How an attempt failed, and what it had sent.
    struct Failure {
        var error: ProviderError
        /// Whether the breaker of the model or of its provider's account is open now.
        var isOpen = false
        /// Whether the attempt had any content.
        var hasContent = false
        /// The bytes of text that the client has, from all attempts; nil if no model can continue the response.
        var partialBytes: Int?
    }

    /// What the call holds outside of the machine. The owner releases what the machine no longer holds.
    struct Holding: Equatable {
        /// The time of the next `timerFired`.
        var wakeTime: NIODeadline?
        /// A place in the retry budget, for an attempt that has not begun.
        var hasRepeat = false
        /// A place in the queue for a slot.
        var isQueued = false
    }

    let snapshot: Snapshot
    let deadline: NIODeadline
    /// The prompt's estimated tokens, and the request's bound for the response's.
    let needs: RequestNeeds
    var sequence: AttemptSequence
    /// The attempts that run; nil if none does.
    var running: Running?
    var step = Step.attempting
    /// Whether content has been sent to the client, so that no other model may replace the attempt.
    private(set) var isCommitted = false
    private(set) var hasReplayed = false
    /// Whether the call holds a place in the retry budget for an attempt that has not begun.
    var hasRepeat = false
    /// The failed attempts, in order.
    var failures: [(model: Int, error: ProviderError)] = []
    /// The failed models that may be retried if no other model is left, with the earliest times of these retries.
    var postponedRetries: [(candidate: Candidate, time: NIODeadline)] = []
    /// Whether a model's queue was full, or timed out for this call.
    var hasQueueFailed = false
    /// The waits for retries, cooldowns and slots that have ended, together.
    var waited = Duration.zero
    /// The index in `failures` of the last one that broke the stream after content.
    var brokenBy: Int?
    /// Draws the jitter; nil: there is none.
    var random: SplitMix64?
    /// Why the call ended; nil if it runs, or was stopped from outside.
    var ending: CallEnding?

    /// The attempts that run.
    struct Running {
        var main: Candidate
        var hedge: Candidate?
    }

    /// What the call does beside its running attempts.
    enum Step {
        case attempting
        /// It has asked a question about the candidate, which is answered at once.
        case asking(Candidate, Purpose)
        case waiting(Wait, since: NIODeadline, until: NIODeadline)
        case ended
    }

    /// What the call asks for, which decides what follows a refusal.
    enum Purpose {
        case next
        /// A retry whose wait is over.
        case retry
        /// The wait for a retry. Until it has begun, another model can be called.
        case retryWait(until: NIODeadline)
        /// The wait for a postponed retry, because no other model is left.
        case lastRetryWait(until: NIODeadline)
        case slot
        /// A probe of an open breaker, and then of the other candidates' breakers.
        case probe(others: ArraySlice<Candidate>)
        case hedge
        /// An attempt that continues the broken stream.
        case resume
    }

    /// What a call waits for. It waits for one thing at a time.
    enum Wait {
        /// The delay before a retry.
        case retry(Candidate)
        /// The earliest time at which a candidate's cooldown ends or its rate limit allows another request.
        case cooldown
        /// A slot under the model's `concurrent` limit, and then one under its provider's.
        case slot(Candidate)
        /// The time at which the hedge starts. The main attempt runs meanwhile.
        case hedge
    }

    /// - Parameter random: draws the jitter; nil: there is none.
    init(_ plan: consuming Plan, needs: RequestNeeds, in snapshot: Snapshot, deadline: NIODeadline, random: SplitMix64?) {
        self.snapshot = snapshot
        self.needs = needs
        self.deadline = deadline
        self.random = random
        sequence = AttemptSequence(plan)
    }

    var plan: Plan { sequence.plan }

    var holding: Holding {
        switch step {
        case .waiting(.slot, _, let time): Holding(wakeTime: time, isQueued: true)
        case .waiting(_, _, let time): Holding(wakeTime: time, hasRepeat: hasRepeat)
        // The slot that was granted is still to be claimed.
        case .asking(_, .slot): Holding(isQueued: true)
        case .attempting, .asking, .ended: Holding(hasRepeat: hasRepeat)
        }
    }

    var hasEnded: Bool { if case .ended = step { true } else { false } }

    mutating func on(_ event: Event, now: NIODeadline) -> Action {
        if case .ended = step { return .nothing }
        switch event {
        case .began: return askNext(now)
        case .reserved: return reserved(now)
        case .denied: return denied(now)
        case .started(let p95): return started(p95, now)
        case .queued: return queued(now)
        case .refused(let refusal): return refused(refusal, now)
        case .slotGranted: return slotGranted(now)
        case .timerFired: return timerFired(now)
        case .contentBegan(let role): return commit(role)
        case .succeeded(let role): return end(.finish(role), .succeeded)
        case .failed(let role, let failure): return failed(role, failure, now)
        case .repairable(let repair, let earlier):
            return earlier.count < Self.maxRepairs && !earlier.contains(repair) ? .sendAgain : .nothing
        case .keyFailed(let hasOther, let changes):
            return hasOther && changes < Self.maxKeyChanges && now < deadline ? .sendAgain : .nothing
        case .connectionClosed(let model): return replay(model)
        case .stopped(let failure): return end(.fail(failure), nil)
        }
    }

    mutating func end(_ action: Action, _ ending: CallEnding?) -> Action {
        self.ending = ending
        step = .ended
        running = nil
        hasRepeat = false
        return action
    }

    /// The attempt is the first with content, so the call belongs to it.
    private mutating func commit(_ role: Role) -> Action {
        if isCommitted { return .resume }
        isCommitted = true
        give(to: role)
        return .commit(role)
    }

    /// Ends the race between the attempt and its rival, and the wait for a hedge.
    private mutating func give(to role: Role) {
        step = .attempting
        guard let winner = role == .hedge ? running?.hedge : running?.main else { return }
        running = Running(main: winner)
    }

    // MARK: The same request again

    /// The most repairs of one attempt.
    private static let maxRepairs = 4
    /// The most changes of the key in one attempt: as many as a provider can have keys.
    private static let maxKeyChanges = 100

    /// Sends the request again, at most once for a call.
    private mutating func replay(_ model: Int) -> Action {
        guard !hasReplayed, retry(ofModel: model).replay == .on else { return .nothing }
        hasReplayed = true
        return .sendAgain
    }

    func retry(ofModel model: Int) -> Retry { snapshot.retry(ofModel: model).overridden(by: plan.retry) }
}

/// Why no further attempt of a call follows.
package enum CallEnding: Sendable, Equatable {
    case succeeded
    /// A failure of this class ended the call.
    case stopped(FailureClass)
    /// Every candidate has been called.
    case exhausted
    case maxAttempts
    /// All remaining candidates are unavailable for longer than the call may wait.
    case unavailable
    /// The `total` timeout ran out.
    case overdue
}
