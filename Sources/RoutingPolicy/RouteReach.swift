/// The models that a route leads to, through `try`, `fallback` and the routes below it. Walked without recursion.
struct RouteReach {
    private let routes: [RouteDefinition]
    private let root: Int

    init(_ routes: [RouteDefinition], from root: Int) {
        self.routes = routes
        self.root = root
    }

    var hasSeveralModels: Bool { models(atMost: 2) { _ in true }.count > 1 }

    /// The first so many that fulfil `predicate`, each once.
    func models(atMost limit: Int, where predicate: (Int) -> Bool) -> [Int] {
        var found: [Int] = []
        var open = [root]
        var seen: Set<Int> = [root]
        while let route = open.popLast() {
            for step in routes[route].steps + routes[route].fallback {
                let models: [Int]
                switch step {
                case .models(let named): models = named
                case .selected(let selection): models = selection.models
                case .route(let target):
                    if seen.insert(target).inserted { open.append(target) }
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
