import ConfigTree
import ProviderKit

extension RoutingPolicy {
    /// With `digest` worked out from everything else. `providerSettings` are the nodes that the plugins read, in the order of `providers`.
    func withDigest(providerSettings: [ConfigNode]) -> RoutingPolicy {
        var hash = MeaningHash()
        for address in listen {
            switch address {
            case .tcp(let host, let port): hash.add("tcp", host, "\(port)")
            case .unix(let path): hash.add("unix", path)
            }
        }
        hash.add(durations: [server.keepalive, server.writeStall, server.headTimeout, server.bodyTimeout, server.drain, server.preStop])
        hash.add("limits", "\(server.maxBodyBytes)", "\(server.maxBufferedBytes)", "\(maxModels)", "\(maxAttempts)")
        hash.add(durations: timeouts.all)
        for (provider, settings) in zip(providers, providerSettings) {
            hash.add("provider", provider.name, provider.plugin, "\(provider.settings != nil)")
            hash.add(settings, leavingOut: ["plugin", "timeouts"])
            hash.add(durations: provider.timeouts.all)
        }
        for model in models { hash.add(model) }
        for route in routes { hash.add(route) }
        for key in keys {
            hash.add("key", key.name, "\(key.isAdmin)")
            hash.add(bytes: key.digest)
            hash.add(list: key.models?.models.sorted().map(String.init))
            hash.add(list: key.models?.routes.sorted().map(String.init))
            hash.add(list: key.endpoints?.sorted())
        }
        var policy = self
        policy.digest = hash.finish()
        return policy
    }
}

extension MeaningHash {
    fileprivate mutating func add(_ model: ModelDefinition) {
        add("model", model.key, "\(model.provider)", model.upstream, model.type ?? "", "\(model.isHidden)")
        add(list: model.tags)
        add(list: model.supports.map(\.rawValue).sorted())
        add(list: [model.context, model.maxOutput].map { $0.map(String.init) ?? "" })
        add(list: model.price.map { ["\($0.input)", "\($0.output)"] })
        for fields in [model.requestDefaults, model.requestOverrides] {
            add("body", "\(fields.count)")
            for field in fields {
                add(field.key)
                add(bytes: field.json)
            }
        }
        add(durations: model.timeouts.all)
    }

    fileprivate mutating func add(_ route: RouteDefinition) {
        add("route", route.name)
        add(list: [route.maxModels, route.maxAttempts].map { $0.map(String.init) ?? "" })
        add(durations: route.timeouts.all)
        add(route.steps)
        add(route.fallback)
        for failure in FailureClass.allCases {
            guard let steps = route.fallbackOn[failure] else { continue }
            add(failure.rawValue)
            add(steps)
        }
    }

    private mutating func add(_ steps: [RouteStep]) {
        add("steps", "\(steps.count)")
        for step in steps {
            switch step {
            case .models(let models): add(list: models.map(String.init))
            case .route(let route): add("route", "\(route)")
            case .selected(let selection):
                for terms in selection.selector.tags?.alternatives ?? [] { add(list: terms.map { ($0.isNegated ? "!" : "") + $0.tag }) }
                add(list: selection.models.map(String.init))
            }
        }
    }

    /// The same for mappings that differ in order, layout or quotes alone.
    fileprivate mutating func add(_ node: ConfigNode, leavingOut: Set<String> = []) {
        switch node.content {
        case .scalar(let scalar):
            add("scalar", scalar.text)
            add(list: scalar.unset)
        case .sequence(let nodes):
            add("sequence", "\(nodes.count)")
            for node in nodes { add(node) }
        case .mapping(let entries):
            let kept = entries.filter { !leavingOut.contains($0.key.text) }.sorted { $0.key.text < $1.key.text }
            add("mapping", "\(kept.count)")
            for entry in kept {
                add(entry.key.text)
                add(entry.value)
            }
        }
    }
}
