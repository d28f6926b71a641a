import ConfigTree
internal import RoutingPolicy

/// The policy that `config.yaml` and `models.yaml` of the Free LLM Router describe. Source: the router's README and its
/// example files.
struct FreeRouterImport {
    private var root: ForeignMapping
    private var policy = PolicyDraft()
    /// The tag of the model that only the fallback uses. The route `auto` leaves it out.
    private static let fallbackTag = "fallback"
    private var variables: ForeignVariables
    private var providers = ForeignNames([], fallback: "provider")
    private var names = ForeignNames([], fallback: "model")
    private var tags = ForeignNames(ofTags: [])

    init(_ root: ForeignMapping) { (self.root, variables) = (root, ForeignVariables(of: root)) }

    consuming func draft() -> PolicyDraft {
        _ = root.take("modelsFile")
        let services = root.mapping("providers")?.rest ?? []
        providers = ForeignNames(services.map(\.key), fallback: "provider")
        for (name, node) in services { readProvider(name, node) }
        let overrides = readOverrides()
        let models = root.list("models")
        let given = models.compactMap { ForeignMapping($0) }
        let modelNames = given.compactMap { $0.peek("name")?.foreignText }
        names = ForeignNames(modelNames, mayHaveSlash: true, fallback: "model")
        tags = ForeignNames(ofTags: given.flatMap { $0.peek("tags")?.foreignTexts ?? [] })
        for override in overrides {
            let name = ImportWords.printable(override.name), provider = override.fields.peek("provider")?.foreignText
            let owners = given.filter { $0.peek("name")?.foreignText == override.name }.map { $0.peek("provider")?.foreignText }
            if owners.isEmpty {
                policy.omissions.append("modelOverrides: there is no model '\(name)'.")
            } else if let provider, !owners.contains(provider) {
                policy.omissions.append(
                    "modelOverrides: there is no model '\(name)' of the provider '\(ImportWords.printable(provider))'.")
            }
        }
        if models.isEmpty { policy.omissions.append("modelsFile: name the file with the models too, after 'config.yaml'.") }
        for node in models { readModel(node, overrides) }
        readRouting()
        readBreaker()
        readLimits()
        policy.listen = "127.0.0.1:8080"
        policy.header.append("Only this machine may send requests. Add 'keys:' to listen on other addresses.")
        if let words = ImportWords.leftOver(root.keys) { policy.omissions.append(words) }
        return policy
    }

    private mutating func readProvider(_ name: String, _ node: ConfigNode) {
        guard var fields = ForeignMapping(node), let key = providers[name] else {
            policy.omissions.append("provider '\(ImportWords.printable(name))' has no options.")
            return
        }
        guard fields.bool("enabled") != false else {
            policy.omissions.append("provider '\(ImportWords.printable(name))' is turned off, and so are its models.")
            return
        }
        var provider = DraftEntry(key)
        provider.comments = [providers.comment(name)].compactMap(\.self)
        let baseURL = fields.text("baseUrl")
        let known = KnownService.byPrefix[name], isOwn = known?.isOwn(baseURL) != false
        let account = isOwn ? name : ForeignVariables.owner(name, at: baseURL)
        if let baseURL {
            // Every provider of the origin speaks OpenAI's format.
            let server = KnownService.openAIServer(at: baseURL, of: known)
            provider.set("plugin", .text(server.plugin))
            let address = server.baseURL.map { variables.address($0, of: account) }
            provider.set("base_url", address?.value)
            provider.comments += (address?.comment).map { [$0] } ?? []
        } else if let known, !known.needsAddress {
            provider.set("plugin", .text(known.plugin))
            provider.set("base_url", known.baseURL.map(DraftValue.text))
        } else {
            policy.omissions.append("provider '\(ImportWords.printable(name))' has no 'baseUrl', so it can't be reached.")
            return
        }
        let secret = fields.text("apiKey").map { variables.key($0, of: account, usual: isOwn ? known?.variable : nil) }
        provider.set("api_key", secret?.value)
        provider.comments += (secret?.comment).map { [$0] } ?? []
        if let words = ImportWords.leftOver(fields.keys) { provider.comments.append(words) }
        policy.providers.append(provider)
    }

    // MARK: Models

    private struct Override {
        var name: String
        var fields: ForeignMapping
    }

    /// A list of mappings with a name, or a mapping by name.
    private mutating func readOverrides() -> [Override] {
        guard let node = root.take("modelOverrides") else { return [] }
        if case .sequence(let nodes) = node.content {
            return nodes.compactMap { node in
                guard var fields = ForeignMapping(node), let name = fields.text("name") else { return nil }
                return Override(name: name, fields: fields)
            }
        }
        return (ForeignMapping(node)?.rest ?? []).compactMap { name, node in
            ForeignMapping(node).map { Override(name: name, fields: $0) }
        }
    }

    private mutating func readModel(_ node: ConfigNode, _ overrides: [Override]) {
        guard var fields = ForeignMapping(node), let name = fields.text("name"), let provider = fields.text("provider") else {
            policy.omissions.append("the model at line \(node.position.line) has no 'name' or no 'provider'.")
            return
        }
        var changed =
            overrides.first { override in
                var fields = override.fields
                return override.name == name && (fields.text("provider") ?? provider) == provider
            }?.fields ?? ForeignMapping([])
        _ = changed.take("provider")
        let isAvailable = changed.bool("available"), wasAvailable = fields.bool("available")
        guard isAvailable ?? wasAvailable ?? true else {
            policy.omissions.append("model '\(ImportWords.printable(name))' is not available.")
            return
        }
        guard let owner = providers[provider] else {
            policy.omissions.append("model '\(ImportWords.printable(name))': there is no provider '\(ImportWords.printable(provider))'.")
            return
        }
        // Why a provider is left out is said once, for all of its models.
        guard policy.providers.contains(where: { $0.name == owner }) else { return }
        let key = names[name] ?? name
        let isShared = policy.models.contains { $0.name == key }
        var model = DraftEntry(isShared ? "\(owner)/\(key)" : key)
        guard !policy.models.contains(where: { $0.name == model.name }) else {
            policy.omissions.append("model '\(ImportWords.printable(name))' is listed twice; the first one counts.")
            return
        }
        model.comments = [names.comment(name)].compactMap(\.self)
        model.set("provider", .text(owner))
        model.set("upstream", fields.text("model").map(DraftValue.text))
        model.set("type", fields.take("type") { $0.foreignText.flatMap { ["fast", "reasoning"].contains($0) ? .text($0) : nil } })
        tags.setTags(fields.texts("tags"), of: &model)
        model.set("supports", .texts(Self.capabilities.filter { fields.bool($0.key) == true }.map(\.word)))
        model.set("context", fields.take("contextSize", as: \.draftCount))
        model.set("max_output", fields.take("maxOutputTokens", as: \.draftCount))
        let weight = changed.take("weight", as: \.draftWeight), usual = fields.take("weight", as: \.draftWeight)
        model.set("weight", (weight ?? usual).flatMap { $0 == .number(1) ? nil : $0 })
        let concurrent = changed.take("maxConcurrent", as: \.draftCount), limit = fields.take("maxConcurrent", as: \.draftCount)
        model.set("limits", "concurrent", concurrent ?? limit)
        let priority = changed.take("priority"), given = fields.take("priority")
        if priority ?? given != nil { model.comments.append("'priority': the order of 'try' in a route says which model comes first.") }
        if let words = ImportWords.leftOver(fields.keys + changed.keys) { model.comments.append(words) }
        policy.models.append(model)
    }

    private static let capabilities: [(key: String, word: String)] = [
        ("jsonResponse", "json"), ("supportsTools", "tools"), ("supportsImage", "image"), ("supportsVision", "image"),
        ("supportsVideo", "video"), ("supportsAudio", "audio"), ("supportsFile", "file"),
    ]

    // MARK: Routing

    private mutating func readRouting() {
        var routing = root.mapping("routing") ?? ForeignMapping([])
        policy.defaults.set("max_models", routing.take(["maxModelSwitches", "maxRetries"]) { $0.int(in: 1...100) }.map(DraftValue.int))
        let retries = routing.take(["maxSameModelRetries", "rateLimitRetries"]) { $0.int(in: 0...10) }
        policy.defaults.set("retry", "retries", retries.map(DraftValue.int))
        policy.defaults.set("retry", "delay", Self.time(["retryDelay": 0.001], in: &routing))
        // The origin's limit is that of one attempt.
        let limit = Self.time(["timeoutSecs": 1, "timeout": 0.001], in: &routing)
        policy.defaults.set("timeouts", "first_content", limit)
        policy.defaults.set("timeouts", "response", limit)
        // The only value is how `auto` chooses.
        _ = routing.take("algorithm")
        readFallback(&routing)
        if let words = ImportWords.leftOver(routing.keys, of: "routing") { policy.omissions.append(words) }
    }

    private mutating func readFallback(_ routing: inout ForeignMapping) {
        var fallback = routing.mapping("fallback") ?? ForeignMapping([])
        var selector: [DraftField] = []
        if fallback.bool("enabled") != false, let name = fallback.text("model"), let provider = fallback.text("provider") {
            let key = names[name] ?? ForeignNames([name], mayHaveSlash: true, fallback: "fallback")[name] ?? name
            let owner = providers[provider] ?? ""
            if !policy.providers.contains(where: { $0.name == owner }) {
                policy.omissions.append("routing.fallback: there is no provider '\(ImportWords.printable(provider))'.")
            } else if let listed = policy.models.first(where: {
                [key, "\(owner)/\(key)"].contains($0.name) && $0["provider"] == .text(owner)
            }) {
                policy.defaults.set("fallback", .list([.text(listed.name)]))
            } else {
                var model = DraftEntry("\(owner)/\(key)")
                model.set("provider", .text(owner))
                model.set("upstream", .text(name))
                model.set("tags", .texts([Self.fallbackTag]))
                policy.models.append(model)
                policy.defaults.set("fallback", .list([.text(model.name)]))
                selector = [DraftField("tags", .text("!\(Self.fallbackTag)"))]
            }
        }
        guard !policy.models.isEmpty else { return }
        var auto = DraftEntry("auto")
        auto.set("try", .mapping([DraftField("select", .mapping(selector)), DraftField("order", .text("weighted"))]))
        policy.routes.append(auto)
    }

    private mutating func readBreaker() {
        guard var breaker = root.mapping("circuitBreaker") else { return }
        policy.defaults.set("breaker", "failures", breaker.take("failureThreshold", as: \.draftCount))
        let cooldown = Self.time(["cooldownPeriodMins": 60, "cooldownPeriodSecs": 1, "cooldownPeriod": 0.001], in: &breaker)
        policy.defaults.set("breaker", "cooldown", cooldown)
        policy.defaults.set("breaker", "successes", breaker.take("successThreshold", as: \.draftCount))
        let window = Self.time(["statsWindowSizeMins": 60, "statsWindowSizeSecs": 1, "statsWindowSize": 0.001], atLeast: 60, in: &breaker)
        policy.defaults.set("statistics", "window", window)
        if let words = ImportWords.leftOver(breaker.keys, of: "circuitBreaker") { policy.omissions.append(words) }
    }

    /// The first time that one of the keys has, each in its own unit.
    ///
    /// - Parameter units: in seconds.
    private static func time(
        _ units: KeyValuePairs<String, Double>, atLeast least: Double = 0, in fields: inout ForeignMapping
    ) -> DraftValue? {
        units.reduce(nil) { found, unit in
            let value = fields.take(unit.key) { node in
                node.foreignNumber.map { $0 * unit.value }.flatMap { $0 >= least ? DraftValue.seconds($0) : nil }
            }
            return found ?? value
        }
    }

    private mutating func readLimits() {
        guard var limits = root.mapping("rateLimiting"), limits.bool("enabled") == true else { return }
        if var model = limits.mapping("perModel"), model.bool("enabled") != false {
            policy.defaults.set("limits", "requests_per_minute", model.take("requestsPerMinute", as: \.draftCount))
        }
        if limits.take("perClient") != nil {
            policy.omissions.append("rateLimiting.perClient: write 'limits: { requests_per_minute: … }' under each of 'keys:'.")
        }
        if limits.take("global") != nil {
            policy.omissions.append("rateLimiting.global: write 'limits' under each provider, or under each of 'keys:'.")
        }
        if let words = ImportWords.leftOver(limits.keys, of: "rateLimiting") { policy.omissions.append(words) }
    }
}
