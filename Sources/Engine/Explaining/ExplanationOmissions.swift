import ProviderKit
import RoutingPolicy

/// The models that the names in a request lead to but that its plan does not contain, each with the rule that excludes
/// it.
struct ExplanationOmissions {
    private(set) var value: [Explanation.LeftOut] = []

    private let request: PlanRequest
    private let snapshot: Snapshot
    /// The first traced rule of each model.
    private var traced: [Int: Omission] = [:]
    private var seen: Set<Int>

    /// - Parameter plan: nil if the request was refused.
    init(_ request: PlanRequest, _ trace: PlanTrace, _ plan: Plan?, in snapshot: Snapshot) {
        self.request = request
        self.snapshot = snapshot
        seen = plan.map { Set($0.tries + $0.fallback + $0.fallbackOn.values.joined()) } ?? []
        for omitted in trace.sections.flatMap(\.omitted) where traced[omitted.model] == nil { traced[omitted.model] = omitted.rule }
        let names = (request.models.isEmpty ? ["auto"] : request.models).map { trace.routeServing($0, in: snapshot.policy) }
        for name in names { addCandidates(of: name) }
        if let name = request.fields.fallbackModel {
            let models = request.fields.fallbackProvider.map { snapshot.models(named: name, of: $0) } ?? snapshot.models(named: name)
            for model in models { add(model, isTry: false) }
        } else if trace.sections.contains(where: { $0.part == .defaultFallback }) {
            for model in snapshot.defaultFallback.all { add(model, isTry: false) }
        }
        // Models that no selector matches come last, because there may be very many of them.
        for name in names { addUnselected(of: name) }
    }

    private mutating func addCandidates(of name: String) {
        if let chains = chains(of: name) {
            for model in chains.all { add(model, isGranted: isGranted(name)) }
        } else {
            for model in snapshot.models(named: name) { add(model) }
        }
    }

    private func chains(of name: String) -> RouteChains? {
        if let route = snapshot.route(named: name) { return snapshot.chains[route] }
        return name == "auto" ? snapshot.auto : nil
    }

    /// Whether the key's scope contains the route itself. Such a route grants all of its models.
    private func isGranted(_ name: String) -> Bool {
        guard let scope = request.scope else { return true }
        return snapshot.route(named: name).map(scope.routes.contains) ?? false
    }

    private mutating func add(_ model: Int, isGranted: Bool = false, isTry: Bool = true) {
        guard !seen.contains(model) else { return }
        let provider = snapshot.policy.providers[snapshot.models[model].provider]
        if provider.settings == nil {
            add(model, .off(provider.unset))
        } else if let rule = traced[model] {
            add(model, rule)
        } else if !isGranted, let scope = request.scope, !scope.models.contains(model) {
            add(model, .scope)
        } else if let rule = RequestConditions(request).firstFailure(of: snapshot.models[model], isTry: isTry) {
            add(model, rule)
        }
    }

    private mutating func add(_ model: Int, _ rule: Omission) {
        guard seen.insert(model).inserted else { return }
        value.append(Explanation.LeftOut(model: Explanation.Model(model, in: snapshot), rule: rule.description))
    }

    private mutating func addUnselected(of name: String) {
        guard let route = snapshot.route(named: name) else { return }
        var selections: [Selection] = []
        var visited: Set<Int> = []
        collect(route, &selections, &visited)
        for selection in selections {
            let kept = Set(selection.models)
            for model in snapshot.policy.models.indices
            where !snapshot.policy.models[model].isWildcard && !kept.contains(model) && !seen.contains(model) {
                add(model, .condition(selection.selector.failedCondition(of: snapshot.models[model], in: snapshot.policy)))
            }
        }
    }

    /// Collects the selections of a route and of the routes that it contains. The graph of routes has no cycle.
    private func collect(_ route: Int, _ selections: inout [Selection], _ visited: inout Set<Int>) {
        guard visited.insert(route).inserted else { return }
        let definition = snapshot.policy.routes[route]
        for step in definition.steps + (definition.fallback ?? [])
            + definition.fallbackOn.sorted(by: { $0.key.rawValue < $1.key.rawValue }).flatMap(\.value)
        {
            switch step {
            case .models: continue
            case .route(let target): collect(target, &selections, &visited)
            case .selected(let selection): selections.append(selection)
            }
        }
    }
}

extension Selector {
    /// The first condition that the model fails, as routes.yaml writes it. The model must be one that the selector
    /// rejects.
    func failedCondition(of model: ModelDefinition, in policy: RoutingPolicy) -> String {
        if let tags, !tags.matches(model.tags) { return "tags \"\(tags.texts.joined(separator: ", "))\"" }
        if let type, model.type != type { return "type \(type)" }
        if let providers, !providers.contains(model.provider) {
            return "provider \(providers.sorted().map { policy.providers[$0].name }.joined(separator: ", "))"
        }
        if !model.supports.isSuperset(of: supports) {
            return "supports \(supports.filter { !model.supports.contains($0) }.map(\.rawValue).sorted().joined(separator: ", "))"
        }
        if let minContext, (model.context ?? 0) < minContext {
            return "min_context \(minContext), the model has \(model.context.map { "\($0)" } ?? "none")"
        }
        if let minOutput, (model.maxOutput ?? 0) < minOutput {
            return "min_output \(minOutput), the model has \(model.maxOutput.map { "\($0)" } ?? "none")"
        }
        if let maxPrice, !maxPrice.covers(model.price) {
            let price = model.price.map { "input $\($0.input.money), output $\($0.output.money)" } ?? "none"
            return "max_price \(maxPrice.explained), the model has \(price)"
        }
        // The model meets all other conditions.
        return "models \((models ?? []).joined(separator: ", "))"
    }
}

extension MaxPrice {
    fileprivate func covers(_ price: Price?) -> Bool {
        guard let price else { return false }
        return (input.map { price.input <= $0 } ?? true) && (output.map { price.output <= $0 } ?? true)
    }

    fileprivate var explained: String {
        [input.map { "input $\($0.money)" }, output.map { "output $\($0.money)" }].compactMap { $0 }.joined(separator: ", ")
    }
}
