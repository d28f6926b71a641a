import ConfigTree

extension RoutingPolicy {
    /// The top of the file. The order is the order of reading: each section may use what the sections before it define.
    static let section = OptionSection<RoutingPolicy>(
        "", "top-level options",
        [
            Option(
                "version", takes: .other("1"), .required, help: "the version of the language", entries: { _, _ in [] },
                read: { fields, schema, _ in schema.readVersion(&fields) }),
            Option(
                "listen", takes: .other("an address or a list; see listen"), .value("127.0.0.1:8080"),
                help: "where clients connect: HOST:PORT, :PORT or unix:PATH; beyond this machine 'keys' are required",
                entries: { policy, _ in [OptionEntry("listen", .list(policy.listen.map { $0.words(in: policy) }))] },
                read: { fields, schema, policy in
                    guard let listen = schema.readListen(&fields) else { return }
                    schema.listen = listen
                    policy.listen = listen.map(\.listener)
                }),
            Option(
                "plugins", takes: .texts, .words("none"),
                help: "libraries with more provider plugins: paths and globs, relative to this file; see docs/write-a-provider.md",
                entries: { policy, _ in policy.plugins.map { OptionEntry($0.name, policy.value(of: $0)) } },
                read: { fields, schema, policy in policy.plugins = schema.readPlugins(&fields) }),
            Option(section: "server", \.server, ServerSettings.section, help: "timeouts and bounds of the client side"),
            Option(section: "log", \.log, LogSettings.section, help: "what the router writes about its work, and where"),
            Option(
                section: "telemetry", \.telemetry, TelemetrySettings.section, help: "what the router sends about its requests, and where"),
            Option(section: "defaults", \.defaults, PolicyDefaults.section, help: "what applies if no nearer level says otherwise"),
            Option(
                "providers", takes: .other("by name; see providers"), help: "accounts, each at one place, by name",
                entries: { policy, _ in policy.providers.map { OptionEntry($0.name, policy.value(of: $0)) } },
                read: { fields, schema, policy in policy.providers = schema.readProviders(schema.named("providers", of: &fields)) }),
            Option(
                "models", takes: .other("by name; see models"), help: "the names that clients use",
                entries: { policy, _ in policy.models.map { OptionEntry($0.key, policy.value(of: $0)) } },
                read: { fields, schema, policy in
                    policy.models = schema.readModels(schema.named("models", of: &fields))
                    schema.models = ModelIndex(policy.models, providers: policy.providers.map(\.name))
                }),
            Option(
                "routes", takes: .other("by name; see routes"),
                help: "names that stand for several models; 'auto' serves requests that name no model",
                entries: { policy, _ in policy.routes.map { OptionEntry($0.name, policy.value(of: $0)) } },
                read: { fields, schema, policy in
                    (policy.routes, policy.defaults.fallback) = schema.readRoutes(schema.named("routes", of: &fields))
                }),
            Option(
                "keys", takes: .other("by name; see keys"),
                help: "which clients may send requests; without keys, every client on this machine may",
                entries: { policy, _ in policy.keys.map { OptionEntry($0.name, policy.value(of: $0)) } },
                read: { fields, schema, policy in policy.keys = schema.readKeys(schema.named("keys", of: &fields)) }),
            Option(
                "state", takes: .other("'memory', a Redis server's address, or see state"), .value("memory"),
                help: "where the usage of keys is kept, and what several routers count together",
                entries: { policy, _ in
                    let entries = StateSettings.section.entries(of: policy.state, in: policy)
                    return policy.state == StateSettings() ? [] : [OptionEntry("state", .section(entries))]
                },
                read: { fields, schema, policy in policy.state = schema.readState(&fields) }),
            Option(
                "tests", takes: .other("list; see tests"), help: "what routing must do with a request: for 'llm-router test' and 'check'",
                entries: { policy, _ in policy.tests.map { OptionEntry($0.name, policy.value(of: $0)) } },
                read: { fields, schema, policy in policy.tests = schema.readTests(&fields) }),
            Option(
                "include", takes: .texts,
                help: "more files of this language: paths and globs, relative to this one; mappings of the same name merge by key",
                // `PolicyFiles` has read and merged them.
                entries: { _, _ in [] }, read: { fields, _, _ in _ = fields.node("include") }),
        ])

    func value(of plugin: LoadedPlugin) -> OptionValue { .section([OptionEntry("build", .text(plugin.build))]) }
    func value(of provider: ProviderDefinition) -> OptionValue { .section(ProviderDefinition.section.entries(of: provider, in: self)) }
    func value(of model: ModelDefinition) -> OptionValue { .section(ModelDefinition.section.entries(of: model, in: self)) }
    func value(of route: RouteDefinition) -> OptionValue { .section(RouteDefinition.section.entries(of: route, in: self)) }
    func value(of key: KeyDefinition) -> OptionValue { .section(KeyDefinition.section.entries(of: key, in: self)) }
    func value(of test: RoutingExpectation) -> OptionValue { .section(RoutingExpectation.section.entries(of: test, in: self)) }

    /// Eight hexadecimal digits over everything that the policy sets.
    var meaningDigest: String {
        var hash = MeaningHash()
        hash.add(Self.section.entries(of: self, in: self))
        return hash.finish()
    }
}

extension PolicySchema {
    fileprivate mutating func readVersion(_ fields: inout FieldReader) {
        guard let entry = fields.entry("version") else {
            report(ConfigIssue(at: fields.position, "key 'version' is missing", hint: "write 'version: 1' at the top"))
            return
        }
        guard case .scalar(let scalar) = entry.value.content, scalar.isUnresolved || (scalar.text == "1" && scalar.style == .plain) else {
            report(
                ConfigIssue(
                    at: entry.value.position,
                    entry.value.displayText == "'1'"
                        ? "'version' is a number, but '1' is text in quotes" : "'version' must be 1, not \(entry.value.displayText)",
                    hint: "write 'version: 1'"))
            return
        }
    }
}
