import ProviderKit
import RoutingPolicy

/// Plans a request. It is pure: equal arguments and equal values from `state` give equal plans.
package struct Planner<State: PlanningState> {
    private let snapshot: Snapshot
    private let request: PlanRequest
    /// Created for the first route or fallback. A model that the client names is used whatever the request needs, if it
    /// serves the operation.
    private var conditions: RequestConditions?
    private var flat = RequestConditions.Flat()
    private let cost: ExpectedCost
    private var state: State
    /// The minimum for the current segment: the higher one of the segment's and the request's.
    private var minSuccessRate: Float = 0
    /// Whether the current segment is bound by the request's wishes, and the request has some.
    private var checksWishes = false
    /// Whether the current segment is ranked by `prefer_fast`.
    private var prefersFast = false
    /// Whether the request, or a route that it names, has a fallback of its own.
    private var hasFallback = false
    /// Whether the request names a route that the key's scope contains itself.
    private var isGranted = false
    /// The name of the only model whose vectors the request may get, from any of its providers, because vectors of two
    /// models don't mix: the first that is listed, whatever its state is and however long the request. nil until it is
    /// found, and for every operation but embeddings.
    private var vectorModel: String?
    /// The model that last served the request's conversation on the current route; nil if none is remembered.
    private var stickyModel: Int?
    /// Why the first name leads to no candidate. It counts if no other name and no fallback has one.
    private var refusal: PlanRefusal?
    private let trace: PlanTrace?

    /// - Parameter trace: records why each candidate was chosen or left out; nil for served requests.
    package static func plan(
        _ request: consuming PlanRequest, in snapshot: Snapshot, state: State, trace: PlanTrace? = nil
    ) throws(PlanRefusal) -> Plan {
        var planner = Planner(snapshot: snapshot, request: consume request, state: state, trace: trace)
        var plan = planner.emptyPlan
        try planner.fill(&plan)
        return plan
    }

    private init(snapshot: Snapshot, request: consuming PlanRequest, state: State, trace: PlanTrace?) {
        self.snapshot = snapshot
        cost = ExpectedCost(request.operation, request.needs, choices: request.choices)
        self.request = request
        self.state = state
        self.trace = trace
    }

    private mutating func fill(_ plan: inout Plan) throws(PlanRefusal) {
        switch request.models.count {
        case 0: try addCandidates(of: "auto", to: &plan)
        case 1: try addCandidates(of: request.models[0], to: &plan)
        default: try addCandidates(ofList: request.models, to: &plan)
        }
        if let name = request.overrides?.fields.fallbackModel { try addFallback(name, to: &plan) }
        if !hasFallback { addDefaultFallback(to: &plan) }
        if let refusal, plan.tries.isEmpty, plan.fallback.isEmpty { throw refusal }
        applyOverrides(to: &plan)
    }

    /// Puts the request's `fallback_model` before the route's fallbacks, unless its provider is off or it doesn't serve
    /// the operation: the key's defaults may name it for other requests.
    private mutating func addFallback(_ name: String, to plan: inout Plan) throws(PlanRefusal) {
        hasFallback = true
        trace?.begin(.requestedFallback, order: .listed)
        do throws(PlanRefusal) {
            let models =
                if let provider = request.overrides?.fields.fallbackProvider {
                    try served(snapshot.models(named: name, of: provider), "\(provider)/\(name)")
                } else {
                    try served(snapshot.models(named: name), name)
                }
            traceChosen(models)
            plan.fallback = models + plan.fallback
        } catch {
            switch error {
            case .off: break
            case .unfit(_, let omitted): for model in omitted { trace?.omitted(model.model, model.rule) }
            case .unknown, .forbidden, .empty: throw error
            }
        }
    }

    private mutating func addDefaultFallback(to plan: inout Plan) {
        guard !snapshot.defaultFallback.fallback.isEmpty else { return }
        readConditions()
        let scope = isGranted ? nil : request.scope, limit = candidateLimit(plan)
        for segment in snapshot.defaultFallback.fallback {
            appendCandidates(of: segment, .defaultFallback, scope, limit, into: &plan.fallback)
        }
    }

    /// Applies the request's bounds, which override the route's.
    private func applyOverrides(to plan: inout Plan) {
        guard let fields = request.overrides?.fields else { return }
        plan.attemptTimeout = fields.timeout
        if let models = fields.maxModelSwitches { plan.maxModels = models }
        if let retries = fields.retries { plan.retry.retries = retries }
        if let delay = fields.retryDelay { plan.retry.setConstantDelay(delay) }
    }

    private mutating func addCandidates(of name: String, to plan: inout Plan) throws(PlanRefusal) {
        let meaning = snapshot.meaning(of: name)
        if let route = meaning?.route {
            let isGranted = request.scope?.routes.contains(route) == true
            if isGranted { self.isGranted = true }
            let replacing = replacement(of: route), name = replacing == route ? name : snapshot.policy.routes[replacing].name
            return try addCandidates(of: snapshot.chains[replacing], name, scope: isGranted ? nil : request.scope, to: &plan)
        }
        if name == "auto" { return try addCandidates(of: snapshot.auto, name, scope: request.scope, to: &plan) }
        plan.isNamed = true
        do throws(PlanRefusal) { plan.tries = try served(snapshot.models(named: name, meaning), name) } catch {
            guard case .off = error else { throw error }
            refusal = refusal ?? error
        }
        if let first = plan.tries.first { plan.total = snapshot.totalTimeout(ofModel: first) }
        trace?.begin(.named(name), order: plan.tries.count > 1 ? .roundRobin : .listed)
        traceChosen(plan.tries)
    }

    /// The route that replaces this one because a condition holds; the route itself if none does.
    private func replacement(of route: Int) -> Int {
        guard let traits = request.traits else { return route }
        var route = route
        while let condition = snapshot.policy.routes[route].conditions.first(where: { traits.meets($0, request.operation) }) {
            trace?.replaced(route, by: condition)
            route = condition.use
        }
        return route
    }

    /// Adds the candidates of a list of names in their order. Each of them may be a model or a route. A name that is
    /// unknown, that the key may not use, or whose model doesn't serve the operation, is skipped.
    private mutating func addCandidates(ofList names: [String], to plan: inout Plan) throws(PlanRefusal) {
        var parts: [Plan] = [], skipped: [String] = []
        var unfit: PlanRefusal?
        for name in names {
            do throws(PlanRefusal) {
                var part = emptyPlan
                try addCandidates(of: name, to: &part)
                parts.append(part)
            } catch {
                skipped.append(name)
                if case .unfit = error { unfit = unfit ?? error }
            }
        }
        guard let first = parts.first else { throw unfit ?? .unknown(names.joined(separator: ", ")) }
        plan = parts.count == 1 ? first : combined(parts)
        plan.skippedNames = skipped
    }

    private func combined(_ parts: [Plan]) -> Plan {
        var plan = emptyPlan
        for part in parts {
            plan.tries += part.tries.filter { !plan.tries.contains($0) }
            plan.fallback += part.fallback
            if part.route != nil {
                plan.route = plan.route ?? part.route
                plan.fallbackOn.merge(part.fallbackOn) { first, _ in first }
                plan.conversation = plan.conversation ?? part.conversation
            }
        }
        plan.maxModels = max(plan.maxModels, min(parts.count, plan.maxAttempts))
        return plan
    }

    private var emptyPlan: Plan {
        let defaults = snapshot.policy.defaults
        return Plan(maxModels: defaults.maxModels, maxAttempts: defaults.maxAttempts, isNamed: false, total: defaults.timeouts.total)
    }

    // MARK: Models by name

    /// Those of the models with this name that the key may use, that serve the operation and whose providers are on,
    /// rotated.
    private mutating func served(_ models: [Int], _ name: String) throws(PlanRefusal) -> [Int] {
        let allowed = request.scope.map { scope in models.kept { scope.models.contains($0) || snapshot.isUnlisted($0) } } ?? models
        guard !allowed.isEmpty else { throw request.scope == nil ? .unknown(name) : .forbidden(name) }
        let serving = allowed.kept {
            snapshot.models[$0].serves.contains(request.operation) && !hasOtherVectors($0) && !lacksPrice($0)
        }
        guard let first = serving.first else { throw .unfit(name, allowed.map { OmittedModel(model: $0, rule: misuse(of: $0)) }) }
        pinVectors(to: first)
        var served = serving.kept { snapshot.instance(ofModel: $0) != nil }
        if served.isEmpty { throw .off(snapshot.unsetVariables(of: serving)) }
        if served.count > 1 {
            let start = Int(UInt(bitPattern: state.rotation(ofSegment: 0)) % UInt(served.count))
            served = Array(served[start...] + served[..<start])
        }
        return served
    }

    /// Why a model that the client names can't be used.
    private func misuse(of model: Int) -> Omission {
        let served = snapshot.models[model].serves
        if served.contains(request.operation), let vectorModel, hasOtherVectors(model) { return .otherVectors(than: vectorModel) }
        if served.contains(request.operation) { return .unpriced }
        return .operation(request.operation, serves: served)
    }

    private mutating func pinVectors(to model: Int) {
        guard request.operation == .embeddings, vectorModel == nil else { return }
        vectorModel = snapshot.models[model].name
    }

    private mutating func pinVectors(to segment: Segment, _ scope: ModelScope?) {
        let first = segment.models.first {
            scope?.models.contains($0) != false && snapshot.models[$0].serves.contains(.embeddings)
                && (!checksWishes || conditions?.failedWish(of: snapshot.models[$0]) == nil)
        }
        if let first { pinVectors(to: first) }
    }

    /// Whether the model's vectors don't mix with those of the request's other candidates.
    @inline(__always)
    private func hasOtherVectors(_ model: Int) -> Bool {
        vectorModel.map { snapshot.models[model].name != $0 } ?? false
    }

    /// Whether what a request costs at the model could not be counted, as the key's budget demands.
    @inline(__always)
    private func lacksPrice(_ model: Int) -> Bool {
        request.needsPrice && snapshot.models[model].price == nil
    }

    private func traceChosen(_ models: [Int]) {
        guard let trace else { return }
        for model in models { trace.chosen(model, state.reading(ofModel: model)) }
    }

    // MARK: Routes

    private mutating func addCandidates(
        of chains: RouteChains, _ name: String, scope: ModelScope?, to plan: inout Plan
    ) throws(PlanRefusal) {
        readConditions()
        plan.route = name
        if let index = chains.route { apply(index, to: &plan) }
        if request.traits != nil { readConversation(chains, name, to: &plan) }
        if let scope, !chains.all.contains(where: scope.models.contains) { throw .forbidden(name) }
        if chains.hasFallback { hasFallback = true }
        let limit = candidateLimit(plan)
        for segment in chains.tries { appendCandidates(of: segment, .route(name), scope, limit, into: &plan.tries) }
        if request.overrides?.fields.prefersFast == true, chains.tries.count > 1 { rankByLatency(&plan.tries) }
        if let stickyModel { pin(stickyModel, chains.tries, scope, to: &plan.tries) }
        for segment in chains.fallback { appendCandidates(of: segment, .fallback, scope, limit, into: &plan.fallback) }
        for (failure, segments) in chains.fallbackOn {
            var chain: [Int] = []
            for segment in segments { appendCandidates(of: segment, .fallbackOn(failure), scope, limit, into: &chain) }
            plan.fallbackOn[failure] = chain
        }
        if plan.tries.isEmpty, plan.fallback.isEmpty, refusal == nil { refusal = refusal(chains, name, scope) }
    }

    /// Reads the request's conversation, if the route is sticky, and the model that last served it.
    private mutating func readConversation(_ chains: RouteChains, _ name: String, to plan: inout Plan) {
        stickyModel = nil
        guard let route = chains.route, let sticky = snapshot.policy.routes[route].sticky else { return }
        plan.conversation = request.traits?.conversation(on: name, sticky)
        guard let conversation = plan.conversation, let last = state.model(of: conversation) else { return }
        stickyModel = snapshot.models(named: last.model, of: last.provider).first
        trace?.stickyModel = stickyModel
    }

    /// Puts the model that last served the conversation first, if it is a model of `try`, fits the request and is
    /// available.
    private mutating func pin(_ model: Int, _ tries: [Segment], _ scope: ModelScope?, to chain: inout [Int]) {
        guard state.availability(ofModel: model).isAvailable else { return }
        if let position = chain.firstIndex(of: model) {
            chain.remove(at: position)
        } else {
            // It may fit and rank too low.
            let fitting = tries.first { segment in
                guard segment.models.contains(model) else { return false }
                begin(segment, isTry: true)
                return fits(model, scope, nil)
            }
            guard fitting != nil else { return }
        }
        chain.insert(model, at: 0)
        trace?.isPinned = true
    }

    private mutating func readConditions() {
        guard conditions == nil else { return }
        let conditions = RequestConditions(request)
        (self.conditions, flat) = (conditions, conditions.flat)
    }

    /// How many candidates a segment contributes at most.
    private func candidateLimit(_ plan: Plan) -> Int {
        max(Plan.maxCandidates, (request.overrides?.fields.maxModelSwitches ?? plan.maxModels) + 4)
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
        plan.validJSON = route.validJSON
    }

    /// Ranks those models of a segment that fit the request, and appends them. The request's wishes count for the
    /// models of `try` alone, because a fallback is for when everything else has failed.
    private mutating func appendCandidates(
        of segment: Segment, _ part: PlanTrace.Part, _ scope: ModelScope?, _ limit: Int, into chain: inout [Int]
    ) {
        let wishes = begin(segment, isTry: part.isTry)
        let selected = segment.isSelected ? wishes?.fields.selectionMode?.order ?? segment.order : segment.order
        let order = prefersFast ? .fastest : selected
        trace?.begin(part, order: order)
        if request.operation == .embeddings { pinVectors(to: segment, scope) }
        let end = chain.count + limit
        if order == .listed {
            for model in segment.models where chain.count < end || trace != nil {
                if fits(model, scope, trace) { append(model, to: &chain, end: end) }
            }
        } else {
            appendRanked(segment, order, scope, end, into: &chain)
        }
    }

    /// Sets what binds the models of a segment. Returns the request's wishes, if they do.
    @discardableResult
    private mutating func begin(_ segment: Segment, isTry: Bool) -> OverridesBox? {
        let wishes = isTry ? request.overrides : nil
        checksWishes = wishes != nil && flat.hasWishes
        prefersFast = wishes?.fields.prefersFast == true
        minSuccessRate = Float(max(segment.minSuccessRate ?? 0, wishes?.fields.minSuccessRate ?? 0))
        return wishes
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
            var ranking = Ranking(order, keeping: places, turn: turn, of: total)
            isAnyUnavailable = rank(segment, order, scope, &ranking)
            for candidate in ranking.ranked(chance: { state.chance() }) { append(candidate.model, to: &chain, end: end) }
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
    /// - Returns: whether some models fit but are unavailable.
    private mutating func rank(_ segment: Segment, _ order: Order, _ scope: ModelScope?, _ ranking: inout Ranking) -> Bool {
        var isAnyUnavailable = false
        for model in segment.models {
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
            if prefersFast { return -Double(statistics.preferredLatency) }
            return -Double(statistics.meanFirstTokenMilliseconds ?? statistics.meanLatencyMilliseconds ?? -1)
        case .cheapest: return -cost.dollars(snapshot.traits[model].rates, isCached: model == stickyModel)
        case .leastBusy: return -Double(state.inFlight(ofModel: model))
        }
    }

    /// Ranks the candidates of several segments as one: the available ones by their mean latency, and then the others.
    private func rankByLatency(_ models: inout [Int]) {
        let ranked = models.enumerated().map { position, model in
            let isAvailable = state.availability(ofModel: model).isAvailable
            return (key: isAvailable ? state.statistics(ofModel: model).preferredLatency : .infinity, position: position, model: model)
        }
        models = ranked.sorted { ($0.key, $0.position) < ($1.key, $1.position) }.map(\.model)
    }

    /// Whether no rule excludes the model.
    @inline(__always)
    private func fits(_ model: Int, _ scope: ModelScope?, _ trace: PlanTrace?) -> Bool {
        if let scope, !scope.models.contains(model) {
            trace?.omitted(model, .scope)
            return false
        }
        guard flat.areMet(by: snapshot.traits[model]),
            !checksWishes || conditions?.failedWish(of: snapshot.models[model]) == nil
        else {
            if let trace, let rule = conditions?.firstFailure(of: snapshot.models[model], isTry: checksWishes) {
                trace.omitted(model, rule)
            }
            return false
        }
        if let vectorModel, hasOtherVectors(model) {
            trace?.omitted(model, .otherVectors(than: vectorModel))
            return false
        }
        if lacksPrice(model) {
            trace?.omitted(model, .unpriced)
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
            if let rule = conditions?.firstFailure(of: snapshot.models[model]) { return OmittedModel(model: model, rule: rule) }
            if let vectorModel, hasOtherVectors(model) { return OmittedModel(model: model, rule: .otherVectors(than: vectorModel)) }
            if lacksPrice(model) { return OmittedModel(model: model, rule: .unpriced) }
            return OmittedModel(
                model: model,
                rule: .successRate(
                    Double(state.reading(ofModel: model).statistics.successRate), min: request.overrides?.fields.minSuccessRate ?? 0))
        }
        return .unfit(name, omitted)
    }
}

extension [Int] {
    /// The elements that the condition keeps. Usually these are all, and nothing is copied.
    fileprivate func kept(_ isKept: (Int) -> Bool) -> [Int] { allSatisfy(isKept) ? self : filter(isKept) }
}
