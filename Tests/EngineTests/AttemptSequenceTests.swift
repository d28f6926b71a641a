import ProviderKit
import RoutingPolicy
import Testing

@testable import Engine

@Suite("the attempts of a plan")
struct AttemptSequenceTests {
    /// Makes the attempts of a plan, all of which fail, without waiting. Returns the models in the order of the
    /// attempts, with `+` before a fallback and `=` before a retry.
    private func attempts(
        _ plan: Plan, contexts: [Int: Int] = [:], retries: Int = 1, status: Int? = nil, failing: (Int) -> FailureClass
    ) -> [String] {
        var sequence = AttemptSequence(plan)
        var called: [String] = []
        func context(_ model: Int) -> Int? { contexts[model] }
        var next = sequence.nextCandidate(context: context)
        while let candidate = next {
            sequence.begin(candidate)
            called.append((candidate.isRetry ? "=" : "") + (candidate.isFallback ? "+" : "") + "\(candidate.model)")
            #expect(sequence.attempts == called.count)
            let error = ProviderError(failing(candidate.model), status: status, message: "x")
            switch sequence.decide(error.failureRule(plan.failover), after: error.failure, retries: retries, context: context) {
            case .stop: next = nil
            case .retry: next = sequence.retryCandidate
            case .next:
                next = sequence.nextCandidate(context: context) ?? (sequence.isPostponedRetryAllowed ? sequence.retryCandidate : nil)
            }
        }
        return called
    }

    private func plan(_ tries: [Int], _ fallback: [Int] = [], on: [FailureClass: [Int]] = [:], models: Int = 4, attempts: Int = 4) -> Plan {
        Plan(
            route: "r", tries: tries, fallback: fallback, fallbackOn: on, maxModels: models, maxAttempts: attempts, isNamed: false,
            total: .seconds(1),
            timeoutRoute: nil)
    }

    @Test(
        "these failures lead to the next model",
        arguments: [
            FailureClass.unreachable, .timeout, .notFound, .providerRejected, .unsupported, .invalidJSON,
        ])
    func next(failure: FailureClass) {
        #expect(attempts(plan([1, 2], [3])) { _ in failure } == ["1", "2", "+3"])
    }

    @Test("these failures end the call", arguments: [FailureClass.clientError, .cancelled, .contentFilter, .contextOverflow])
    func stop(failure: FailureClass) {
        #expect(attempts(plan([1, 2], [3])) { _ in failure } == ["1"])
    }

    @Test("after these failures the same model is retried, then the next one is called", arguments: [FailureClass.reset, .rateLimited])
    func retry(failure: FailureClass) {
        #expect(attempts(plan([1, 2], attempts: 9)) { _ in failure } == ["1", "=1", "2", "=2"])
        #expect(attempts(plan([1, 2], attempts: 9), retries: 3) { _ in failure } == ["1", "=1", "=1", "=1", "2", "=2", "=2", "=2"])
        #expect(attempts(plan([1, 2], attempts: 9), retries: 0) { _ in failure } == ["1", "2"])
    }

    @Test("after an upstream error the same model is retried only if no other is left")
    func postponedRetry() {
        #expect(attempts(plan([1, 2], [3], attempts: 9), retries: 2) { _ in .upstreamError } == ["1", "2", "+3", "=+3", "=+3"])
    }

    @Test("the policy's failover rules override the table, and a status overrides a class")
    func failover() {
        var plan = plan([1, 2], [3], attempts: 9)
        plan.failover.classes[.upstreamError] = .stop
        #expect(attempts(plan) { _ in .upstreamError } == ["1"])
        plan.failover.statuses[502] = .next
        #expect(attempts(plan, status: 502) { _ in .upstreamError } == ["1", "2", "+3"])
        plan.failover.classes[.clientError] = .retry
        #expect(attempts(plan, status: 418) { _ in .clientError } == ["1", "=1", "2", "=2", "+3", "=+3"])
    }

    @Test("the number of attempts of any kind never exceeds max_attempts")
    func maxAttempts() {
        for limit in 1...6 {
            #expect(attempts(plan([1, 2, 3], [4, 5], attempts: limit), retries: 9) { _ in .reset }.count == limit)
        }
    }

    @Test("one attempt is reserved for a fallback that has not been called")
    func reserve() {
        #expect(attempts(plan([1, 2, 3, 4, 5], [9], models: 10, attempts: 4)) { _ in .upstreamError } == ["1", "2", "3", "+9"])
        #expect(attempts(plan([1, 2], [9], attempts: 2)) { _ in .reset } == ["1", "+9"])
        #expect(attempts(plan([1, 2], [9], attempts: 1)) { _ in .upstreamError } == ["1"])
        #expect(attempts(plan([1, 2], [1], attempts: 2)) { _ in .upstreamError } == ["1", "2"])
    }

    @Test("max_models bounds the models of 'try', but not the fallbacks")
    func maxModels() {
        #expect(attempts(plan([1, 2, 3], [4, 5], models: 2, attempts: 9)) { _ in .timeout } == ["1", "2", "+4", "+5"])
    }

    @Test("no model is called twice, except in a retry")
    func once() {
        #expect(attempts(plan([1, 2, 1], [2, 3, 3], models: 9, attempts: 9)) { _ in .timeout } == ["1", "2", "+3"])
    }

    @Test("a skipped candidate uses no attempt and no model, and can be proposed again")
    func skipped() {
        var sequence = AttemptSequence(plan([1, 2, 3], models: 1))
        while let candidate = sequence.nextCandidate(context: { _ in nil }) { sequence.skip(candidate, .init(availability: .full)) }
        #expect(sequence.attempts == 0 && sequence.skipped.map(\.candidate.model) == [1, 2, 3])
        sequence.requeueSkipped()
        #expect(sequence.nextCandidate(context: { _ in nil })?.model == 1)
    }

    @Test("if the later of two concurrent attempts has failed, a retry calls the model of the earlier one")
    func restoresCurrent() {
        var sequence = AttemptSequence(plan([1, 2, 3], attempts: 9))
        var candidates: [AttemptSequence.Candidate] = []
        while candidates.count < 2, let candidate = sequence.nextCandidate(context: { _ in nil }) {
            sequence.begin(candidate)
            candidates.append(candidate)
        }
        sequence.restoreCurrent(candidates[0])
        #expect(sequence.decide(.retryThenNext, after: .reset, retries: 1, context: { _ in nil }) == .retry)
        #expect(sequence.retryCandidate?.model == 1)
        #expect(sequence.nextCandidate(context: { _ in nil })?.model == 3)
    }

    @Test("a context overflow leads to its fallback_on chain, or else to candidates with a larger context")
    func contextOverflow() {
        #expect(
            attempts(plan([1, 2], [3], on: [.contextOverflow: [7, 8]])) { $0 == 1 ? .contextOverflow : .timeout } == ["1", "+7", "+8"])
        let contexts = [1: 1000, 2: 500, 3: 2000]
        #expect(attempts(plan([1, 2], [3]), contexts: contexts) { _ in .contextOverflow } == ["1", "+3"])
        #expect(attempts(plan([1, 2], [3]), contexts: [:]) { _ in .contextOverflow } == ["1"])
    }

    @Test("a content filter leads to its fallback_on chain, or else ends the call")
    func contentFilter() {
        #expect(attempts(plan([1, 2], [3], on: [.contentFilter: [7]])) { $0 == 1 ? .contentFilter : .timeout } == ["1", "+7"])
    }
}

@Suite("the status of a final failure")
struct FinalStatusTests {
    private func failed(_ failure: FailureClass, _ status: Int? = nil, after: Duration? = nil) -> ProviderError {
        ProviderError(failure, status: status, message: "x", retryAfter: after)
    }

    @Test("only timeouts give 504, only rate limits give 429 with the earliest wait, and a mix gives 502")
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

    @Test("a refusal inside a 200 response is an error")
    func refusalInside() {
        #expect(CallFailure.final(after: [failed(.contentFilter, 200)], isNamed: false).status == 400)
    }

    @Test("an error of the client keeps the upstream's status")
    func clientError() {
        let failure = CallFailure.final(after: [failed(.upstreamError, 500), failed(.clientError, 422)], isNamed: false)
        #expect(failure.status == 422)
        #expect(failure.cause == .upstream)
    }

    @Test(
        "the failure of a named model keeps the upstream's status",
        arguments: [(FailureClass.upstreamError, 503), (.notFound, 404), (.rateLimited, 429)])
    func named(failure: FailureClass, status: Int) {
        #expect(CallFailure.final(after: [failed(failure, status)], isNamed: true).status == status)
    }
}
