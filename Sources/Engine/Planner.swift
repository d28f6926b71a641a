import ProviderKit
package import RoutingPolicy

/// Turns a request's wish into a plan. Pure: equal arguments give equal plans.
package enum Planner {
    /// - Parameters:
    ///   - name: the request's `model`; nil where it named none.
    ///   - scope: what the caller's key may reach; nil is everything.
    ///   - rotation: which of several models of one name comes first; any number.
    package static func plan(_ snapshot: Snapshot, model name: String?, scope: ModelScope?, rotation: Int) throws(PlanRefusal) -> Plan {
        let name = name ?? "auto"
        if let route = snapshot.route(named: name) {
            return try plan(snapshot, snapshot.chains[route], name, scope: scope?.routes.contains(route) == true ? nil : scope)
        }
        if name == "auto" { return try plan(snapshot, snapshot.auto, name, scope: scope) }
        return try plan(snapshot, snapshot.models(named: name), name, scope, rotation)
    }

    private static func plan(_ snapshot: Snapshot, _ chains: RouteChains, _ name: String, scope: ModelScope?) throws(PlanRefusal) -> Plan {
        let policy = snapshot.policy
        let route = chains.route.map { policy.routes[$0] }
        var plan = Plan(
            route: name, tries: chains.tries, fallback: chains.fallback, fallbackOn: [:], maxModels: route?.maxModels ?? policy.maxModels,
            maxAttempts: route?.maxAttempts ?? policy.maxAttempts, isNamed: false, total: route?.timeouts.total ?? policy.timeouts.total,
            routeTimeouts: route.flatMap { $0.timeouts == TimeoutOverrides() ? nil : $0.timeouts })
        if let chain = chains.contextOverflow { plan.fallbackOn[.contextOverflow] = chain }
        if let chain = chains.contentFilter { plan.fallbackOn[.contentFilter] = chain }
        if let scope {
            guard chains.all.contains(where: scope.models.contains) else { throw .forbidden(name) }
            plan.tries.removeAll { !scope.models.contains($0) }
            plan.fallback.removeAll { !scope.models.contains($0) }
            plan.fallbackOn = plan.fallbackOn.mapValues { $0.filter(scope.models.contains) }
        }
        guard !plan.tries.isEmpty || !plan.fallback.isEmpty else {
            let unset = snapshot.unsetVariables(of: chains.all)
            throw unset.isEmpty ? .empty(name) : .off(unset)
        }
        return plan
    }

    private static func plan(_ snapshot: Snapshot, _ models: [Int], _ name: String, _ scope: ModelScope?, _ rotation: Int) throws(PlanRefusal) -> Plan {
        let policy = snapshot.policy
        let allowed = scope.map { scope in models.filter(scope.models.contains) } ?? models
        guard let first = allowed.first else { throw scope == nil ? .unknown(name) : .forbidden(name) }
        var served = allowed.filter { snapshot.instance(ofModel: $0) != nil }
        if served.isEmpty { throw .off(snapshot.unsetVariables(of: allowed)) }
        if served.count > 1 {
            let start = Int(UInt(bitPattern: rotation) % UInt(served.count))
            served = Array(served[start...] + served[..<start])
        }
        return Plan(
            route: nil, tries: served, fallback: [], fallbackOn: [:], maxModels: policy.maxModels, maxAttempts: policy.maxAttempts, isNamed: true,
            total: snapshot.modelTimeouts[first].total, routeTimeouts: nil)
    }
}
