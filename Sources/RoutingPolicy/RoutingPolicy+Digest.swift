import ConfigTree
import ProviderKit

extension RoutingPolicy {
    /// With `digest` worked out from everything else.
    ///
    /// - Parameters:
    ///   - providerSettings: the nodes that the plugins read, in the order of `providers`.
    ///   - scopes: a hash of what each of `keys` may reach: equal for equal scopes.
    func withDigest(providerSettings: [ConfigNode], scopes: [[UInt8]?]) -> RoutingPolicy {
        var hash = MeaningHash()
        for address in listen {
            switch address {
            case .tcp(let host, let port): hash.add("tcp", host, "\(port)")
            case .unix(let path): hash.add("unix", path)
            }
        }
        hash.add(durations: [server.keepalive, server.writeStall, server.headTimeout, server.bodyTimeout, server.drain, server.preStop])
        hash.add("limits", "\(server.maxBodyBytes)", "\(server.maxBufferedBytes)", "\(maxModels)", "\(maxAttempts)")
        hash.add(durations: timeouts.all + [statisticsWindow])
        hash.add(retry)
        hash.add(failover)
        for (provider, settings) in zip(providers, providerSettings) {
            hash.add("provider", provider.name, provider.plugin, "\(provider.settings != nil)")
            hash.add(settings, leavingOut: ["plugin", "timeouts", "retry", "failover", "limits", "breaker"])
            hash.add(durations: provider.timeouts.all)
            hash.add(provider.retry)
            hash.add(provider.failover)
            hash.add(provider.limits)
        }
        for model in models { hash.add(model) }
        for route in routes { hash.add(route) }
        for (key, scope) in zip(keys, scopes) { hash.add(key, scope: scope) }
        for test in tests { hash.add(test) }
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
        add(numbers: [model.context, model.maxOutput])
        add(decimals: [model.weight, model.price?.input, model.price?.output, model.price?.cachedInput, model.price?.reasoning])
        for fields in [model.requestDefaults, model.requestOverrides] {
            add("body", "\(fields.count)")
            for field in fields {
                add(field.key)
                add(bytes: field.json)
            }
        }
        add(durations: model.timeouts.all)
        add(model.limits)
        add(model.retry)
        add(model.breaker)
    }

    fileprivate mutating func add(_ route: RouteDefinition) {
        add("route", route.name, "\(route.resumes)")
        add(numbers: [route.maxModels, route.maxAttempts])
        add(durations: route.timeouts.all)
        add(route.retry)
        add(route.failover)
        if let hedge = route.hedge {
            switch hedge.delay {
            case .after(let time): add(durations: [time])
            case .p95: add("p95")
            }
            add(decimals: [hedge.maxCost])
        }
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
            case .models(let models): add(indices: models)
            case .route(let route): add("route", "\(route)")
            case .selected(let selection):
                add("select", selection.order.rawValue)
                add(selection.selector)
                add(indices: selection.models)
            }
        }
    }

    private mutating func add(_ selector: Selector) {
        add(list: selector.tags?.texts)
        add(selector.type ?? "")
        add(indices: selector.providers?.sorted() ?? [])
        add(list: selector.supports.map(\.rawValue).sorted())
        add(numbers: [selector.minContext, selector.minOutput])
        add(decimals: [selector.maxPrice?.input, selector.maxPrice?.output, selector.minSuccessRate])
        add(list: selector.models)
    }

    fileprivate mutating func add(_ key: KeyDefinition, scope: [UInt8]?) {
        add("key", key.name, "\(key.isAdmin)", "\(key.wantsMetadata)")
        add(bytes: key.digest)
        add(bytes: scope ?? [])
        add(list: key.endpoints?.map(\.rawValue).sorted())
        add(key.limits)
        add(key.defaults?.fields ?? RoutingOverrides())
    }

    private mutating func add(_ fields: RoutingOverrides) {
        add(list: fields.tags?.texts)
        add(list: [fields.type, fields.selectionMode?.rawValue, fields.fallbackProvider, fields.fallbackModel].map { $0 ?? "" })
        add(list: fields.supports.map(\.rawValue).sorted())
        add(numbers: [fields.minContext, fields.minOutput, fields.maxModelSwitches, fields.retries])
        add(decimals: [fields.minSuccessRate])
        add(durations: [fields.retryDelay, fields.timeout])
        add(fields.prefersFast.map { "\($0)" } ?? "")
    }

    fileprivate mutating func add(_ test: RoutingExpectation) {
        add("test", test.name, test.key ?? "")
        add(bytes: test.body)
        add(numbers: [test.tokens, test.refused])
        for names in [test.down, test.chosen, test.order, test.never] { add(list: names) }
    }
}

extension MeaningHash {
    fileprivate mutating func add(_ retry: Retry) {
        add("retry", "\(retry.retries)", "\(retry.jitter)")
        add(durations: [retry.delay, retry.maxDelay])
    }

    fileprivate mutating func add(_ retry: RetryOverrides) {
        add(numbers: [retry.retries])
        add(decimals: [retry.jitter])
        add(durations: [retry.delay, retry.maxDelay])
    }

    fileprivate mutating func add(_ breaker: BreakerSettings) {
        add(numbers: [breaker.failures, breaker.successes])
        add(decimals: [breaker.jitter])
        add(durations: [breaker.cooldown, breaker.maxCooldown])
    }

    fileprivate mutating func add(_ limits: Limits) {
        add(numbers: [limits.requestsPerMinute, limits.tokensPerMinute, limits.concurrent])
    }

    fileprivate mutating func add(_ failover: Failover) {
        add("failover", "\(failover.statuses.count)")
        for (status, action) in failover.statuses.sorted(by: { $0.key < $1.key }) { add("\(status)", action.rawValue) }
        for failure in FailureClass.allCases { add(failover.classes[failure]?.rawValue ?? "") }
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
