import ConfigTree
internal import RoutingPolicy

/// The models and routes that LiteLLM's groups, aliases and fallbacks become.
struct LiteLLMRoutes {
    /// LiteLLM's lists of fallbacks.
    private enum Cause: String, CaseIterable {
        case any = "fallbacks"
        case overflow = "context_window_fallbacks"
        case filter = "content_policy_fallbacks"
    }

    private struct Alias {
        let name: String
        let target: String
        let comments: [String]
    }

    private var groups: [LiteLLMGroup]
    private var names: ForeignNames
    private let order: String
    private var aliases: [Alias] = []
    /// By the name that a request has.
    private var fallbacks: [String: [Cause: [String]]] = [:]
    /// What each route leads to by its steps.
    private var edges: [String: Set<String>] = [:]
    private var omissions: [String] = []

    /// - Parameter order: of the deployments of one group.
    init(_ groups: [LiteLLMGroup], names: ForeignNames, order: String) {
        (self.groups, self.names, self.order) = (groups, names, order)
    }

    consuming func write(
        aliases: [(key: String, value: ConfigNode)], _ router: inout ForeignMapping, _ settings: inout ForeignMapping,
        into policy: inout PolicyDraft
    ) {
        for (alias, target) in aliases { readAlias(alias, target) }
        var usual = router.texts("default_fallbacks") + settings.texts("default_fallbacks")
        for cause in Cause.allCases {
            for node in router.list(cause.rawValue) + settings.list(cause.rawValue) { readFallbacks(node, cause, &usual) }
        }
        let fallback = resolve(usual, of: "default_fallbacks")
        for index in groups.indices where isRoute(groups[index]) { groups[index] = groups[index].behindRoute(&names) }
        let routes = groups.filter(isRoute).map(\.name) + self.aliases.map(\.name)
        for name in routes {
            edges[name] = Set((fallbacks[name] ?? [:]).flatMap(\.value)).union(self.aliases.filter { $0.name == name }.map(\.target))
        }
        policy.models += groups.flatMap { $0.deployments.map(\.model) }
        policy.routes += routes.map(route)
        policy.defaults.set("fallback", .texts(fallback))
        policy.omissions += omissions
    }

    // MARK: Reading

    private mutating func readAlias(_ foreign: String, _ node: ConfigNode) {
        // `NAME`, or `{ model: NAME, hidden: true }`.
        var mapping = ForeignMapping(node)
        let given = mapping?.text("model") ?? node.foreignText
        guard let name = names[foreign], let target = given.flatMap({ resolve($0) }) else {
            omissions.append("model_group_alias: '\(ImportWords.printable(foreign))' leads to no entry of model_list.")
            return
        }
        guard !groups.contains(where: { $0.name == name }) else {
            omissions.append("model_group_alias: '\(name)' is an entry of model_list too, which counts here.")
            return
        }
        let hidden = mapping?.bool("hidden") == true ? "'hidden': lists of models have every route." : nil
        let comments = [names.comment(foreign), hidden, ImportWords.leftOver(mapping?.keys ?? [])].compactMap(\.self)
        aliases.append(Alias(name: name, target: target, comments: comments))
    }

    /// `{ NAME: [OTHER, …], … }`.
    private mutating func readFallbacks(_ node: ConfigNode, _ cause: Cause, _ usual: inout [String]) {
        guard let entries = ForeignMapping(node)?.rest else {
            omissions.append("\(cause.rawValue): the entry at line \(node.position.line) is not taken over.")
            return
        }
        for (foreign, node) in entries {
            let list = "\(cause.rawValue) of '\(ImportWords.printable(foreign))'"
            let targets = readTargets(node, of: list)
            if foreign == "*", cause == .any {
                usual += targets
            } else if let owner = resolve(foreign), !owner.hasSuffix("*") {
                let found = resolve(targets, of: list)
                // LiteLLM leaves out a name that is its own fallback.
                fallbacks[owner, default: [:]][cause, default: []] += found.filter { $0 != owner }
            } else {
                omissions.append("\(list): only a name of model_list without a '*' can have fallbacks of its own.")
            }
        }
    }

    /// Each is a name, or a mapping with the name and with parameters of its own.
    private mutating func readTargets(_ node: ConfigNode, of list: String) -> [String] {
        let nodes = if case .sequence(let nodes) = node.content { nodes } else { [node] }
        return nodes.compactMap { node in
            var mapping = ForeignMapping(node)
            let name = mapping?.text("model") ?? node.foreignText
            if let words = ImportWords.leftOver(mapping?.keys ?? (name == nil ? ["an entry"] : []), of: list) { omissions.append(words) }
            return name
        }
    }

    private mutating func resolve(_ foreign: [String], of list: String) -> [String] {
        let resolved = foreign.map { ($0, resolve($0)) }
        let lost = resolved.filter { $0.1 == nil }.map { "'\(ImportWords.printable($0.0))'" }
        if !lost.isEmpty { omissions.append("\(list): no entry of model_list is called \(lost.joined(separator: ", ")).") }
        return resolved.compactMap(\.1)
    }

    /// The name that a group or an alias has here. A model of a wildcard becomes a group, because only a request can
    /// name a model that isn't listed.
    private mutating func resolve(_ foreign: String) -> String? {
        if let name = names[foreign], groups.contains(where: { $0.name == name }) || aliases.contains(where: { $0.name == name }) {
            return name
        }
        if groups.contains(where: { $0.name == foreign }) { return foreign }
        guard PolicyName.problem(with: foreign, mayHaveSlash: true) == nil,
            let group = groups.lazy.compactMap({ $0.group(ofModel: foreign) }).first
        else { return nil }
        groups.append(group)
        return foreign
    }

    // MARK: Writing

    /// Whether a group is a route over its models, and not a model.
    private func isRoute(_ group: LiteLLMGroup) -> Bool {
        !group.isWildcard && (group.deployments.count > 1 || fallbacks[group.name]?.contains { !$0.value.isEmpty } == true)
    }

    private func route(_ name: String) -> DraftEntry {
        var route = DraftEntry(name)
        let alias = aliases.first { $0.name == name }
        route.comments = alias?.comments ?? []
        let steps = alias.map { self.steps(to: $0.target, from: name) } ?? models(of: name)
        route.set("try", steps.count == 1 ? steps[0] : .list(steps))
        func chain(_ cause: Cause) -> DraftValue? {
            let steps = (fallbacks[name]?[cause] ?? []).flatMap { self.steps(to: $0, from: name) }
            return steps.isEmpty ? nil : .list(steps)
        }
        route.set("fallback", chain(.any))
        route.set("fallback_on", "context_overflow", chain(.overflow))
        route.set("fallback_on", "content_filter", chain(.filter))
        return route
    }

    /// Routes must not lead back to themselves. Where a fallback would, the models of the other route take its place.
    private func steps(to target: String, from route: String) -> [DraftValue] {
        leads(from: target, to: route) ? models(of: target) : [.text(target)]
    }

    private func models(of name: String) -> [DraftValue] {
        if let group = groups.first(where: { $0.name == name }) { return group.steps(order) }
        return aliases.first { $0.name == name }.map { models(of: $0.target) } ?? []
    }

    private func leads(from start: String, to end: String) -> Bool {
        var (seen, open) = (Set([start]), [start])
        while let name = open.popLast() {
            if name == end { return true }
            for next in edges[name] ?? [] where seen.insert(next).inserted { open.append(next) }
        }
        return false
    }
}
