import ConfigTree
import ProviderKit

extension ProviderDefinition {
    /// What every provider takes. The plugin reads the other options.
    static let section = OptionSection<ProviderDefinition>(
        "providers", "accounts, each at one place, by name; the plugin decides what else a provider takes",
        [
            Option(
                "plugin", takes: .text, .required, help: "the plugin that drives the provider",
                entries: { provider, _ in
                    let state = provider.settings == nil ? "off (\(provider.unset.joined(separator: ", ")) unset)" : "on"
                    return [
                        OptionEntry("plugin", .text(provider.plugin)), OptionEntry("state", .text(state)),
                        OptionEntry("settings", .plugin(provider.settings, digest: provider.settingsDigest, options: provider.options)),
                    ]
                },
                read: { fields, schema, provider in schema.readPlugin(&fields, &provider) }),
            Option(layer: Timeouts.self, \.timeouts, help: "replaces those of 'defaults', option by option"),
            Option(layer: Retry.self, \.retry, help: "replaces that of 'defaults', option by option", check: checkOrder),
            Option(section: "failover", \.failover, Failover.section, help: "takes precedence over that of 'defaults'"),
            Option(section: "limits", \.limits, Limits.section, .words("no limit"), help: "bounds the provider as a whole"),
            Option(
                layer: BreakerSettings.self, \.breaker,
                help: "applies to each of its models; replaces that of 'defaults', option by option",
                base: { schema, _ in schema.policy.defaults.breaker }, check: checkOrder),
        ])
}

extension PolicySchema {
    mutating func readProviders(_ entries: [ConfigEntry]) -> [ProviderDefinition] {
        var providers: [ProviderDefinition] = []
        for entry in entries where checkName(entry.key, of: "provider") {
            let provider = provider(entry)
            guard case .mapping = entry.value.content else {
                // What stands in place of the mapping, or the name itself, may be a secret.
                names.addBroken(entry.key.text)
                continue
            }
            names.providers[entry.key.text] = providers.count
            providers.append(provider)
        }
        return providers
    }

    private mutating func provider(_ entry: ConfigEntry) -> ProviderDefinition {
        var fields = FieldReader(entry.value, of: entry.key)
        PolicySchema.hideMisplaced(in: entry.value, &fields)
        var provider = ProviderDefinition(name: entry.key.text, plugin: misspelledPlugin(in: entry.value), unset: unset(in: entry.value))
        read(ProviderDefinition.section, &fields, into: &provider)
        provider.settingsDigest = settingsDigest(of: entry.value)
        // If the plugin's name is misspelled, the other keys are still judged by the plugin that was meant.
        if let plugin = plugin(named: provider.plugin) {
            let settings = read(plugin, &fields, of: entry.key)
            if provider.unset.isEmpty { provider.settings = settings }
            provider.options = options(of: entry.value, fields.known)
            let vocabulary = vocabulary
            add(
                fields.finish(
                    reference: ProviderDefinition.section.hint, form: { vocabulary.form(of: "providers", given: $0) },
                    advice: { vocabulary.advice(for: $0, in: "providers", known: $1) }),
                secrets: fields.secretPositions)
        } else {
            // Without a plugin the other keys cannot be judged.
            add(fields.issues, secrets: fields.secretPositions)
        }
        if let message = provider.offMessage {
            offMessages.insert(message)
            report(
                ConfigIssue(
                    .warning, at: entry.key.position, message,
                    hint: "set it in the environment and restart the router, or in '.env' and reload; until then no route uses its models"))
        }
        return provider
    }

    /// The value of a key that is nearly `plugin`, or what other programs call it; empty if there is none.
    private func misspelledPlugin(in node: ConfigNode) -> String {
        let entries = entries(of: node)
        let entry =
            entries.first { nearest(to: $0.key.text, in: ["plugin"]) != nil }
            ?? entries.first { ForeignName.table[ForeignName.form(of: $0.key.text)]?.contains { $0.option == "plugin" } == true }
        if case .scalar(let scalar)? = entry?.value.content { return scalar.text }
        return ""
    }

    fileprivate mutating func readPlugin(_ fields: inout FieldReader, _ provider: inout ProviderDefinition) {
        let known = plugins.map { $0.name }
        guard let node = fields.node("plugin") else {
            fields.report("plugin", "key 'plugin' is missing", hint: "add 'plugin: …', one of \(known.joined(separator: ", "))")
            return
        }
        provider.plugin = fields.string("plugin") ?? ""
        guard !provider.plugin.isEmpty, !node.isUnresolved, !known.contains(provider.plugin), !hasBrokenPlugins else { return }
        let near = nearest(to: provider.plugin, in: known)
        report(
            ConfigIssue(
                at: node.position, "there is no plugin \(node.displayText)" + (near.map { "; did you mean '\($0)'?" } ?? ""),
                hint: near == nil
                    ? pluginAdvice(provider.plugin)
                        ?? "known: \(known.joined(separator: ", ")); 'plugins' at the top of the file loads others" : nil))
    }

    private func plugin(named name: String) -> (any ProviderPlugin.Type)? {
        let meant = plugins.contains { $0.name == name } ? name : nearest(to: name, in: plugins.map { $0.name })
        return plugins.first { $0.name == meant }
    }

    private mutating func read<Plugin: ProviderPlugin>(
        _ plugin: Plugin.Type, _ fields: inout FieldReader, of name: ConfigText
    ) -> (any ProviderSettings)? {
        if let options = plugin.readOptions(&fields) { return PluginSettings<Plugin>(options: options) }
        if fields.issues.isEmpty {
            fields.report(
                ConfigIssue(
                    at: name.position, "plugin '\(plugin.name)' refuses these options without a reason",
                    hint: "compare them with 'llm-router help config providers.\(plugin.name)', and ask the plugin's author"))
        }
        return nil
    }

    /// The variables whose absence turns a provider off, each once. Of several keys, one is enough.
    private func unset(in node: ConfigNode) -> [String] {
        var names: [String] = []
        for option in entries(of: node) where PolicySchema.isSwitch(option) {
            let values = if case .sequence(let nodes) = option.value.content { nodes } else { [option.value] }
            let unset = values.map { node -> [String] in if case .scalar(let scalar) = node.content { scalar.unset } else { [] } }
            guard !unset.contains(where: \.isEmpty) else { continue }
            for name in unset.joined() where !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// A plugin's options. Text may be a secret, so only that it changed can be shown.
    private func options(of node: ConfigNode, _ known: [KnownField]) -> [OptionEntry] {
        let own = Set(ProviderDefinition.section.options.map(\.key))
        return entries(of: node).filter { !own.contains($0.key.text) }.map { entry in
            if case .scalar(let scalar) = entry.value.content, !scalar.isUnresolved {
                switch known.first(where: { $0.key == entry.key.text })?.kind {
                case .bool, .word, .words, .integer, .number, .money, .duration, .size, .address:
                    return OptionEntry(entry.key.text, .text(scalar.text))
                case .text, .texts, .other, nil: break
                }
            }
            var hash = MeaningHash()
            hash.add(entry.value)
            return OptionEntry(entry.key.text, .opaque(hash.digestBytes()))
        }
    }

    private func settingsDigest(of node: ConfigNode) -> [UInt8] {
        var hash = MeaningHash()
        hash.add(node, leavingOut: Set(ProviderDefinition.section.options.map(\.key)))
        return hash.digestBytes()
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

extension MeaningHash {
    /// Equal for mappings that differ only in order, layout or quotes.
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
