import ProviderKit

/// Walks a plan: which model next, given how the last one failed. A value without clock or sockets.
struct AttemptSequence {
    struct Next: Equatable {
        var model: Int
        /// It stands in `fallback` or `fallback_on`.
        var isFallback: Bool
        /// It is the model that has just been asked.
        var isRetry: Bool
    }

    /// Attempts made, this one included.
    private(set) var attempts = 0
    private let plan: Plan
    /// Before `current`: so a call whose first attempt answers keeps no list.
    private var askedBefore: [Int] = []
    private var modelsTried = 0
    private var triesLeft: ArraySlice<Int>
    private var fallbackLeft: ArraySlice<Int>
    private var current: Next?
    private var hasRetried = false

    init(_ plan: Plan) {
        self.plan = plan
        triesLeft = plan.tries[...]
        fallbackLeft = plan.fallback[...]
    }

    mutating func first() -> Next? {
        take { _ in true }
    }

    /// The next attempt after the last one failed so; nil: the call has failed.
    ///
    /// - Parameter context: a model's context in tokens, nil where unknown.
    mutating func next(after failure: FailureClass, context: (Int) -> Int?) -> Next? {
        guard let failed = current, attempts < plan.maxAttempts else { return nil }
        switch failure.fate {
        case .retryThenNext:
            if !hasRetried, mayTryAgain(failed) {
                hasRetried = true
                return begin(Next(model: failed.model, isFallback: failed.isFallback, isRetry: true))
            }
            return take { _ in true }
        case .next:
            return take { _ in true }
        case .largerContext:
            if let chain = plan.fallbackOn[failure] { return follow(chain) }
            guard let limit = context(failed.model) else { return nil }
            return take { (context($0) ?? 0) > limit }
        case .ownChain:
            return plan.fallbackOn[failure].flatMap { follow($0) }
        case .stop:
            return nil
        }
    }

    /// While a fallback is still unasked, `try` leaves it one attempt: a fallback that its own route's retries use up would be none.
    private var triesMayGoOn: Bool {
        let reserve = fallbackLeft.contains { !wasAsked($0) } ? 1 : 0
        return attempts < max(1, plan.maxAttempts - reserve)
    }

    private func wasAsked(_ model: Int) -> Bool {
        current?.model == model || askedBefore.contains(model)
    }

    private func mayTryAgain(_ failed: Next) -> Bool {
        failed.isFallback || triesMayGoOn
    }

    private mutating func take(where fits: (Int) -> Bool) -> Next? {
        while modelsTried < plan.maxModels, triesMayGoOn, let model = triesLeft.popFirst() {
            guard !wasAsked(model), fits(model) else { continue }
            modelsTried += 1
            return begin(Next(model: model, isFallback: false, isRetry: false))
        }
        while let model = fallbackLeft.popFirst() {
            guard !wasAsked(model), fits(model) else { continue }
            return begin(Next(model: model, isFallback: true, isRetry: false))
        }
        return nil
    }

    /// From here on the chain of `fallback_on` alone counts.
    private mutating func follow(_ chain: [Int]) -> Next? {
        triesLeft = []
        fallbackLeft = chain[...]
        return take { _ in true }
    }

    private mutating func begin(_ next: Next) -> Next {
        if !next.isRetry {
            if let current { askedBefore.append(current.model) }
            hasRetried = false
        }
        attempts += 1
        current = next
        return next
    }
}
