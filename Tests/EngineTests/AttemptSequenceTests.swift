import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the attempts of a plan")
struct AttemptSequenceTests {
    /// Walks a plan whose every attempt fails; the models asked, `+` before those of a fallback, `=` before a retry. Waits are over at once.
    private func walk(
        _ plan: Plan, contexts: [Int: Int] = [:], retries: Int = 1, status: Int? = nil, failing: (Int) -> FailureClass
    ) -> [String] {
        var sequence = AttemptSequence(plan)
        var asked: [String] = []
        func context(_ model: Int) -> Int? { contexts[model] }
        var next = sequence.propose(context: context)
        while let step = next {
            sequence.begin(step)
            asked.append((step.isRetry ? "=" : "") + (step.isFallback ? "+" : "") + "\(step.model)")
            #expect(sequence.attempts == asked.count)
            let error = ProviderError(failing(step.model), status: status, message: "x")
            switch sequence.follow(error.fate(plan.failover), of: error.failure, retries: retries, context: context) {
            case .stop: next = nil
            case .retry: next = sequence.retryStep
            case .next: next = sequence.propose(context: context) ?? (sequence.isLastResortAllowed ? sequence.retryStep : nil)
            }
        }
        return asked
    }

    private func plan(_ tries: [Int], _ fallback: [Int] = [], on: [FailureClass: [Int]] = [:], models: Int = 4, attempts: Int = 4) -> Plan {
        Plan(
            route: "r", tries: tries, fallback: fallback, fallbackOn: on, maxModels: models, maxAttempts: attempts, isNamed: false,
            total: .seconds(1),
            timedByRoute: nil)
    }

    @Test(
        "these failures lead to the next model",
        arguments: [
            FailureClass.unreachable, .timeout, .notFound, .providerRejected, .unsupported,
        ])
    func next(failure: FailureClass) {
        #expect(walk(plan([1, 2], [3])) { _ in failure } == ["1", "2", "+3"])
    }

    @Test("these failures end the call", arguments: [FailureClass.clientError, .cancelled, .contentFilter, .contextOverflow])
    func stop(failure: FailureClass) {
        #expect(walk(plan([1, 2], [3])) { _ in failure } == ["1"])
    }

    @Test("after these the same model is asked again, then the next", arguments: [FailureClass.reset, .rateLimited])
    func retry(failure: FailureClass) {
        #expect(walk(plan([1, 2], attempts: 9)) { _ in failure } == ["1", "=1", "2", "=2"])
        #expect(walk(plan([1, 2], attempts: 9), retries: 3) { _ in failure } == ["1", "=1", "=1", "=1", "2", "=2", "=2", "=2"])
        #expect(walk(plan([1, 2], attempts: 9), retries: 0) { _ in failure } == ["1", "2"])
    }

    @Test("after an upstream error the same model is asked again only where no other is left")
    func lastResort() {
        #expect(walk(plan([1, 2], [3], attempts: 9), retries: 2) { _ in .upstreamError } == ["1", "2", "+3", "=+3", "=+3"])
    }

    @Test("the policy's own rows come before the table, a status before a class")
    func failover() {
        var plan = plan([1, 2], [3], attempts: 9)
        plan.failover.classes[.upstreamError] = .stop
        #expect(walk(plan) { _ in .upstreamError } == ["1"])
        plan.failover.statuses[502] = .next
        #expect(walk(plan, status: 502) { _ in .upstreamError } == ["1", "2", "+3"])
        plan.failover.classes[.clientError] = .retry
        #expect(walk(plan, status: 418) { _ in .clientError } == ["1", "=1", "2", "=2", "+3", "=+3"])
    }

    @Test("attempts never pass max_attempts, whatever they are for")
    func maxAttempts() {
        for most in 1...6 {
            #expect(walk(plan([1, 2, 3], [4, 5], attempts: most), retries: 9) { _ in .reset }.count == most)
        }
    }

    @Test("while a fallback is unasked, one attempt is kept for it")
    func reserve() {
        #expect(walk(plan([1, 2, 3, 4, 5], [9], models: 10, attempts: 4)) { _ in .upstreamError } == ["1", "2", "3", "+9"])
        #expect(walk(plan([1, 2], [9], attempts: 2)) { _ in .reset } == ["1", "+9"])
        #expect(walk(plan([1, 2], [9], attempts: 1)) { _ in .upstreamError } == ["1"])
        #expect(walk(plan([1, 2], [1], attempts: 2)) { _ in .upstreamError } == ["1", "2"])
    }

    @Test("max_models bounds the models of try, not those of the fallback")
    func maxModels() {
        #expect(walk(plan([1, 2, 3], [4, 5], models: 2, attempts: 9)) { _ in .timeout } == ["1", "2", "+4", "+5"])
    }

    @Test("no model is asked twice but for a retry")
    func once() {
        #expect(walk(plan([1, 2, 1], [2, 3, 3], models: 9, attempts: 9)) { _ in .timeout } == ["1", "2", "+3"])
    }

    @Test("what was skipped costs neither an attempt nor a model, and can be proposed again")
    func skipped() {
        var sequence = AttemptSequence(plan([1, 2, 3], models: 1))
        while let step = sequence.propose(context: { _ in nil }) { sequence.skip(step, .full) }
        #expect(sequence.attempts == 0 && sequence.skipped.map(\.step.model) == [1, 2, 3])
        sequence.reviveSkipped()
        #expect(sequence.propose(context: { _ in nil })?.model == 1)
    }

    @Test("after the later of two attempts side by side has failed, a retry is the earlier's again")
    func goesBack() {
        var sequence = AttemptSequence(plan([1, 2, 3], attempts: 9))
        var steps: [AttemptSequence.Step] = []
        while steps.count < 2, let step = sequence.propose(context: { _ in nil }) {
            sequence.begin(step)
            steps.append(step)
        }
        sequence.goBack(to: steps[0])
        #expect(sequence.follow(.retryThenNext, of: .reset, retries: 1, context: { _ in nil }) == .retry)
        #expect(sequence.retryStep?.model == 1)
        #expect(sequence.propose(context: { _ in nil })?.model == 3)
    }

    @Test("a context overflow goes to its own chain, else to candidates with a larger context")
    func contextOverflow() {
        #expect(walk(plan([1, 2], [3], on: [.contextOverflow: [7, 8]])) { $0 == 1 ? .contextOverflow : .timeout } == ["1", "+7", "+8"])
        let contexts = [1: 1000, 2: 500, 3: 2000]
        #expect(walk(plan([1, 2], [3]), contexts: contexts) { _ in .contextOverflow } == ["1", "+3"])
        #expect(walk(plan([1, 2], [3]), contexts: [:]) { _ in .contextOverflow } == ["1"])
    }

    @Test("a content filter goes to its own chain, else it ends the call")
    func contentFilter() {
        #expect(walk(plan([1, 2], [3], on: [.contentFilter: [7]])) { $0 == 1 ? .contentFilter : .timeout } == ["1", "+7"])
    }
}

@Suite("the status of a final failure")
struct FinalStatusTests {
    private func failed(_ failure: FailureClass, _ status: Int? = nil, after: Duration? = nil) -> FailedAttempt {
        FailedAttempt(
            provider: "p", model: "m", error: ProviderError(failure, status: status, message: "x", retryAfter: after), reason: "",
            duration: .zero)
    }

    @Test("all timed out is 504, all rate limited 429 with the earliest wait, mixed 502")
    func table() {
        #expect(CallFailure.final(after: [failed(.timeout), failed(.timeout)], isNamed: false).status == 504)
        let limited = CallFailure.final(
            after: [failed(.rateLimited, 429, after: .seconds(7)), failed(.rateLimited, 429, after: .seconds(3))], isNamed: false)
        #expect(limited.status == 429)
        #expect(limited.retryAfter == .seconds(3))
        #expect(CallFailure.final(after: [failed(.timeout), failed(.rateLimited, 429)], isNamed: false).status == 502)
        #expect(CallFailure.final(after: [failed(.providerRejected, 401)], isNamed: true).status == 502)
        #expect(CallFailure.final(after: [failed(.upstreamError, 503)], isNamed: false).status == 502)
    }

    @Test("a refusal inside a 200 is an error all the same")
    func refusalInside() {
        #expect(CallFailure.final(after: [failed(.contentFilter, 200)], isNamed: false).status == 400)
    }

    @Test("the client's own fault has the upstream's status")
    func clientError() {
        let failure = CallFailure.final(after: [failed(.upstreamError, 500), failed(.clientError, 422)], isNamed: false)
        #expect(failure.status == 422)
        #expect(failure.cause == .upstream)
    }

    @Test("a named model's response stands", arguments: [(FailureClass.upstreamError, 503), (.notFound, 404), (.rateLimited, 429)])
    func named(failure: FailureClass, status: Int) {
        #expect(CallFailure.final(after: [failed(failure, status)], isNamed: true).status == status)
    }
}
