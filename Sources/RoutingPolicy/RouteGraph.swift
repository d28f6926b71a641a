import ConfigTree

/// Which route leads to which, for the checks that need all of them. Walked without recursion: a file may chain thousands.
struct RouteGraph {
    /// What a person can follow; it also bounds how deep the planner goes.
    static let maxDepth = 16

    private struct Edge {
        var target: Int
        var position: SourcePosition
    }

    private let names: [ConfigText]
    private var edges: [[Edge]]
    /// Each route after all that it leads to, once `circles()` has run.
    private var order: [Int] = []

    init(names: [ConfigText]) {
        self.names = names
        edges = Array(repeating: [], count: names.count)
    }

    mutating func addEdge(from route: Int, to target: Int, at position: SourcePosition) {
        edges[route].append(Edge(target: target, position: position))
    }

    /// One issue for each step that closes a circle, and for each route from which the way is longer than `maxDepth`.
    mutating func circles() -> [ConfigIssue] {
        var issues: [ConfigIssue] = []
        var isDone = [Bool](repeating: false, count: names.count)
        var depthInPath = [Int?](repeating: nil, count: names.count)
        for root in names.indices where !isDone[root] {
            var path = [(route: root, next: 0)]
            depthInPath[root] = 0
            while let (route, next) = path.last {
                guard next < edges[route].count else {
                    path.removeLast()
                    depthInPath[route] = nil
                    isDone[route] = true
                    order.append(route)
                    continue
                }
                path[path.count - 1].next += 1
                let edge = edges[route][next]
                if let start = depthInPath[edge.target] {
                    issues.append(circle(path[start...].map(\.route), edge))
                } else if !isDone[edge.target] {
                    depthInPath[edge.target] = path.count
                    path.append((edge.target, 0))
                }
            }
        }
        return issues.isEmpty ? tooDeep() : issues
    }

    private func circle(_ routes: [Int], _ edge: Edge) -> ConfigIssue {
        let name = names[edge.target].text
        guard routes.count > 1 else {
            return ConfigIssue(
                at: edge.position, "route '\(name)' leads to itself",
                hint: "remove this step; a model of the same name is written 'provider/\(name)'")
        }
        let shown = (routes + [edge.target]).map { names[$0].text }
        let path = (shown.count > 12 ? Array(shown.prefix(5)) + ["…"] + Array(shown.suffix(5)) : shown).joined(separator: " -> ")
        return ConfigIssue(at: edge.position, "routes lead in a circle: \(path)", hint: "remove one of these steps")
    }

    private func tooDeep() -> [ConfigIssue] {
        var depth = [Int](repeating: 1, count: names.count)
        return order.compactMap { route in
            depth[route] = 1 + (edges[route].map { depth[$0.target] }.max() ?? 0)
            guard depth[route] == RouteGraph.maxDepth + 1 else { return nil }
            let message = "route '\(names[route].text)' leads through more than \(RouteGraph.maxDepth) routes"
            return ConfigIssue(at: names[route].position, message, hint: "name the models themselves, or one of the routes further down")
        }
    }

    /// The routes that reach no model whose provider is on, with the reason. Only after `circles()` found none.
    func unusable(_ routes: [RouteDefinition], models: [ModelDefinition], providers: [ProviderDefinition]) -> [(route: Int, reason: String)]
    {
        var isUsable = [Bool](repeating: false, count: routes.count)
        var unset = [Set<String>](repeating: [], count: routes.count)
        var results: [(Int, String)] = []
        for index in order {
            let steps = routes[index].steps + routes[index].fallback
            let reached = steps.lazy.flatMap { step -> [Int] in
                switch step {
                case .models(let models): models
                case .selected(let selection): selection.models
                case .route: []
                }
            }
            isUsable[index] =
                edges[index].contains { isUsable[$0.target] } || reached.contains { providers[models[$0].provider].unset.isEmpty }
            guard !isUsable[index] else { continue }
            unset[index] = Set(reached.flatMap { providers[models[$0].provider].unset } + edges[index].flatMap { unset[$0.target] })
            let names = unset[index].sorted().map { "'\($0)'" }.joined(separator: ", ")
            results.append((index, names.isEmpty ? "it reaches none" : "set \(names)"))
        }
        return results.sorted { $0.0 < $1.0 }
    }
}
