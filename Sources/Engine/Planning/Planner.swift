import ProviderKit
import RoutingPolicy

/// Plans a request. It is pure: equal arguments and equal values from `state` give equal plans.
package struct Planner<State: PlanningState> {
    private let snapshot: Snapshot
    private let request: PlanRequest
    /// Created for the first route. A model that the client names is used whatever the request needs.
    private var conditions: RequestConditions?
    private var flat = RequestConditions.Flat()
    private var state: State
    /// The minimum for the current segment: the higher one of the segment's and the request's.
    private var minSuccessRate: Float = 0
    private let trace: PlanTrace?

    /// - Parameter trace: records why each candidate was chosen or left out; nil for served requests.
    package static func plan(
        _ request: consuming PlanRequest, in snapshot: Snapshot, state: State, trace: PlanTrace? = nil
    ) throws(PlanRefusal) -> Plan {
        var planner = Planner(snapshot: snapshot, request: consume request, state: state, trace: trace)
        return try planner.plan()
    }

    private init(snapshot: Snapshot, request: consuming PlanRequest, state: State, trace: PlanTrace?) {
        self.snapshot = snapshot
        self.request = request
        self.state = state
        self.trace = trace
    }

    private mutating func plan() throws(PlanRefusal) -> Plan {
        var plan: Plan
        switch request.models.count {
        case 0: plan = try self.plan(name: "auto")
        case 1: plan = try self.plan(name: request.models[0])
        default: plan = try self.plan(names: request.models)
        }
        if let name = request.overrides?.fields.fallbackModel { try addFallback(name, to: &plan) }
        applyOverrides(to: &plan)
        return plan
    }

    /// Puts the request's `fallback_model` before the route's fallbacks, unless its provider is off.
    private mutating func addFallback(_ name: String, to plan: inout Plan) throws(PlanRefusal) {
        trace?.begin(.fallback, order: .listed)
        do throws(PlanRefusal) {
            let models = try models(named: request.overrides?.fields.fallbackProvider.map { "\($0)/\(name)" } ?? name)
            traceChosen(models)
            plan.fallback = models + plan.fallback
        } catch {
            guard case .off = error else { throw error }
        }
    }

    /// Applies the request's bounds, which override the route's.
    private func applyOverrides(to plan: inout Plan) {
        guard let fields = request.overrides?.fields else { return }
        if let timeout = fields.timeout { plan.total = timeout }
        if let switches = fields.maxModelSwitches { plan.maxModels = switches + 1 }
        if let retries = fields.retries { plan.retry.retries = retries }
        if let delay = fields.retryDelay { plan.retry.delay = delay }
    }

    private mutating func plan(name: String) throws(PlanRefusal) -> Plan {
        if let route = snapshot.route(named: name) {
            return try plan(snapshot.chains[route], name, scope: request.scope?.routes.contains(route) == true ? nil : request.scope)
        }
        if name == "auto" { return try plan(snapshot.auto, name, scope: request.scope) }
        let models = try models(named: name)
        var plan = emptyPlan(route: nil)
        plan.isNamed = true
        plan.total = snapshot.modelTimeouts[models[0]].total
        trace?.begin(.named(name), order: models.count > 1 ? .roundRobin : .listed)
        traceChosen(models)
        plan.tries = models
        return plan
    }

    /// Plans a list of names in their order. Each of them may be a model or a route.
    private mutating func plan(names: [String]) throws(PlanRefusal) -> Plan {
        var plan = emptyPlan(route: nil)
        var off: PlanRefusal?
        for name in names {
            let part: Plan
            do throws(PlanRefusal) { part = try self.plan(name: name) } catch {
                guard case .off = error else { throw error }
                off = error
                continue
            }
            plan.tries += part.tries.filter { !plan.tries.contains($0) }
            plan.fallback += part.fallback
            if part.route != nil {
                plan.route = plan.route ?? part.route
                plan.fallbackOn.merge(part.fallbackOn) { first, _ in first }
            }
        }
        if let off, plan.tries.isEmpty, plan.fallback.isEmpty { throw off }
        plan.maxModels = max(plan.maxModels, min(names.count, plan.maxAttempts))
        return plan
    }

    private func emptyPlan(route: String?) -> Plan {
        let policy = snapshot.policy
        return Plan(
            route: route, maxModels: policy.defaults.maxModels, maxAttempts: policy.defaults.maxAttempts, isNamed: false,
            total: policy.defaults.timeouts.total)
    }

    // MARK: Models by name

    /// The models with this name whose providers are on, rotated.
    private mutating func models(named name: String) throws(PlanRefusal) -> [Int] {
        let models = snapshot.models(named: name)
        let allowed = request.scope.map { scope in models.filter(scope.models.contains) } ?? models
        guard !allowed.isEmpty else { throw request.scope == nil ? .unknown(name) : .forbidden(name) }
        var served = allowed.filter { snapshot.instance(ofModel: $0) != nil }
        if served.isEmpty { throw .off(snapshot.unsetVariables(of: allowed)) }
        if served.count > 1 {
            let start = Int(UInt(bitPattern: state.rotation(ofSegment: 0)) % UInt(served.count))
            served = Array(served[start...] + served[..<start])
        }
        return served
    }

    private func traceChosen(_ models: [Int]) {
        guard let trace else { return }
        for model in models { trace.chosen(model, state.reading(ofModel: model)) }
    }

    // MARK: Routes

    private mutating func plan(_ chains: RouteChains, _ name: String, scope: ModelScope?) throws(PlanRefusal) -> Plan {
        let conditions = conditions ?? RequestConditions(request)
        (self.conditions, flat) = (conditions, conditions.flat)
        var plan = emptyPlan(route: name)
        if let index = chains.route { apply(index, to: &plan) }
        if let scope, !chains.all.contains(where: scope.models.contains) { throw .forbidden(name) }
        let limit = max(Plan.maxCandidates, plan.maxModels + 4)
        for segment in chains.tries { appendCandidates(of: segment, .route(name), scope, limit, into: &plan.tries) }
        for segment in chains.fallback { appendCandidates(of: segment, .fallback, scope, limit, into: &plan.fallback) }
        for (failure, segments) in chains.fallbackOn {
            var chain: [Int] = []
            for segment in segments { appendCandidates(of: segment, .fallbackOn(failure), scope, limit, into: &chain) }
            plan.fallbackOn[failure] = chain
        }
        if plan.tries.isEmpty, plan.fallback.isEmpty, request.overrides?.fields.fallbackModel == nil { throw refusal(chains, name, scope) }
        return plan
    }

    private func apply(_ index: Int, to plan: inout Plan) {
        let route = snapshot.policy.routes[index]
        plan.maxModels = route.maxModels ?? plan.maxModels
        plan.maxAttempts = route.maxAttempts ?? plan.maxAttempts
        plan.total = route.timeouts.total ?? plan.total
        if route.timeouts != TimeoutOverrides() { plan.timeoutRoute = index }
        plan.retry = route.retry
        plan.failover = route.failover
        plan.hedge = route.hedge
        plan.resumes = route.resumes
    }

    /// Ranks those models of a segment that fit the request, and appends them.
    private mutating func appendCandidates(
        of segment: Segment, _ part: PlanTrace.Part, _ scope: ModelScope?, _ limit: Int, into chain: inout [Int]
    ) {
        let order = segment.isSelected ? request.overrides?.fields.selectionMode?.order ?? segment.order : segment.order
        trace?.begin(part, order: order)
        minSuccessRate = Float(max(segment.minSuccessRate ?? 0, request.overrides?.fields.minSuccessRate ?? 0))
        let end = chain.count + limit
        if order == .listed, request.overrides?.fields.prefersFast != true {
            for model in segment.models where chain.count < end || trace != nil {
                if fits(model, scope, trace) { append(model, to: &chain, end: end) }
            }
        } else {
            appendRanked(segment, order, scope, end, into: &chain)
        }
    }

    /// Appends the available models in ranked order, and then the unavailable ones as listed.
    private mutating func appendRanked(_ segment: Segment, _ order: Order, _ scope: ModelScope?, _ end: Int, into chain: inout [Int]) {
        let rotates = order == .roundRobin || order == .leastBusy
        let turn = rotates ? state.rotation(ofSegment: segment.id) : 0
        var total = 0
        if rotates {
            for model in segment.models where fits(model, scope, nil) && state.availability(ofModel: model).isAvailable { total += 1 }
        }
        var isAnyUnavailable = false
        withUnsafeTemporaryAllocation(of: Ranking.Candidate.self, capacity: max(3, end - chain.count)) { places in
            // With `prefer_fast`, the fast models are ranked first, and the others separately after them.
            for isFast in request.overrides?.fields.prefersFast == true ? [true, false] : [nil] {
                var ranking = Ranking(order, keeping: places, turn: turn, of: total)
                if rank(segment, order, scope, isFast: isFast, &ranking) { isAnyUnavailable = true }
                for candidate in ranking.ranked(chance: { state.chance() }) { append(candidate.model, to: &chain, end: end) }
            }
        }
        guard isAnyUnavailable || trace != nil else { return }
        for model in segment.models where chain.count < end || trace != nil {
            guard fits(model, scope, nil) else { continue }
            if !state.availability(ofModel: model).isAvailable {
                append(model, to: &chain, end: end)
            } else if let trace, !chain.contains(model) {
                trace.omitted(model, .outranked)
            }
        }
    }

    /// Offers the models of a segment to the ranking. It must not allocate, because it checks every model of a
    /// selector.
    ///
    /// - Parameter isFast: true ranks only models of type `fast`, false only the others; nil ranks all.
    /// - Returns: whether some models fit but are unavailable.
    private mutating func rank(_ segment: Segment, _ order: Order, _ scope: ModelScope?, isFast: Bool?, _ ranking: inout Ranking) -> Bool {
        var isAnyUnavailable = false
        for model in segment.models {
            if let isFast, snapshot.traits[model].isFast != isFast { continue }
            guard fits(model, scope, trace) else { continue }
            guard state.availability(ofModel: model).isAvailable else {
                isAnyUnavailable = true
                continue
            }
            ranking.offer(model, score: score(order, model)) { state.chance() }
        }
        return isAnyUnavailable
    }

    @inline(__always)
    private func score(_ order: Order, _ model: Int) -> Double {
        switch order {
        case .listed, .roundRobin: return 0
        case .weighted, .best, .top3: return Ranking.score(weight: snapshot.traits[model].weight, state.statistics(ofModel: model))
        case .fastest:
            let statistics = state.statistics(ofModel: model)
            return -Double(statistics.meanFirstTokenMilliseconds ?? statistics.meanLatencyMilliseconds ?? -1)
        case .cheapest: return -snapshot.traits[model].price
        case .leastBusy: return -Double(state.inFlight(ofModel: model))
        }
    }

    /// Whether no rule excludes the model.
    @inline(__always)
    private func fits(_ model: Int, _ scope: ModelScope?, _ trace: PlanTrace?) -> Bool {
        if let scope, !scope.models.contains(model) {
            trace?.omitted(model, .scope)
            return false
        }
        guard flat.areMet(by: snapshot.traits[model]),
            !flat.hasOverrides || conditions?.failedOverride(of: snapshot.policy.models[model]) == nil
        else {
            if let trace, let rule = conditions?.firstFailure(of: snapshot.policy.models[model]) { trace.omitted(model, rule) }
            return false
        }
        guard minSuccessRate > 0 else { return true }
        let rate = state.statistics(ofModel: model).successRate
        if rate >= minSuccessRate { return true }
        trace?.omitted(model, .successRate(Double(rate), min: Double(minSuccessRate)))
        return false
    }

    private func append(_ model: Int, to chain: inout [Int], end: Int) {
        guard !chain.contains(model) else { return }
        guard chain.count < end else {
            trace?.omitted(model, .outranked)
            return
        }
        chain.append(model)
        if let trace { trace.chosen(model, state.reading(ofModel: model)) }
    }

    /// The reason why a route has no candidate.
    private func refusal(_ chains: RouteChains, _ name: String, _ scope: ModelScope?) -> PlanRefusal {
        let served = chains.all.filter { snapshot.instance(ofModel: $0) != nil }
        guard !served.isEmpty else {
            let unset = snapshot.unsetVariables(of: chains.all)
            return unset.isEmpty ? .empty(name) : .off(unset)
        }
        let omitted = served.map { model -> OmittedModel in
            if let scope, !scope.models.contains(model) { return OmittedModel(model: model, rule: .scope) }
            if let rule = conditions?.firstFailure(of: snapshot.policy.models[model]) { return OmittedModel(model: model, rule: rule) }
            return OmittedModel(
                model: model,
                rule: .successRate(
                    Double(state.reading(ofModel: model).statistics.successRate), min: request.overrides?.fields.minSuccessRate ?? 0))
        }
        return .unfit(name, omitted)
    }
}
