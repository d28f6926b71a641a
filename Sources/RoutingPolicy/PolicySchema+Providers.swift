import ConfigTree
import ProviderKit

/// `providers`.
extension PolicySchema {
    struct ReadProvider {
        var definition: ProviderDefinition
        /// Its own, over the defaults'.
        var breaker: BreakerSettings
        /// What its plugin read, for the digest.
        var node: ConfigNode
    }

    mutating func readProviders(_ entries: [ConfigEntry], over defaults: Defaults) -> [ReadProvider] {
        var providers: [ReadProvider] = []
        for entry in entries where checkName(entry.key, of: "provider") {
            names.providers[entry.key.text] = providers.count
            providers.append(provider(entry, over: defaults))
        }
        return providers
    }

    private mutating func provider(_ entry: ConfigEntry, over defaults: Defaults) -> ReadProvider {
        var fields = FieldReader(entry.value, of: entry.key)
        PolicySchema.hideMisplaced(in: entry.value, &fields)
        let kind = fields.string("plugin") ?? misspeltPlugin(in: entry.value)
        if fields.node("plugin") == nil {
            let known = plugins.map { $0.name }.joined(separator: ", ")
            fields.report("plugin", "key 'plugin' is missing", hint: "add 'plugin: …', one of \(known)")
        }
        let timeouts = readTimeouts(&fields)
        var definition = ProviderDefinition(
            name: entry.key.text, plugin: kind, settings: nil, unset: unset(in: entry.value), timeouts: timeouts)
        definition.retry = readRetry(&fields)
        definition.failover = readFailover(&fields)
        definition.limits = readLimits(&fields)
        let breaker = readBreaker(&fields, over: defaults.breaker)
        // By a misspelt name's plugin the other keys are judged all the same.
        let meant =
            plugins.first { $0.name == kind }
            ?? nearest(to: kind, in: plugins.map { $0.name }).flatMap { near in plugins.first { $0.name == near } }
        if let node = fields.node("plugin"), meant?.name != kind, !kind.isEmpty, !node.isUnresolved { report(unknownPlugin(kind, node)) }
        if let meant {
            let settings = read(meant, &fields, of: entry.key)
            if definition.unset.isEmpty { definition.settings = settings }
            finish(&fields, section: "providers.\(meant.name)")
        } else {
            abandon(fields)
        }
        if !definition.unset.isEmpty {
            let names = definition.unset.map { "'\($0)'" }.joined(separator: ", ")
            let message = "provider '\(definition.name)' is off: \(names) \(definition.unset.count == 1 ? "is" : "are") unset or empty"
            report(
                ConfigIssue(
                    .warning, at: entry.key.position, message, hint: "set it in the environment; until then no route selects its models"))
        }
        return ReadProvider(definition: definition, breaker: breaker, node: entry.value)
    }

    /// What stands behind a key that is nearly `plugin`; empty: there is none.
    private func misspeltPlugin(in node: ConfigNode) -> String {
        let entry = entries(of: node).first { nearest(to: $0.key.text, in: ["plugin"]) != nil }
        if case .scalar(let scalar)? = entry?.value.content { return scalar.text }
        return ""
    }

    private mutating func read<Plugin: ProviderPlugin>(
        _ plugin: Plugin.Type, _ fields: inout FieldReader, of name: ConfigText
    ) -> (any ProviderSettings)? {
        if let options = plugin.readOptions(&fields) { return PluginSettings<Plugin>(options: options) }
        if fields.issues.isEmpty {
            fields.report(ConfigIssue(at: name.position, "plugin '\(plugin.name)' refuses these options and doesn't say why"))
        }
        return nil
    }

    /// The variables for want of which a provider is off, each once.
    private func unset(in node: ConfigNode) -> [String] {
        var names: [String] = []
        for option in entries(of: node) where PolicySchema.switches.contains(option.key.text) {
            guard case .scalar(let scalar) = option.value.content else { continue }
            names += scalar.unset.filter { !names.contains($0) }
        }
        return names
    }

    private func unknownPlugin(_ name: String, _ node: ConfigNode) -> ConfigIssue {
        let known = plugins.map { $0.name }
        let message = "there is no plugin \(node.shown)"
        if let near = nearest(to: name, in: known) { return ConfigIssue(at: node.position, "\(message); did you mean '\(near)'?") }
        return ConfigIssue(at: node.position, message, hint: "known: \(known.joined(separator: ", "))")
    }
}

/// A plugin with the options that it read.
private struct PluginSettings<Plugin: ProviderPlugin>: ProviderSettings {
    let options: Plugin.Options

    func makeProvider() -> any Provider {
        Plugin.makeProvider(options)
    }

    func isEqual(to other: any ProviderSettings) -> Bool {
        (other as? PluginSettings<Plugin>)?.options == options
    }
}
