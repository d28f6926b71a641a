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
    /// When the request's head was complete: what every time in `AnswerFacts` counts from.
    package var arrivedAt: NIODeadline

    package init(operation: ProviderKit.Operation, isStream: Bool, wantsUsage: Bool, body: ByteBuffer, members: [JSONMember], arrivedAt: NIODeadline) {
        self.operation = operation
        self.isStream = isStream
        self.wantsUsage = wantsUsage
        self.body = body
        self.members = members
        self.arrivedAt = arrivedAt
    }
}

/// A call from its plan to its answer or its failure: the attempt loop. It keeps the policy that it started with.
package final class RunningCall: @unchecked Sendable {  // confined to its event loop: made there, and its task runs on it
    package let loop: EngineLoop
    package let request: CallRequest
    let snapshot: Snapshot
    let writer: any AnswerWriter
    /// Where the loop's list of calls holds it.
    var listIndex = 0
    private let plan: Plan
    private let facts: AnswerFacts
    private var attempt: Attempt?
    /// Set from outside: the call ends with it as soon as its attempt has.
    private var ending: CallFailure?
    private var isCommitted = false

    package init(loop: EngineLoop, snapshot: Snapshot, plan: Plan, request: CallRequest, writer: any AnswerWriter) {
        self.loop = loop
        self.snapshot = snapshot
        self.plan = plan
        self.request = request
        self.writer = writer
        facts = AnswerFacts(route: plan.route, config: snapshot.policy.digest)
        facts.planTime = NIODeadline.now() - request.arrivedAt
    }

    /// Begins. Every call ends with one of `writer.finish` and `writer.fail`.
    package func start() {
        loop.add(self)
        Task(executorPreference: loop.executor) { await self.run() }
    }

    /// The caller's connection is gone: the upstream's is closed before this returns.
    package func callerLeft() {
        end(CallFailure(cause: .callerLeft, status: 499, error: ProviderError(.cancelled, message: "the caller left")))
    }

    /// The process stops and the call's time is up.
    package func shutDown() {
        end(CallFailure(cause: .shuttingDown, status: 503, error: ProviderError(.cancelled, message: "the router is shutting down", code: "shutting_down")))
    }

    package func callerWritable(_ isWritable: Bool) {
        attempt?.callerWritable(isWritable)
    }

    func committed(_ attempt: Attempt) {
        isCommitted = true
        facts.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }
        writer.commit(facts)
    }

    private func end(_ failure: CallFailure) {
        guard ending == nil else { return }
        ending = failure
        attempt?.abort(failure.error)
    }

    private func run() async {
        let result = await attempts()
        loop.remove(self)
        facts.totalTime = NIODeadline.now() - request.arrivedAt
        if result == nil, facts.isFallback { loop.metrics.fallback(route: facts.route) }
        switch result {
        case nil: writer.finish(facts)
        case let failure?: writer.fail(failure, facts)
        }
    }

    /// Asks one model after the other. nil: one has answered.
    private func attempts() async -> CallFailure? {
        let models = snapshot.policy.models
        let deadline = request.arrivedAt + plan.total
        var sequence = AttemptSequence(plan) { models[$0].context }
        var next = sequence.first()
        while let step = next {
            if let ending { return ending }
            guard let instance = snapshot.instance(ofModel: step.model) else { break }
            let model = models[step.model]
            facts.provider = instance.name
            facts.model = model.name
            facts.attempts = sequence.attempts
            facts.isFallback = step.isFallback
            writer.begin(facts)

            let timeouts = snapshot.modelTimeouts[step.model].overridden(by: plan.routeTimeouts)
            let kitCall = Call(
                operation: request.operation, model: model.upstream, isStream: request.isStream, wantsUsage: request.wantsUsage, members: request.members,
                defaults: model.requestDefaults, overrides: model.requestOverrides)
            let started = NIODeadline.now()
            let attempt = Attempt(
                call: self, instance: instance, kitCall: kitCall, timeouts: timeouts, hasFilterChain: plan.fallbackOn[.contentFilter] != nil, budget: loop.budget)
            self.attempt = attempt
            let outcome = await attempt.run(deadline: min(deadline, started + timeouts.total))
            self.attempt = nil
            facts.firstByteTime = attempt.firstByteAt.map { $0 - request.arrivedAt }

            switch outcome {
            case .answered:
                countUsage(attempt, loop.counters(ofModel: step.model, in: snapshot))
                loop.counters(ofModel: step.model, in: snapshot).answered += 1
                return nil
            case .failed(let error, let reason):
                loop.counters(ofModel: step.model, in: snapshot).failures[reason, default: 0] += 1
                facts.errors.append(
                    FailedAttempt(provider: instance.name, model: model.name, error: error, reason: reason, duration: NIODeadline.now() - started))
                loop.report(error, provider: instance.name, model: model.name)
                if isCommitted { countUsage(attempt, loop.counters(ofModel: step.model, in: snapshot)) }
                if let ending { return ending }
                if isCommitted { return CallFailure(cause: .allFailed, status: error.status ?? 502, error: error) }
                if .now() >= deadline {
                    return CallFailure(cause: .total, status: 504, error: ProviderError(.timeout, message: "the request's total time of \(plan.total) ran out", code: "request_timeout"))
                }
                next = sequence.next(after: error.failure)
            }
        }
        return .final(after: facts.errors, isNamed: plan.isNamed)
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

/// Tokens from bytes, where nobody told them: four bytes a token, as OpenAI's rule of thumb says for English. Within a third on English text and code.
enum TokenEstimate {
    static func tokens(ofBytes bytes: Int) -> Int {
        (bytes + 3) / 4
    }
}
