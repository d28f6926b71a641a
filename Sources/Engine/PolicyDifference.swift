package import RoutingPolicy

/// What a reload changes, in words: `+ model gpt-4o-mini`, `~ route auto: fallback deepseek-chat -> claude-sonnet`, `- provider groq (2 streams draining)`.
package enum PolicyDifference {
    /// - Parameter draining: requests under way, by the name of the provider that goes or is replaced.
    package static func words(from old: RoutingPolicy, to new: RoutingPolicy, draining: [String: Int]) -> [String] {
        var words: [String] = []
        words += changes("", facts(of: old), facts(of: new)).map { "~ \($0)" }
        words += compare("provider", old.providers.map { ($0.name, facts(of: $0)) }, new.providers.map { ($0.name, facts(of: $0)) }).map { line in
            guard let count = draining[line.name], count > 0, line.kind != .added else { return line.text }
            return "\(line.text) (\(count) \(count == 1 ? "stream" : "streams") draining)"
        }
        // Settings are opaque, and may hold secrets: that they differ is all there is to say.
        for definition in new.providers {
            guard let before = old.providers.first(where: { $0.name == definition.name }), let was = before.settings, let now = definition.settings else { continue }
            guard !was.isEqual(to: now) else { continue }
            let count = draining[definition.name] ?? 0
            words.append("~ provider \(definition.name): settings changed" + (count > 0 ? " (\(count) \(count == 1 ? "stream" : "streams") draining)" : ""))
        }
        words += compare("model", old.models.map { ($0.key, facts(of: $0, old)) }, new.models.map { ($0.key, facts(of: $0, new)) }).map(\.text)
        words += compare("route", old.routes.map { ($0.name, facts(of: $0, old)) }, new.routes.map { ($0.name, facts(of: $0, new)) }).map(\.text)
        words += compare("key", old.keys.map { ($0.name, facts(of: $0, old)) }, new.keys.map { ($0.name, facts(of: $0, new)) }).map(\.text)
        return words
    }

    private static let secretField = "secret"

    private typealias Facts = [(field: String, value: String)]

    private struct Line {
        enum Kind { case added, changed, removed }

        var kind: Kind
        var name: String
        var text: String
    }

    private static func compare(_ noun: String, _ old: [(String, Facts)], _ new: [(String, Facts)]) -> [Line] {
        let before = Dictionary(old, uniquingKeysWith: { first, _ in first })
        let after = Set(new.map(\.0))
        var lines: [Line] = []
        for (name, facts) in new {
            guard let was = before[name] else {
                lines.append(Line(kind: .added, name: name, text: "+ \(noun) \(name)"))
                continue
            }
            for change in changes("\(noun) \(name): ", was, facts) { lines.append(Line(kind: .changed, name: name, text: "~ \(change)")) }
        }
        for (name, _) in old where !after.contains(name) { lines.append(Line(kind: .removed, name: name, text: "- \(noun) \(name)")) }
        return lines
    }

    private static func changes(_ prefix: String, _ old: Facts, _ new: Facts) -> [String] {
        zip(old, new).compactMap { was, now in
            if was.value == now.value { return nil }
            // That a secret changed is all there is to say of it.
            if now.field == secretField { return "\(prefix)secret changed" }
            return "\(prefix)\(now.field) \(shown(was.value)) -> \(shown(now.value))"
        }
    }

    private static func shown(_ value: String) -> String { value.isEmpty ? "(none)" : value }

    private static func facts(of policy: RoutingPolicy) -> Facts {
        let server = policy.server
        return [
            ("listen", policy.listen.map { "\($0)" }.joined(separator: ", ")),
            ("server.keepalive", words(server.keepalive)),
            ("server.write_stall", words(server.writeStall)),
            ("server.head_timeout", words(server.headTimeout)),
            ("server.body_timeout", words(server.bodyTimeout)),
            ("server.max_body", "\(server.maxBodyBytes) bytes"),
            ("server.max_buffered", "\(server.maxBufferedBytes) bytes"),
            ("server.drain", words(server.drain)),
            ("server.pre_stop", words(server.preStop)),
            ("defaults.timeouts", words(policy.timeouts)),
            ("max_models", "\(policy.maxModels)"),
            ("max_attempts", "\(policy.maxAttempts)"),
        ]
    }

    private static func facts(of provider: ProviderDefinition) -> Facts {
        [
            ("plugin", provider.plugin),
            ("state", provider.settings == nil ? "off, for want of \(provider.unset.joined(separator: ", "))" : "on"),
            ("timeouts", words(provider.timeouts)),
        ]
    }

    private static func facts(of model: ModelDefinition, _ policy: RoutingPolicy) -> Facts {
        [
            ("provider", policy.providers[model.provider].name),
            ("upstream", model.upstream),
            ("type", model.type ?? ""),
            ("tags", model.tags.joined(separator: ", ")),
            ("supports", model.supports.map(\.rawValue).sorted().joined(separator: ", ")),
            ("context", model.context.map { "\($0)" } ?? ""),
            ("max_output", model.maxOutput.map { "\($0)" } ?? ""),
            ("price", model.price.map { "\($0.input)/\($0.output)" } ?? ""),
            ("hidden", "\(model.isHidden)"),
            ("request_defaults", model.requestDefaults.map { "\($0.key): \(String(decoding: $0.json, as: UTF8.self))" }.joined(separator: ", ")),
            ("request_overrides", model.requestOverrides.map { "\($0.key): \(String(decoding: $0.json, as: UTF8.self))" }.joined(separator: ", ")),
            ("timeouts", words(model.timeouts)),
        ]
    }

    private static func facts(of route: RouteDefinition, _ policy: RoutingPolicy) -> Facts {
        [
            ("try", words(route.steps, policy)),
            ("fallback", words(route.fallback, policy)),
            ("fallback_on.context_overflow", words(route.fallbackOn[.contextOverflow] ?? [], policy)),
            ("fallback_on.content_filter", words(route.fallbackOn[.contentFilter] ?? [], policy)),
            ("max_models", route.maxModels.map { "\($0)" } ?? ""),
            ("max_attempts", route.maxAttempts.map { "\($0)" } ?? ""),
            ("timeouts", words(route.timeouts)),
        ]
    }

    private static func facts(of key: KeyDefinition, _ policy: RoutingPolicy) -> Facts {
        [
            (secretField, "\(key.digest)"),
            ("admin", "\(key.isAdmin)"),
            ("models", key.models.map { scope in (scope.routes.map { policy.routes[$0].name } + scope.models.map { policy.models[$0].key }).sorted().joined(separator: ", ") } ?? "all"),
            ("endpoints", key.endpoints?.sorted().joined(separator: ", ") ?? "all"),
        ]
    }

    private static func words(_ steps: [RouteStep], _ policy: RoutingPolicy) -> String {
        steps.map { step in
            switch step {
            case .models(let models): models.first.map { policy.models[$0].name } ?? ""
            case .route(let route): "route \(policy.routes[route].name)"
            case .selected(let selection): "select(\(selection.models.map { policy.models[$0].name }.joined(separator: ", ")))"
            }
        }.joined(separator: ", ")
    }

    private static func words(_ timeouts: Timeouts) -> String {
        words(TimeoutOverrides(timeouts))
    }

    /// As routes.yaml writes it: `250ms`, `90s`, `10m`.
    private static func words(_ duration: Duration) -> String {
        let milliseconds = Int(duration.milliseconds)
        if milliseconds % 1000 != 0 { return "\(milliseconds)ms" }
        return milliseconds % 60_000 == 0 && milliseconds > 0 ? "\(milliseconds / 60_000)m" : "\(milliseconds / 1000)s"
    }

    private static func words(_ timeouts: TimeoutOverrides) -> String {
        let given: [(String, Duration?)] = [
            ("queue", timeouts.queue), ("connect", timeouts.connect), ("write", timeouts.write), ("first_byte", timeouts.firstByte),
            ("first_content", timeouts.firstContent), ("idle", timeouts.idle), ("response", timeouts.response), ("pool_idle", timeouts.poolIdle), ("total", timeouts.total),
        ]
        return given.compactMap { name, value in value.map { "\(name) \(words($0))" } }.joined(separator: ", ")
    }
}
