import ConfigTree
internal import RoutingPolicy

/// The policy that `config.yaml` and `models.yaml` of the Free LLM Router describe. Source: the router's README and its
/// example files.
struct FreeRouterImport {
    private var root: ForeignMapping
    private var policy = PolicyDraft()
    /// The tag of the model that only the fallback uses. The route `auto` leaves it out.
    private static let fallbackTag = "fallback"

    init(_ root: ForeignMapping) { self.root = root }

    consuming func draft() -> PolicyDraft {
        _ = root.take("modelsFile")
        for (name, node) in root.mapping("providers")?.rest ?? [] { readProvider(name, node) }
        let overrides = readOverrides()
        let models = root.list("models")
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
        guard var fields = ForeignMapping(node) else { return }
        guard fields.bool("enabled") != false else {
            policy.omissions.append("provider '\(ImportWords.printable(name))' is turned off, and so are its models.")
            return
        }
        var provider = DraftEntry(ImportWords.allowed(name))
        let baseURL = fields.text("baseUrl")
        let known = KnownService.byPrefix[name]
        if let baseURL, known == nil || known?.plugin == "openai-compatible" {
            let server = KnownService.openAIServer(at: baseURL)
            provider.set("plugin", .text(server.plugin))
            provider.set("base_url", server.baseURL.map(DraftValue.template))
        } else if let known {
            provider.set("plugin", .text(known.plugin))
            provider.set("base_url", known.baseURL.map(DraftValue.text))
        } else {
            policy.omissions.append("provider '\(ImportWords.printable(name))' has no 'baseUrl', so it can't be reached.")
            return
        }
        switch fields.text("apiKey").map(ForeignSecret.init) {
        case .variable(let variable)?: provider.set("api_key", .variable(variable))
        case .literal?:
            let variable = known?.variable ?? ForeignSecret.variableName(of: name)
            provider.set("api_key", .variable(variable))
            provider.comments.append("The file has the key itself. Put it into the variable \(variable), for example in '.env'.")
        case nil: break
        }
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
        guard policy.providers.contains(where: { $0.name == ImportWords.allowed(provider) }) else { return }
        let key = ImportWords.allowed(name, mayHaveSlash: true)
        let isShared = policy.models.contains { $0.name == key }
        var model = DraftEntry(isShared ? "\(ImportWords.allowed(provider))/\(key)" : key)
        guard !policy.models.contains(where: { $0.name == model.name }) else {
            policy.omissions.append("model '\(ImportWords.printable(name))' is listed twice; the first one counts.")
            return
        }
        model.set("provider", .text(ImportWords.allowed(provider)))
        model.set("upstream", fields.text("model").map(DraftValue.text))
        model.set("type", fields.text("type").flatMap { ["fast", "reasoning"].contains($0) ? .text($0) : nil })
        model.set("tags", .texts(fields.texts("tags").map { $0.replacing(" ", with: "-") }))
        model.set("supports", .texts(Self.capabilities.filter { fields.bool($0.key) == true }.map(\.word)))
        model.set("context", fields.int("contextSize").flatMap(Self.positive))
        model.set("max_output", fields.int("maxOutputTokens").flatMap(Self.positive))
        let weight = changed.number("weight"), usual = fields.number("weight")
        model.set("weight", (weight ?? usual).flatMap { (0...1000).contains($0) && $0 != 1 ? .number($0) : nil })
        let concurrent = changed.int("maxConcurrent"), limit = fields.int("maxConcurrent")
        model.set("limits", "concurrent", (concurrent ?? limit).flatMap(Self.positive))
        let priority = changed.take("priority"), given = fields.take("priority")
        if priority ?? given != nil { model.comments.append("'priority': the order of 'try' in a route says which model comes first.") }
        if let words = ImportWords.leftOver(fields.keys + changed.keys) { model.comments.append(words) }
        policy.models.append(model)
    }

    private static let capabilities: [(key: String, word: String)] = [
        ("jsonResponse", "json"), ("supportsTools", "tools"), ("supportsImage", "image"), ("supportsVision", "image"),
        ("supportsVideo", "video"), ("supportsAudio", "audio"), ("supportsFile", "file"),
    ]

    private static func positive(_ number: Int) -> DraftValue? { number > 0 && number <= 1_000_000_000 ? .int(number) : nil }

    // MARK: Routing

    private mutating func readRouting() {
        var routing = root.mapping("routing") ?? ForeignMapping([])
        let switches = routing.take(["maxModelSwitches", "maxRetries"])?.foreignText.flatMap { Int($0) }
        policy.defaults.set("max_models", switches.map { .int(min(max($0, 1), 100)) })
        let retries = routing.take(["maxSameModelRetries", "rateLimitRetries"])?.foreignText.flatMap { Int($0) }
        policy.defaults.set("retry", "retries", retries.map { .int(min(max($0, 0), 10)) })
        policy.defaults.set("retry", "delay", routing.number("retryDelay").flatMap { DraftValue.seconds($0 / 1000) })
        let milliseconds = routing.number("timeout"), given = routing.number("timeoutSecs")
        if let limit = (given ?? milliseconds.map { $0 / 1000 }).flatMap(DraftValue.seconds) {
            // The origin's limit is that of one attempt.
            policy.defaults.set("timeouts", "first_content", limit)
            policy.defaults.set("timeouts", "response", limit)
        }
        // The only value is how `auto` chooses.
        _ = routing.take("algorithm")
        readFallback(&routing)
        if let words = ImportWords.leftOver(routing.keys, of: "routing") { policy.omissions.append(words) }
    }

    private mutating func readFallback(_ routing: inout ForeignMapping) {
        var fallback = routing.mapping("fallback") ?? ForeignMapping([])
        var selector: [DraftField] = []
        if fallback.bool("enabled") != false, let name = fallback.text("model"), let provider = fallback.text("provider") {
            let (key, owner) = (ImportWords.allowed(name, mayHaveSlash: true), ImportWords.allowed(provider))
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
        policy.defaults.set("breaker", "failures", breaker.int("failureThreshold").flatMap(Self.positive))
        let milliseconds = breaker.number("cooldownPeriod"), seconds = breaker.number("cooldownPeriodSecs")
        policy.defaults.set("breaker", "cooldown", (seconds ?? milliseconds.map { $0 / 1000 }).flatMap(DraftValue.seconds))
        policy.defaults.set("breaker", "successes", breaker.int("successThreshold").flatMap(Self.positive))
        let window = breaker.number("statsWindowSize"), minutes = breaker.number("statsWindowSizeMins")
        let length = minutes.map { $0 * 60 } ?? window.map { $0 / 1000 }
        policy.defaults.set("statistics", "window", length.flatMap { $0 >= 60 ? DraftValue.seconds($0) : nil })
        if let words = ImportWords.leftOver(breaker.keys, of: "circuitBreaker") { policy.omissions.append(words) }
    }

    private mutating func readLimits() {
        guard var limits = root.mapping("rateLimiting"), limits.bool("enabled") == true else { return }
        if var model = limits.mapping("perModel"), model.bool("enabled") != false {
            policy.defaults.set("limits", "requests_per_minute", model.int("requestsPerMinute").flatMap(Self.positive))
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
