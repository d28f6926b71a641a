import ProviderKit
import RoutingPolicy

/// The walk through a plan: decides which model is called next, from how the last attempt failed.
///
/// The part of `CallMachine` that knows no time. `CallMachine` asks whether a candidate is available, and reports one
/// that isn't with `skip`.
struct AttemptSequence {
    /// A model that may be called next.
    struct Candidate: Equatable {
        /// Index into the policy's models.
        var model: Int
        /// The model comes from `fallback` or `fallback_on`.
        var isFallback: Bool
        /// The last attempt called the same model.
        var isRetry: Bool
    }

    /// What follows a failed attempt.
    enum Decision: Equatable {
        /// The call ends.
        case stop
        /// `nextCandidate`.
        case next
        /// `retryCandidate` after a wait, then `nextCandidate`.
        case retry
    }

    /// The number of attempts that have been started.
    private(set) var attempts = 0
    let plan: Plan
    /// The models called before `current`. It is empty, and so not allocated, if the first attempt succeeds.
    private var calledBefore: [Int] = []
    /// The number of models from `try` that have been called.
    private var tryModelsCalled = 0
    private var remainingTries: ArraySlice<Int>
    private var remainingFallbacks: ArraySlice<Int>
    /// The candidates that were not available when it was their turn.
    private(set) var skipped: [(candidate: Candidate, refusal: CallMachine.Refusal)] = []
    /// The models that were not available when it was their turn, and were not called later.
    private(set) var notCalled: [(model: Int, availability: Availability)] = []
    /// The candidate of the last attempt.
    private(set) var current: Candidate?
    /// The number of retries of the current model.
    private(set) var retriesMade = 0
    /// After a prompt that was too long: the next candidate's context must be larger than this. 0: no bound.
    private var contextFloor = 0
    /// Whether the current model may be retried if no other model is left.
    private(set) var isPostponedRetryAllowed = false

    init(_ plan: consuming Plan) {
        remainingTries = plan.tries[...]
        remainingFallbacks = plan.fallback[...]
        self.plan = plan
    }

    /// The next model that has not been called; nil if no model or no attempt is left. It counts as an attempt only
    /// after `begin`.
    ///
    /// - Parameter context: returns a model's context in tokens, or nil if it is unknown.
    mutating func nextCandidate(context: (Int) -> Int?) -> Candidate? {
        guard attempts < plan.maxAttempts else { return nil }
        while tryModelsCalled < plan.maxModels, canCallTryModels, let model = remainingTries.popFirst() {
            if isCandidate(model, context) { return Candidate(model: model, isFallback: false, isRetry: false) }
        }
        while let model = remainingFallbacks.popFirst() {
            if isCandidate(model, context) { return Candidate(model: model, isFallback: true, isRetry: false) }
        }
        return nil
    }

    /// Counts an attempt at the candidate and makes it the current one.
    mutating func begin(_ candidate: Candidate) {
        if candidate.isRetry {
            retriesMade = candidate.model == current?.model ? retriesMade + 1 : 1
        } else {
            if let current { calledBefore.append(current.model) }
            retriesMade = 0
            if !candidate.isFallback { tryModelsCalled += 1 }
        }
        attempts += 1
        current = candidate
        if !notCalled.isEmpty { notCalled.removeAll { $0.model == candidate.model } }
        if !skipped.isEmpty { skipped.removeAll { $0.candidate.model == candidate.model } }
    }

    /// Makes the earlier of two parallel attempts the current one again, after the later one has failed.
    mutating func restoreCurrent(_ candidate: Candidate) {
        guard let current, current.model != candidate.model else { return }
        calledBefore.removeAll { $0 == candidate.model }
        calledBefore.append(current.model)
        self.current = candidate
        retriesMade = 0
    }

    /// The skipped candidates that may still be called.
    var waitable: [(candidate: Candidate, refusal: CallMachine.Refusal)] {
        tryModelsCalled < plan.maxModels ? skipped : skipped.filter { $0.candidate.isFallback || $0.candidate.isRetry }
    }

    /// Records that the candidate was not available.
    mutating func skip(_ candidate: Candidate, _ refusal: CallMachine.Refusal) {
        skipped.append((candidate, refusal))
        notCalled.removeAll { $0.model == candidate.model }
        notCalled.append((candidate.model, refusal.availability))
    }

    /// Removes a candidate that is called after all, or whose queue is full or timed out.
    mutating func removeSkipped(_ candidate: Candidate) {
        skipped.removeAll { $0.candidate == candidate }
    }

    /// Returns an unused candidate, so that `nextCandidate` returns it first.
    mutating func putBack(_ candidate: Candidate) {
        if candidate.isFallback {
            remainingFallbacks = [candidate.model] + remainingFallbacks
        } else {
            remainingTries = [candidate.model] + remainingTries
        }
    }

    /// Lets `nextCandidate` return the skipped candidates again.
    mutating func requeueSkipped() {
        remainingTries = skipped.filter { !$0.candidate.isFallback }.map(\.candidate.model)[...]
        remainingFallbacks = skipped.filter(\.candidate.isFallback).map(\.candidate.model)[...]
        skipped = []
    }

    /// Decides what follows a failure of the current model.
    ///
    /// - Parameters:
    ///   - rule: the failure's row of the failure table.
    ///   - retries: how often a model may be retried.
    ///   - context: returns a model's context in tokens, or nil if it is unknown.
    mutating func decide(_ rule: FailureRule, after failure: FailureClass, retries: Int, context: (Int) -> Int?) -> Decision {
        guard let failed = current else { return .stop }
        isPostponedRetryAllowed = false
        let canRetry = retriesMade < retries && attempts < plan.maxAttempts
        switch rule {
        case .retryThenNext:
            return canRetry && (failed.isFallback || canCallTryModels) ? .retry : .next
        case .nextThenRetry:
            isPostponedRetryAllowed = canRetry
            return .next
        case .next:
            return .next
        case .fallbackOnOrLargerContext:
            if let chain = plan.fallbackOn[failure] { return continueWith(chain) }
            guard let limit = context(failed.model) else { return .stop }
            contextFloor = max(contextFloor, limit)
            return .next
        case .fallbackOnOrStop:
            return plan.fallbackOn[failure].map { continueWith($0) } ?? .stop
        case .stop:
            return .stop
        }
    }

    /// The current model as a retry; nil if no attempt is left.
    var retryCandidate: Candidate? {
        guard let current, attempts < plan.maxAttempts else { return nil }
        return Candidate(model: current.model, isFallback: current.isFallback, isRetry: true)
    }

    /// Whether a model that matches has been called.
    func hasCalled(where matches: (Int) -> Bool) -> Bool {
        current.map { matches($0.model) } == true || calledBefore.contains(where: matches)
    }

    /// Whether an attempt is left for the models of `try`. One attempt is reserved while a fallback has not been
    /// called, so that retries don't use up the attempts before the fallback.
    private var canCallTryModels: Bool {
        let reserve = remainingFallbacks.contains { !wasCalled($0) } ? 1 : 0
        return attempts < max(1, plan.maxAttempts - reserve)
    }

    private func wasCalled(_ model: Int) -> Bool {
        current?.model == model || calledBefore.contains(model)
    }

    private func isCandidate(_ model: Int, _ context: (Int) -> Int?) -> Bool {
        !wasCalled(model) && (contextFloor == 0 || (context(model) ?? 0) > contextFloor)
    }

    /// Replaces all remaining candidates with a chain of `fallback_on`.
    private mutating func continueWith(_ chain: [Int]) -> Decision {
        remainingTries = []
        remainingFallbacks = chain[...]
        skipped = []
        return .next
    }
}
