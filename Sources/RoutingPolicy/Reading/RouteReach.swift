/// The models that a route leads to through `try`, `fallback` and further routes. The search uses no recursion.
struct RouteReach {
    private let routes: [RouteDefinition]
    private let root: Int

    init(_ routes: [RouteDefinition], from root: Int) {
        self.routes = routes
        self.root = root
    }

    var hasSeveralModels: Bool { models(atMost: 2) { _ in true }.count > 1 }

    /// At most `limit` of the models that fulfil `predicate`, each once.
    func models(atMost limit: Int, where predicate: (Int) -> Bool) -> [Int] {
        var found: [Int] = []
        var pending = [root]
        var seen: Set<Int> = [root]
        while let route = pending.popLast() {
            for step in routes[route].steps + (routes[route].fallback ?? []) {
                let models: [Int]
                switch step {
                case .models(let named): models = named
                case .selected(let selection): models = selection.models
                case .route(let target):
                    if seen.insert(target).inserted { pending.append(target) }
                    continue
                }
                for model in models where predicate(model) && !found.contains(model) {
                    found.append(model)
                    if found.count == limit { return found }
                }
            }
        }
        return found
    }
}
