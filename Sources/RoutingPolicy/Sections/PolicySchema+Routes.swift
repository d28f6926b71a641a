import ConfigTree
import ProviderKit

extension RouteDefinition {
    static let section = OptionSection<RouteDefinition>(
        "routes", "names that stand for several models",
        [
            Option(
                "when", takes: .other(PolicySchema.conditionsKind), .words("none"),
                help: "the first condition that holds: its 'use' replaces this route, for requests that name it",
                entries: { route, policy in
                    let words = route.conditions.map { "\($0.words(in: policy)) -> \(policy.routes[$0.use].name)" }
                    return words.isEmpty ? [] : [OptionEntry("when", .list(words))]
                },
                read: { fields, schema, route in route.conditions = schema.readConditions(&fields) }),
            Option(
                "try", takes: .other(PolicySchema.chainKind), .required, help: "the models to call, in order",
                entries: { route, policy in [OptionEntry("try", .list(policy.words(route.steps)))] },
                read: { fields, schema, route in route.steps = schema.readTry(&fields) }),
            Option(
                "fallback", takes: .other(PolicySchema.chainKind), .words("as 'defaults'"),
                help: "the chain for when everything in 'try' has failed; '[]' for none",
                entries: { route, policy in route.fallback.map { [OptionEntry("fallback", .list(policy.words($0)))] } ?? [] },
                read: { fields, schema, route in if let node = fields.node("fallback") { route.fallback = schema.chain(node) } }),
            Option(section: "fallback_on", \.fallbackOn, FallbackChains.section, help: "separate chains for one kind of failure"),
            Option(
                "max_models", \.maxModels, .integer(PolicyDefaults.attemptRange), .words("as 'defaults'"),
                help: "how many models of 'try' one request may be sent to"),
            Option(
                "max_attempts", \.maxAttempts, .integer(PolicyDefaults.attemptRange), .words("as 'defaults'"),
                help: "bounds retries, models, fallbacks and hedges together"),
            Option(layer: Timeouts.self, \.timeouts, help: "replaces each model's, option by option"),
            Option(layer: Retry.self, \.retry, help: "replaces each model's, option by option", check: checkOrder),
            Option(section: "failover", \.failover, Failover.section, help: "takes precedence over each provider's"),
            Option(hedge: \.hedge, help: "calls a second model beside a slow first one; the first content wins"),
            Option(
                "resume", \.resumes, .bool, help: "whether another model may continue a stream that broke after its first content"),
            Option("valid_json", \.validJSON, .bool, .words("as the model"), help: ModelDefinition.validJSONHelp),
            Option(
                section: "sticky", \.sticky, Sticky.section, .words("off"),
                help: "calls the model that last served the conversation first: its provider has the prompt in its cache"),
        ])
}

extension FallbackChains: OptionHolder {
    static let section = OptionSection<FallbackChains>(
        "fallback_on", "may be set on a route: separate chains for one kind of failure",
        [
            option(
                .contextOverflow, .words("the next candidate with a larger 'context'"),
                help: "the chain for a prompt that is too long for the model"),
            option(.contentFilter, .words("the client gets the refusal"), help: "the chain for a refusal by the content filter"),
        ])

    private static func option(_ failure: FailureClass, _ absence: OptionAbsence, help: String) -> Option<FallbackChains> {
        let key = failure.rawValue
        return Option(
            key, takes: .other(PolicySchema.chainKind), absence, help: help,
            entries: { chains, policy in chains[failure].map { [OptionEntry(key, .list(policy.words($0)))] } ?? [] },
            read: { fields, schema, chains in if let node = fields.node(key) { chains[failure] = schema.chain(node) } })
    }
}

extension RoutingPolicy {
    /// The steps of a chain as a difference shows them.
    package func words(_ steps: [RouteStep]) -> [String] {
        steps.compactMap { step in
            switch step {
            case .models(let indices): indices.first.map { indices.count == 1 ? models[$0].key : models[$0].name }
            case .route(let route): "route \(routes[route].name)"
            case .selected(let selection): selection.words(in: self)
            }
        }
    }
}

extension PolicySchema {
    static let chainKind = "a step or a list of steps; see step"

    /// Also reads `defaults.fallback`, which may name routes.
    mutating func readRoutes(_ entries: [ConfigEntry]) -> (routes: [RouteDefinition], defaultFallback: [RouteStep]) {
        var valid: [ConfigEntry] = []
        for entry in entries where checkName(entry.key, of: "route", mayHaveSlash: true) {
            names.routes[entry.key.text] = valid.count
            valid.append(entry)
            if names.models[entry.key.text] != nil || names.qualified[entry.key.text] != nil {
                report(
                    ConfigIssue(
                        .warning, at: entry.key.position, "route '\(entry.key.text)' hides the model of the same name",
                        hint: names.models[entry.key.text] == nil
                            ? "rename one of them" : "rename one of them; clients can still reach the model as 'provider/\(entry.key.text)'"
                    ))
            }
        }
        graph = RouteGraph(names: valid.map(\.key))
        conditionGraph = RouteGraph(names: valid.map(\.key), isOfConditions: true)
        let routes = valid.enumerated().map { index, entry in route(entry, index: index) }
        let fallback = defaultFallback.map { steps($0).map(\.0) } ?? []
        for issue in graph.cycles() + conditionGraph.cycles() { report(issue) }
        guard !issues.contains(where: { $0.severity == .error }) else { return (routes, fallback) }
        checkHedges(routes, models: models.models, hasDefaultFallback: !fallback.isEmpty)
        for (index, reason) in graph.unusable(routes, defaultFallback: fallback, models: models.models, providers: policy.providers) {
            let name = valid[index].key
            let message = "route '\(name.text)' has no usable model: \(reason)"
            offMessages.insert(message)
            report(ConfigIssue(.warning, at: name.position, message, hint: "requests for it get a 503 until then"))
        }
        for (index, models) in graph.mixingVectors(routes, models: models.models) {
            let name = valid[index].key, shown = models.prefix(4).map { "'\($0)'" }.joined(separator: ", ")
            report(
                ConfigIssue(
                    .warning, at: name.position,
                    "route '\(name.text)' lists several models for embeddings (\(shown)\(models.count > 4 ? ", …" : "")), whose vectors don't mix",
                    hint: "requests for embeddings use only the first; give each model a route of its own, "
                        + "or one name if they are the same: 'PROVIDER/NAME'"))
        }
        return (routes, fallback)
    }

    private mutating func route(_ entry: ConfigEntry, index: Int) -> RouteDefinition {
        var fields = FieldReader(entry.value, of: entry.key)
        var route = RouteDefinition(name: entry.key.text)
        currentKey = entry.key
        currentRoute = index
        read(RouteDefinition.section, &fields, into: &route)
        finish(&fields, RouteDefinition.section)
        return route
    }

    fileprivate mutating func readTry(_ fields: inout FieldReader) -> [RouteStep] {
        guard let node = fields.node("try") else {
            fields.report(
                ConfigIssue(at: currentKey.position, "key 'try' is missing", hint: "add 'try: [model, …]', the models to call, in order"))
            return []
        }
        if case .sequence(let nodes) = node.content, nodes.isEmpty {
            fields.report("try", "'try' is empty", hint: "name at least one model, route or selector")
        }
        return chain(node)
    }

    /// The steps of a route's chain. What they lead to becomes an edge of the graph of routes.
    mutating func chain(_ node: ConfigNode) -> [RouteStep] {
        steps(node).map { step, position in
            if case .route(let target) = step { graph.addEdge(from: currentRoute, to: target, at: position) }
            return step
        }
    }

    private mutating func steps(_ node: ConfigNode) -> [(RouteStep, SourcePosition)] {
        let nodes = if case .sequence(let nodes) = node.content { nodes } else { [node] }
        return nodes.compactMap { node in step(node).map { ($0, node.position) } }
    }

    /// What to do with a name that only a wildcard stands for.
    private func hint(forWildcardName name: String) -> String? {
        guard let wildcard = names.wildcard(for: name) else { return nil }
        return "only a request's 'model' can use '\(models.models[wildcard].key)'; to use one of its models here, define it under 'models:'"
    }

    /// The name of the model or route that a mapping without `select` gives, as other programs write a step; reported.
    private mutating func nameOfModel(in entries: [ConfigEntry]) -> ConfigNode? {
        let forms: Set = ["model", "modelname", "name", "route", "target", "id", "upstream", "deployment", "alias"]
        guard !entries.contains(where: { $0.key.text == "select" }),
            let entry = entries.first(where: { forms.contains(ForeignName.form(of: $0.key.text)) && $0.value.isScalar }),
            !entry.value.isNull
        else { return nil }
        let rest = entries.contains { $0.key.text == "weight" } ? "; a 'weight' belongs under its model" : ""
        report(
            ConfigIssue(
                at: entry.key.position, "unknown key '\(entry.key.text)'; a step that is one model or route is its name alone",
                hint: "write \(entry.value.displayText) instead of the mapping\(rest)"))
        return entry.value
    }

    private mutating func step(_ node: ConfigNode) -> RouteStep? {
        switch node.content {
        case .scalar(let scalar):
            guard !scalar.isUnresolved else { return nil }
            if scalar.isNull || scalar.text.isEmpty {
                report(
                    ConfigIssue(
                        at: node.position, "a step names nothing", hint: "name a model or a route, or write '{ select: { tags: … } }'"))
                return nil
            }
            if let step = names.step(scalar.text) { return step }
            guard !names.isBroken(scalar.text) else { return nil }
            let suggestion = names.suggestion(forStep: scalar.text)
            let hint =
                suggestion.isEmpty
                ? listHint(scalar.source) ?? hint(forWildcardName: scalar.text) ?? "define it under 'models:' or 'routes:'" : nil
            report(ConfigIssue(at: node.position, "there is no model or route \(node.displayText)\(suggestion)", hint: hint))
            return nil
        case .mapping(let entries):
            if let name = nameOfModel(in: entries) { return step(name) }
            return readSelection(entries, at: node.position)
        case .sequence:
            report(ConfigIssue(at: node.position, "a step is a name or a selector, not a list", hint: "write one list of steps: '[a, b]'"))
            return nil
        }
    }
}
