import ProviderKit
import RoutingPolicy

/// What a policy says of each of its parts, field by field, in routes.yaml's words.
struct PolicyFacts {
    private let policy: RoutingPolicy

    init(_ policy: RoutingPolicy) {
        self.policy = policy
    }

    func hasSameNames(as other: PolicyFacts) -> Bool {
        policy.providers.map(\.name) == other.policy.providers.map(\.name) && policy.models.map(\.key) == other.policy.models.map(\.key)
            && policy.routes.map(\.name) == other.policy.routes.map(\.name)
    }

    func record(of policy: RoutingPolicy) -> [Fact] {
        let server = policy.server
        return [
            Fact("listen", policy.listen.map { "\($0)" }.joined(separator: ", ")),
            Fact("server.keepalive", server.keepalive.asWritten),
            Fact("server.write_stall", server.writeStall.asWritten),
            Fact("server.head_timeout", server.headTimeout.asWritten),
            Fact("server.body_timeout", server.bodyTimeout.asWritten),
            Fact("server.max_body", "\(server.maxBodyBytes) bytes"),
            Fact("server.max_buffered", "\(server.maxBufferedBytes) bytes"),
            Fact("server.drain", server.drain.asWritten),
            Fact("server.pre_stop", server.preStop.asWritten),
            Fact("defaults.timeouts", TimeoutOverrides(policy.timeouts).words),
            Fact("defaults.retry", policy.retry.words),
            Fact("defaults.failover", policy.failover.words),
            Fact("defaults.statistics.window", policy.statisticsWindow.asWritten),
            Fact("max_models", "\(policy.maxModels)"),
            Fact("max_attempts", "\(policy.maxAttempts)"),
        ]
    }

    func record(of provider: ProviderDefinition) -> [Fact] {
        [
            Fact("plugin", provider.plugin),
            Fact("state", provider.settings == nil ? "off, for want of \(provider.unset.joined(separator: ", "))" : "on"),
            Fact("timeouts", provider.timeouts.words),
            Fact("retry", provider.retry.words),
            Fact("failover", provider.failover.words),
            Fact("limits", provider.limits.words),
            // Opaque, and they may hold secrets.
            Fact("settings", .settings(provider.settings)),
        ]
    }

    func record(of model: ModelDefinition) -> [Fact] {
        [
            Fact("provider", policy.providers[model.provider].name),
            Fact("upstream", model.upstream),
            Fact("type", model.type ?? ""),
            Fact("tags", .list(model.tags)),
            Fact("supports", model.supports.map(\.rawValue).sorted().joined(separator: ", ")),
            Fact("context", model.context.map { "\($0)" } ?? ""),
            Fact("max_output", model.maxOutput.map { "\($0)" } ?? ""),
            Fact("price", model.price?.words ?? ""),
            Fact("weight", decimal(model.weight)),
            Fact("hidden", "\(model.isHidden)"),
            Fact("request_defaults", words(model.requestDefaults)),
            Fact("request_overrides", words(model.requestOverrides)),
            Fact("timeouts", model.timeouts.words),
            Fact("limits", model.limits.words),
            Fact("retry", model.retry.words),
            Fact("breaker", model.breaker.words),
        ]
    }

    func record(of route: RouteDefinition) -> [Fact] {
        [
            Fact("try", .list(words(route.steps))),
            Fact("fallback", .list(words(route.fallback))),
            Fact("fallback_on.context_overflow", .list(words(route.fallbackOn[.contextOverflow] ?? []))),
            Fact("fallback_on.content_filter", .list(words(route.fallbackOn[.contentFilter] ?? []))),
            Fact("max_models", route.maxModels.map { "\($0)" } ?? ""),
            Fact("max_attempts", route.maxAttempts.map { "\($0)" } ?? ""),
            Fact("timeouts", route.timeouts.words),
            Fact("retry", route.retry.words),
            Fact("failover", route.failover.words),
            Fact("hedge", route.hedge?.words ?? ""),
            Fact("resume", "\(route.resumes)"),
        ]
    }

    func record(of key: KeyDefinition) -> [Fact] {
        [
            Fact("secret", .opaque(key.digest)),
            Fact("admin", "\(key.isAdmin)"),
            Fact("models", .list(key.models.map(words) ?? ["all"])),
            Fact("endpoints", key.endpoints?.map(\.rawValue).sorted().joined(separator: ", ") ?? "all"),
            Fact("limits", key.limits.words),
            Fact("defaults", (key.defaults?.fields ?? RoutingOverrides()).words),
            Fact("metadata", "\(key.wantsMetadata)"),
        ]
    }

    func record(of test: RoutingExpectation) -> [Fact] {
        [
            Fact("key", test.key ?? ""),
            Fact("down", .list(test.down)),
            Fact("request", .opaque(test.body)),
            Fact("request.tokens", test.tokens.map { "\($0)" } ?? ""),
            Fact("expect", test.expectation),
        ]
    }

    private func words(_ scope: ModelScope) -> [String] {
        (scope.routes.map { policy.routes[$0].name } + scope.models.map { policy.models[$0].key }).sorted()
    }

    private func words(_ fields: [BodyField]) -> String {
        fields.map { "\($0.key): \(String(decoding: $0.json, as: UTF8.self))" }.joined(separator: ", ")
    }

    private func words(_ steps: [RouteStep]) -> [String] {
        steps.compactMap { step in
            switch step {
            case .models(let models): models.first.map { models.count == 1 ? policy.models[$0].key : policy.models[$0].name }
            case .route(let route): "route \(policy.routes[route].name)"
            case .selected(let selection): selection.words(providers: policy.providers.map(\.name))
            }
        }
    }
}
