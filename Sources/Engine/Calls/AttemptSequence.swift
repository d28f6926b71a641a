import ProviderKit
import RoutingPolicy

/// Walks a plan: which model next, given how the last one failed. A value without clock, sockets or shared state: what a model's state says of it comes in
/// by `skip`.
struct AttemptSequence {
    struct Step: Equatable {
        var model: Int
        /// It stands in `fallback` or `fallback_on`.
        var isFallback: Bool
        /// It is the model that has just been asked.
        var isRetry: Bool
    }

    /// What follows a failed attempt.
    enum Follow: Equatable {
        case stop
        case next
        /// `retryStep`, after a wait; then the next.
        case retry
    }

    /// Attempts made, this one included.
    private(set) var attempts = 0
    let plan: Plan
    /// Before `current`: so a call whose first attempt answers keeps no list.
    private var triedBefore: [Int] = []
    private var modelsTried = 0
    private var triesLeft: ArraySlice<Int>
    private var fallbackLeft: ArraySlice<Int>
    /// Proposed, but not to be had at that moment.
    private(set) var skipped: [(step: Step, availability: Availability)] = []
    private(set) var current: Step?
    private(set) var retriesMade = 0
    /// After a prompt that was too long: what the next candidate's context must exceed.
    private var contextFloor = 0
    /// The last model may be asked once more where no other is left.
    private(set) var isLastResortAllowed = false

    init(_ plan: consuming Plan) {
        triesLeft = plan.tries[...]
        fallbackLeft = plan.fallback[...]
        self.plan = plan
    }

    /// The next candidate that wasn't asked yet; nil: none is left, or no attempt. It counts with `begin`.
    ///
    /// - Parameter context: a model's context in tokens, nil where unknown.
    mutating func propose(context: (Int) -> Int?) -> Step? {
        guard attempts < plan.maxAttempts else { return nil }
        while modelsTried < plan.maxModels, triesMayGoOn, let model = triesLeft.popFirst() {
            if isCandidate(model, context) { return Step(model: model, isFallback: false, isRetry: false) }
        }
        while let model = fallbackLeft.popFirst() {
            if isCandidate(model, context) { return Step(model: model, isFallback: true, isRetry: false) }
        }
        return nil
    }

    /// An attempt is made.
    mutating func begin(_ step: Step) {
        if step.isRetry {
            retriesMade = step.model == current?.model ? retriesMade + 1 : 1
        } else {
            if let current { triedBefore.append(current.model) }
            retriesMade = 0
            if !step.isFallback { modelsTried += 1 }
        }
        attempts += 1
        current = step
    }

    /// Of two attempts side by side the later has failed: what follows hangs on the earlier again.
    mutating func goBack(to step: Step) {
        guard let current, current.model != step.model else { return }
        triedBefore.removeAll { $0 == step.model }
        triedBefore.append(current.model)
        self.current = step
        retriesMade = 0
    }

    /// It rests, or is at a limit.
    mutating func skip(_ step: Step, _ availability: Availability) {
        skipped.append((step, availability))
    }

    /// It is asked after all, or was waited for in vain.
    mutating func dropSkipped(_ step: Step) {
        skipped.removeAll { $0.step == step }
    }

    /// A proposal that wasn't used stays the next.
    mutating func putBack(_ step: Step) {
        if step.isFallback { fallbackLeft = [step.model] + fallbackLeft } else { triesLeft = [step.model] + triesLeft }
    }

    /// What was skipped is proposed again.
    mutating func reviveSkipped() {
        triesLeft = skipped.filter { !$0.step.isFallback }.map(\.step.model)[...]
        fallbackLeft = skipped.filter(\.step.isFallback).map(\.step.model)[...]
        skipped = []
    }

    /// Decides what follows a failure of the current model.
    ///
    /// - Parameters:
    ///   - retries: how often a model may be asked again.
    ///   - context: a model's context in tokens, nil where unknown.
    mutating func follow(_ fate: Fate, of failure: FailureClass, retries: Int, context: (Int) -> Int?) -> Follow {
        guard let failed = current else { return .stop }
        isLastResortAllowed = false
        let mayRetry = retriesMade < retries && attempts < plan.maxAttempts
        switch fate {
        case .retryThenNext:
            return mayRetry && (failed.isFallback || triesMayGoOn) ? .retry : .next
        case .nextThenRetry:
            isLastResortAllowed = mayRetry
            return .next
        case .next:
            return .next
        case .largerContext:
            if let chain = plan.fallbackOn[failure] { return follow(chain) }
            guard let limit = context(failed.model) else { return .stop }
            contextFloor = max(contextFloor, limit)
            return .next
        case .ownChain:
            return plan.fallbackOn[failure].map { follow($0) } ?? .stop
        case .stop:
            return .stop
        }
    }

    /// The current model once more; nil: not after this failure, or not so soon.
    var retryStep: Step? {
        guard let current, attempts < plan.maxAttempts else { return nil }
        return Step(model: current.model, isFallback: current.isFallback, isRetry: true)
    }

    /// Whether the model, or another of its provider, has been asked.
    func hasTried(where matches: (Int) -> Bool) -> Bool {
        current.map { matches($0.model) } == true || triedBefore.contains(where: matches)
    }

    /// While a fallback is still unasked, `try` leaves it one attempt: a fallback that its own route's retries use up would be none.
    private var triesMayGoOn: Bool {
        let reserve = fallbackLeft.contains { !wasTried($0) } ? 1 : 0
        return attempts < max(1, plan.maxAttempts - reserve)
    }

    private func wasTried(_ model: Int) -> Bool {
        current?.model == model || triedBefore.contains(model)
    }

    private func isCandidate(_ model: Int, _ context: (Int) -> Int?) -> Bool {
        !wasTried(model) && (contextFloor == 0 || (context(model) ?? 0) > contextFloor)
    }

    /// From here on the chain of `fallback_on` alone counts.
    private mutating func follow(_ chain: [Int]) -> Follow {
        triesLeft = []
        fallbackLeft = chain[...]
        skipped = []
        return .next
    }
}
