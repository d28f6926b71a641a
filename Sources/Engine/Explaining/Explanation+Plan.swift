import NIOCore
package import ProviderKit
import RoutingPolicy

extension Explanation {
    /// - Parameters:
    ///   - down: models that are assumed to be unreachable, as indices into the policy's models.
    ///   - refusal: returns the error response for a request without a plan.
    package static func of(
        _ request: PlanRequest, key: Key, in snapshot: Snapshot, state: ExplanationState, down: Set<Int> = [],
        refusal: (PlanRefusal) -> RequestRefusal
    ) -> Explanation {
        let trace = PlanTrace(), snapshot = snapshot.including(unlistedOf: request), state = state.including(snapshot)
        let explained = Request(
            operation: request.operation, models: request.models, needs: request.needs, overrides: request.fields, key: key,
            keyState: State(state.availability(of: key), now: state.now))
        do throws(PlanRefusal) {
            let plan = try Planner.plan(request, in: snapshot, state: state, trace: trace)
            let builder = PlannedCallBuilder(plan, request, trace, in: snapshot, state: state, down: down)
            return Explanation(
                request: explained, config: snapshot.policy.digest, outcome: .planned(builder.call),
                leftOut: builder.unreached + ExplanationOmissions(request, trace, plan, in: snapshot).value)
        } catch {
            var leftOut = ExplanationOmissions(request, trace, nil, in: snapshot).value
            if case .unfit(_, let omitted) = error {
                // The models that the refusal names come first, with its reasons.
                let named = omitted.map { LeftOut(model: Model($0.model, in: snapshot), rule: $0.rule.description) }
                let models = Set(named.map(\.model))
                leftOut = named + leftOut.filter { !models.contains($0.model) }
            }
            return Explanation(request: explained, config: snapshot.policy.digest, outcome: .refused(refusal(error)), leftOut: leftOut)
        }
    }

    /// The explanation of a request that is refused before it is planned.
    package static func refused(
        _ refusal: RequestRefusal, operation: ProviderKit.Operation, key: Key, config: String
    ) -> Explanation {
        Explanation(
            request: Request(
                operation: operation, models: [], needs: RequestNeeds(), overrides: RoutingOverrides(), key: key, keyState: .ready),
            config: config, outcome: .refused(refusal), leftOut: [])
    }
}

extension Explanation.Replacement {
    fileprivate init(_ replacement: PlanTrace.Replacement, in policy: RoutingPolicy) {
        self.init(
            route: policy.routes[replacement.route].name, condition: replacement.condition.words(in: policy),
            use: policy.routes[replacement.condition.use].name)
    }
}

extension Explanation.StickyNote {
    fileprivate init?(_ plan: Plan, _ trace: PlanTrace, in snapshot: Snapshot) {
        guard let route = plan.route.flatMap(snapshot.route), snapshot.policy.routes[route].sticky != nil else { return nil }
        self.init(
            identity: plan.conversation?.identity.word, model: trace.stickyModel.map { Explanation.Model($0, in: snapshot) },
            isPinned: trace.isPinned)
    }
}

extension Explanation.Model {
    init(_ model: Int, in snapshot: Snapshot) {
        let definition = snapshot.models[model]
        self.init(provider: snapshot.policy.providers[definition.provider].name, name: definition.name)
    }
}

/// Simulates the call of a plan in which every attempt fails, and explains each attempt.
struct PlannedCallBuilder {
    private(set) var call: Explanation.PlannedCall
    /// The candidates of the plan that no attempt reaches, with the bound that excludes them.
    private(set) var unreached: [Explanation.LeftOut] = []

    private let snapshot: Snapshot
    private let plan: Plan
    private let state: ExplanationState
    private let down: Set<Int>

    init(_ plan: Plan, _ request: PlanRequest, _ trace: PlanTrace, in snapshot: Snapshot, state: ExplanationState, down: Set<Int>) {
        self.snapshot = snapshot
        self.plan = plan
        self.state = state
        self.down = down
        let states = SimulatedStates(snapshot, original: state.state)
        let simulation = CallSimulation(plan, request.needs, in: snapshot, states, at: state.now) {
            down.contains($0) ? .simulatedOutage : .simulatedFailure
        }
        call = Explanation.PlannedCall(
            route: plan.route, replacements: trace.replacements.map { Explanation.Replacement($0, in: snapshot.policy) },
            sticky: Explanation.StickyNote(plan, trace, in: snapshot), attempts: [], ending: simulation.ending, status: simulation.status,
            chains: [], maxModels: plan.maxModels,
            maxAttempts: plan.maxAttempts, total: plan.total, attemptTimeout: plan.attemptTimeout, skippedNames: plan.skippedNames,
            hedge: plan.hedge, resumes: plan.resumes, seed: trace.isDrawn ? state.seed : nil)
        let ranks = ExplanationRanks(request, trace, snapshot, state)
        call.attempts = simulation.attempts.map { attempt in
            let rank = ranks.rank(of: attempt.model, isFallback: attempt.isFallback)
            return explained(attempt.model, rank, isRetry: attempt.isRetry, wait: attempt.wait)
        }
        for (failure, models) in plan.fallbackOn.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            call.chains += models.map { explained($0, ranks.rank(of: $0, in: .fallbackOn(failure))) }
        }
        let reached = Set(simulation.attempts.map(\.model) + plan.fallbackOn.values.joined())
        unreached = unreached(after: simulation, reached)
    }

    private func explained(
        _ model: Int, _ rank: ExplanationRanks.Rank, isRetry: Bool = false, wait: Duration = .zero
    ) -> Explanation.Attempt {
        Explanation.Attempt(
            model: Explanation.Model(model, in: snapshot), part: rank.part, reason: rank.reason,
            state: down.contains(model) ? .down : Explanation.State(state.reading(ofModel: model).availability, now: state.now),
            keys: snapshot.instance(ofModel: model)?.keys.map { Explanation.Keys($0, now: state.now) }, isRetry: isRetry, wait: wait,
            timeouts: snapshot.timeouts(ofModel: model, on: plan.timeoutRoute),
            retry: snapshot.retry(ofModel: model).overridden(by: plan.retry)
        )
    }

    private func unreached(after simulation: borrowing CallSimulation, _ reached: Set<Int>) -> [Explanation.LeftOut] {
        var seen = reached
        let triedCount = Set(simulation.attempts.filter { !$0.isFallback }.map(\.model)).count
        return (plan.tries.map { ($0, false) } + plan.fallback.map { ($0, true) }).compactMap { model, isFallback in
            guard seen.insert(model).inserted else { return nil }
            let rule: String
            if case .stopped(let failure) = simulation.ending {
                rule = "failover: \(failure.rawValue) ends the call"
            } else if !isFallback, triedCount >= plan.maxModels {
                rule = "beyond max_models (\(plan.maxModels))"
            } else if simulation.ending == .unavailable {
                rule = "not available within \(plan.isNamed ? "'named_wait'" : "the total timeout")"
            } else {
                rule = "max_attempts: \(plan.maxAttempts) \(plan.maxAttempts == 1 ? "attempt comes" : "attempts come") before it"
            }
            return Explanation.LeftOut(model: Explanation.Model(model, in: snapshot), rule: rule)
        }
    }
}

extension Explanation.Keys {
    fileprivate init(_ keys: KeyRing, now: NIODeadline) {
        count = keys.count
        cooling = keys.cooling(now: now).map { Explanation.CoolingKey(position: $0.position, reason: $0.reason, remaining: $0.until - now) }
    }
}

extension Explanation.State {
    init(_ availability: Availability, now: NIODeadline) {
        switch availability {
        case .ready: self = .ready
        case .probe: self = .probe
        case .probing: self = .probing
        case .open(let until): self = .open(max(.zero, until - now))
        case .coolingDown(let until): self = .coolingDown(max(.zero, until - now))
        case .limited(let until): self = .limited(max(.zero, until - now))
        case .full: self = .full
        }
    }
}
