import ConfigTree
import ProviderKit

/// The graph of routes that lead to other routes, for the checks that need all routes. It is traversed without
/// recursion, because a file may chain thousands of routes.
struct RouteGraph {
    /// The length of a chain of routes that a person can still follow. It also bounds the planner's depth.
    static let maxDepth = 16

    private struct Edge {
        var target: Int
        var position: SourcePosition
    }

    private let names: [ConfigText]
    /// Whether routes lead to others by `when`, and not by steps.
    private let isOfConditions: Bool
    private var edges: [[Edge]]
    /// Each route comes after all routes that it leads to. Filled by `cycles()`.
    private var order: [Int] = []

    init(names: [ConfigText], isOfConditions: Bool = false) {
        self.names = names
        self.isOfConditions = isOfConditions
        edges = Array(repeating: [], count: names.count)
    }

    mutating func addEdge(from route: Int, to target: Int, at position: SourcePosition) {
        edges[route].append(Edge(target: target, position: position))
    }

    /// An issue for each step that closes a cycle. If there are no cycles: an issue for each route at which a chain
    /// first becomes longer than `maxDepth`.
    mutating func cycles() -> [ConfigIssue] {
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
                    issues.append(cycle(path[start...].map(\.route), edge))
                } else if !isDone[edge.target] {
                    depthInPath[edge.target] = path.count
                    path.append((edge.target, 0))
                }
            }
        }
        return issues.isEmpty ? tooDeep() : issues
    }

    private func cycle(_ routes: [Int], _ edge: Edge) -> ConfigIssue {
        let name = names[edge.target].text
        guard routes.count > 1 else {
            return ConfigIssue(
                at: edge.position, "route '\(name)' leads to itself",
                hint: isOfConditions
                    ? "name another route, or remove this condition"
                    : "remove this step; to name the model of the same name, write 'provider/\(name)'")
        }
        let shown = (routes + [edge.target]).map { names[$0].text }
        let path = (shown.count > 12 ? Array(shown.prefix(5)) + ["…"] + Array(shown.suffix(5)) : shown).joined(separator: " -> ")
        return ConfigIssue(
            at: edge.position, "routes form a cycle: \(path)", hint: "remove one of these \(isOfConditions ? "conditions" : "steps")")
    }

    private func tooDeep() -> [ConfigIssue] {
        var depth = [Int](repeating: 1, count: names.count)
        return order.compactMap { route in
            depth[route] = 1 + (edges[route].map { depth[$0.target] }.max() ?? 0)
            guard depth[route] == RouteGraph.maxDepth + 1 else { return nil }
            let message = "route '\(names[route].text)' leads through more than \(RouteGraph.maxDepth) routes"
            return ConfigIssue(
                at: names[route].position, message,
                hint: isOfConditions
                    ? "name one of the routes further down in 'use'" : "name models directly, or one of the routes further down the chain")
        }
    }

    /// The routes that list several models for embeddings, each with their names in order. A selector counts if all of
    /// its models are for embeddings: one that also selects others isn't meant for them. A route that leads to such a
    /// route is not one itself. Requires that `cycles()` found no issues.
    func mixingVectors(_ routes: [RouteDefinition], models: [ModelDefinition]) -> [(route: Int, names: [String])] {
        func servesEmbeddings(_ model: Int) -> Bool { models[model].serves.contains(.embeddings) }
        var names = [[String]](repeating: [], count: routes.count)
        for index in order {
            let definition = routes[index]
            let chains = FailureClass.allCases.flatMap { definition.fallbackOn[$0] ?? [] }
            for step in definition.steps + (definition.fallback ?? []) + chains {
                let found: [String] =
                    switch step {
                    case .models(let listed): listed.filter(servesEmbeddings).map { models[$0].name }
                    case .selected(let selection):
                        selection.models.allSatisfy(servesEmbeddings) ? selection.models.map { models[$0].name } : []
                    case .route(let target): names[target].count > 1 ? [] : names[target]
                    }
                for name in found where !names[index].contains(name) { names[index].append(name) }
            }
        }
        return names.enumerated().filter { $0.element.count > 1 }.map { ($0.offset, $0.element) }
    }

    /// The routes that reach no model whose provider is on, each with the reason. Requires that `cycles()` found no
    /// issues.
    func unusable(
        _ routes: [RouteDefinition], defaultFallback: [RouteStep], models: [ModelDefinition], providers: [ProviderDefinition]
    ) -> [(route: Int, reason: String)] {
        func isOn(_ indices: [Int]) -> Bool { indices.contains { providers[models[$0].provider].unset.isEmpty } }
        var isUsable = [Bool](repeating: false, count: routes.count)
        var unset = [Set<String>](repeating: [], count: routes.count)
        var results: [(Int, String)] = []
        for index in order {
            let steps = routes[index].steps + (routes[index].fallback ?? [])
            let reached = steps.lazy.flatMap { step -> [Int] in
                switch step {
                case .models(let models): models
                case .selected(let selection): selection.models
                case .route: []
                }
            }
            isUsable[index] =
                edges[index].contains { isUsable[$0.target] } || isOn(Array(reached))
            guard !isUsable[index] else { continue }
            unset[index] = Set(reached.flatMap { providers[models[$0].provider].unset } + edges[index].flatMap { unset[$0.target] })
            let names = unset[index].sorted().map { "'\($0)'" }.joined(separator: " or ")
            results.append(
                (
                    index,
                    names.isEmpty
                        ? "it leads to no model" : "set \(names) in the environment and restart the router, or in '.env' and reload"
                ))
        }
        let isFallbackUsable = defaultFallback.contains { step in
            switch step {
            case .models(let models): isOn(models)
            case .selected(let selection): isOn(selection.models)
            case .route(let route): isUsable[route]
            }
        }
        return results.filter { !isFallbackUsable || routes[$0.0].fallback != nil }.sorted { $0.0 < $1.0 }
    }
}
