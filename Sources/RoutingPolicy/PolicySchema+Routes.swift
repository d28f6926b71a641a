import ConfigTree
import ProviderKit

/// `routes`.
extension PolicySchema {
    mutating func readRoutes(_ entries: [ConfigEntry], models: ModelIndex, providers: [ReadProvider]) -> [RouteDefinition] {
        var valid: [ConfigEntry] = []
        for entry in entries where checkName(entry.key, of: "route") {
            names.routes[entry.key.text] = valid.count
            valid.append(entry)
            if names.models[entry.key.text] != nil {
                let hint = "rename one of them; the model alone can still be reached as 'provider/\(entry.key.text)'"
                report(
                    ConfigIssue(.warning, at: entry.key.position, "route '\(entry.key.text)' hides the model of the same name", hint: hint))
            }
        }
        var graph = RouteGraph(names: valid.map(\.key))
        let routes = valid.enumerated().map { index, entry in route(entry, index: index, models: models, graph: &graph) }
        for issue in graph.circles() { report(issue) }
        guard !issues.contains(where: { $0.severity == .error }) else { return routes }
        checkHedges(routes, models: models.models)
        for (index, reason) in graph.unusable(routes, models: models.models, providers: providers.map(\.definition)) {
            let name = valid[index].key
            report(
                ConfigIssue(
                    .warning, at: name.position, "route '\(name.text)' has no usable model: \(reason)",
                    hint: "requests for it get a 503 until then"))
        }
        return routes
    }

    private mutating func route(_ entry: ConfigEntry, index: Int, models: ModelIndex, graph: inout RouteGraph) -> RouteDefinition {
        var fields = FieldReader(entry.value, of: entry.key)
        var route = RouteDefinition(
            name: entry.key.text, steps: [], fallback: [], fallbackOn: [:], maxModels: nil, maxAttempts: nil, timeouts: TimeoutOverrides())
        func chain(_ node: ConfigNode, _ schema: inout PolicySchema) -> [RouteStep] {
            let nodes = if case .sequence(let nodes) = node.content { nodes } else { [node] }
            return nodes.compactMap { node in
                let step = schema.step(node, models: models)
                if case .route(let target)? = step { graph.addEdge(from: index, to: target, at: node.position) }
                return step
            }
        }
        fields.declare("try", as: .other("a step or a list of steps; see step"))
        if let entry = fields.entry("try") {
            route.steps = chain(entry.value, &self)
            if case .sequence(let nodes) = entry.value.content, nodes.isEmpty {
                fields.report("try", "'try' is empty", hint: "name at least one model, route or selector")
            }
        } else {
            fields.report(
                ConfigIssue(
                    at: entry.key.position, "key 'try' is missing", hint: "add 'try: [model, …]', the models that response, in order"))
        }
        fields.declare("fallback", as: .other("a step or a list of steps; see step"))
        if let node = fields.node("fallback") { route.fallback = chain(node, &self) }
        let chains = section("fallback_on", of: &fields) { fields, schema in
            [FailureClass.contextOverflow, .contentFilter].reduce(into: [FailureClass: [RouteStep]]()) { chains, failure in
                fields.declare(failure.rawValue, as: .other("a step or a list of steps; see step"))
                if let node = fields.node(failure.rawValue) { chains[failure] = chain(node, &schema) }
            }
        }
        route.fallbackOn = chains ?? [:]
        route.maxModels = fields.int("max_models", in: PolicySchema.attemptRange)
        route.maxAttempts = fields.int("max_attempts", in: PolicySchema.attemptRange)
        route.timeouts = readTimeouts(&fields)
        route.retry = readRetry(&fields)
        route.failover = readFailover(&fields)
        route.hedge = readHedge(&fields, of: index)
        route.resumes = fields.bool("resume") ?? false
        finish(&fields, section: "routes")
        return route
    }

    private mutating func step(_ node: ConfigNode, models: ModelIndex) -> RouteStep? {
        switch node.content {
        case .scalar(let scalar):
            guard !scalar.isUnresolved else { return nil }
            if scalar.isNull || scalar.text.isEmpty {
                report(
                    ConfigIssue(
                        at: node.position, "a step names nothing", hint: "name a model, a route, or write '{ select: { tags: … } }'"))
                return nil
            }
            if let step = names.step(scalar.text) { return step }
            guard !names.isBroken(scalar.text) else { return nil }
            let suggestion = names.suggestion(forStep: scalar.text)
            let hint = suggestion.isEmpty ? "define it under 'models:' or 'routes:'" : nil
            report(ConfigIssue(at: node.position, "there is no model or route \(node.shown)\(suggestion)", hint: hint))
            return nil
        case .mapping(let entries):
            return readSelection(entries, at: node.position, models: models)
        case .sequence:
            report(ConfigIssue(at: node.position, "a step is a name or a selector, not a list", hint: "write one list of steps: '[a, b]'"))
            return nil
        }
    }
}
