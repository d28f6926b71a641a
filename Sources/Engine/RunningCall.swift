import HTTPWire
package import NIOCore
package import ProviderKit
import RoutingPolicy

/// What the caller asked for, as far as the engine acts on it.
package struct CallRequest: Sendable {
    package var operation: ProviderKit.Operation
    package var isStream: Bool
    /// Whether the caller asked for usage in its stream.
    package var wantsUsage: Bool
    package var body: ByteBuffer
    /// The body's top-level members without the router's own.
    package var members: [JSONMember]
    /// When the request's head was complete: what the times in `AnswerFacts` and the call's total count from.
    package var arrivedAt: NIODeadline
    /// When its body was complete.
    package var readAt: NIODeadline

    package init(
        operation: ProviderKit.Operation, isStream: Bool, wantsUsage: Bool, body: ByteBuffer, members: [JSONMember], arrivedAt: NIODeadline,
        readAt: NIODeadline
    ) {
        self.operation = operation
        self.isStream = isStream
        self.wantsUsage = wantsUsage
        self.body = body
        self.members = members
        self.arrivedAt = arrivedAt
        self.readAt = readAt
    }
}

/// A call from its plan to its answer or its failure: it asks one model after the other, as `AttemptSequence` says. It keeps the policy that it started
/// with. Every call ends with one of `writer.finish` and `writer.fail`.
package final class RunningCall: @unchecked Sendable {  // confined to its event loop
    package let loop: EngineLoop
    package let request: CallRequest
    let writer: any AnswerWriter
    /// Where the loop's list of calls holds it.
    var listIndex = 0
    private let snapshot: Snapshot
    private let plan: Plan
    private let facts: AnswerFacts
    private let deadline: NIODeadline
    private var sequence: AttemptSequence
    private var attempt: Attempt?
    private var attemptStarted = NIODeadline.now()
    /// Set from outside: the call ends with it.
    private var ending: CallFailure?
    private var isCommitted = false

    package init(loop: EngineLoop, snapshot: Snapshot, plan: Plan, request: CallRequest, writer: any AnswerWriter) {
        self.loop = loop
        self.snapshot = snapshot
        self.plan = plan
        self.request = request
        self.writer = writer
        sequence = AttemptSequence(plan)
        deadline = request.arrivedAt + plan.total
        facts = AnswerFacts(route: plan.route, config: snapshot.policy.digest)
        facts.planTime = attemptStarted - request.readAt
    }

    package func start() {
        loop.add(self)
        ask(sequence.first())
    }

    /// The caller's connection is gone: the upstream's is closed before this returns.
    package func callerLeft() {
        stop(CallFailure(cause: .callerLeft, status: 499, error: ProviderError(.cancelled, message: "the caller left")))
    }

    /// The process stops and the call's time is up.
    package func shutDown() {
        stop(CallFailure(cause: .shuttingDown, status: 503, error: ProviderError(.cancelled, message: "the router is shutting down", code: "shutting_down")))
    }

    /// Backpressure turned: while the caller is slow, the upstream's next read waits.
    package func callerWritable(_ isWritable: Bool) {
        attempt?.callerWritable(isWritable)
    }

    func committed(_ attempt: Attempt) {
        isCommitted = true
        facts.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }
        writer.commit(facts)
    }

    private func stop(_ failure: CallFailure) {
        guard ending == nil else { return }
        ending = failure
        attempt?.abort(failure.error)
    }

    /// Begins the next attempt; without one the call has failed.
    private func ask(_ step: AttemptSequence.Next?) {
        guard let step, let instance = snapshot.instance(ofModel: step.model) else {
            return end(.final(after: facts.errors, isNamed: plan.isNamed))
        }
        let model = snapshot.policy.models[step.model]
        facts.provider = instance.name
        facts.model = model.name
        facts.attempts = sequence.attempts
        facts.isFallback = step.isFallback
        facts.firstByteTime = nil
        writer.begin(facts)

        var timeouts = snapshot.modelTimeouts[step.model]
        if let overrides = plan.routeTimeouts { timeouts = timeouts.overridden(by: overrides) }
        let kitCall = Call(
            operation: request.operation, model: model.upstream, isStream: request.isStream, wantsUsage: request.wantsUsage, members: request.members,
            defaults: model.requestDefaults, overrides: model.requestOverrides)
        attemptStarted = .now()
        let attempt = Attempt(
            call: self, model: step.model, instance: instance, kitCall: kitCall, timeouts: timeouts, hasFilterChain: plan.fallbackOn[.contentFilter] != nil,
            budget: loop.budget)
        self.attempt = attempt
        attempt.start(deadline: min(deadline, attemptStarted + timeouts.total))
    }

    /// The attempt has answered, or failed.
    func ended(_ attempt: Attempt, _ outcome: Attempt.Outcome) {
        self.attempt = nil
        let counters = loop.counters(ofModel: attempt.model, in: snapshot)
        facts.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }
        switch outcome {
        case .answered:
            counters.answered += 1
            countUsage(attempt, counters)
            end(nil)
        case .failed(let error, let reason):
            counters.failures[reason, default: 0] += 1
            facts.errors.append(
                FailedAttempt(
                    provider: attempt.instance.name, model: snapshot.policy.models[attempt.model].name, error: error, reason: reason,
                    duration: .now() - attemptStarted))
            loop.report(error, provider: attempt.instance.name, model: facts.model ?? "")
            if isCommitted { countUsage(attempt, counters) }
            if let ending { return end(ending) }
            if isCommitted { return end(CallFailure(cause: .allFailed, status: error.status ?? (error.failure == .timeout ? 504 : 502), error: error)) }
            if error.code == Attempt.buffersFull.code { return end(CallFailure(cause: .upstream, status: 503, error: error, retryAfter: .seconds(1))) }
            if .now() >= deadline {
                let error = ProviderError(.timeout, message: "the request's total time of \(plan.total) ran out", code: "request_timeout")
                return end(CallFailure(cause: .total, status: 504, error: error))
            }
            let models = snapshot.policy.models
            ask(sequence.next(after: error.failure) { models[$0].context })
        }
    }

    private func end(_ failure: CallFailure?) {
        loop.remove(self)
        facts.totalTime = .now() - request.arrivedAt
        guard let failure else {
            if facts.isFallback { loop.metrics.fallback(route: facts.route) }
            return writer.finish(facts)
        }
        writer.fail(failure, facts)
    }

    /// What the provider reported counts; without that, or where the answer was cut, what passed is counted.
    private func countUsage(_ attempt: Attempt, _ counters: ModelCounters) {
        if let usage = attempt.usage, usage.completionTokens != nil || usage.promptTokens != nil {
            facts.usage = UsageReport(usage: usage, source: .reported)
            counters.reported.add(usage)
        } else {
            let usage = Usage(
                promptTokens: TokenEstimate.tokens(ofBytes: request.body.readableBytes), completionTokens: TokenEstimate.tokens(ofBytes: attempt.contentBytes))
            facts.usage = UsageReport(usage: usage, source: .estimated)
            counters.estimated.add(usage)
        }
    }
}

/// Tokens from bytes, where nobody told them: four bytes a token, as OpenAI's rule of thumb says for English. Rough: other scripts take more bytes for a token, and
/// the framing of messages and chunks is counted too. Whatever is counted so is marked `estimated`.
enum TokenEstimate {
    static func tokens(ofBytes bytes: Int) -> Int {
        (bytes + 3) / 4
    }
}
