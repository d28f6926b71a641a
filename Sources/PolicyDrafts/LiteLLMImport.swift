import ConfigTree
internal import RoutingPolicy

/// The policy that LiteLLM's `config.yaml` describes.
///
/// A name with one deployment becomes a model. A name with several, or with fallbacks, becomes a route over models
/// `NAME@PROVIDER`. Source: LiteLLM's documentation of `config.yaml`, routing and reliability.
struct LiteLLMImport {
    private var root: ForeignMapping
    private var policy = PolicyDraft()
    private var providers = LiteLLMProviders()
    /// The deployments of each name, in the order of the file.
    private var groups: [(name: String, models: [DraftEntry])] = []

    init(_ root: ForeignMapping) { self.root = root }

    consuming func draft() -> PolicyDraft {
        for node in root.list("model_list") { readDeployment(node) }
        var router = root.mapping("router_settings") ?? ForeignMapping([])
        var settings = root.mapping("litellm_settings") ?? ForeignMapping([])
        readDefaults(&router, &settings)
        readRoutes(&router, &settings)
        readServer()
        if let variables = root.mapping("environment_variables") {
            policy.omissions.append("environment_variables: write \(variables.keys.joined(separator: ", ")) into '.env', beside this file.")
        }
        for (name, mapping) in [("router_settings", router), ("litellm_settings", settings)] { leave(mapping.keys, of: name) }
        leave(root.keys, of: "config.yaml")
        policy.providers = providers.entries
        return policy
    }

    private mutating func leave(_ keys: [String], of owner: String) {
        if let words = ImportWords.leftOver(keys, of: owner) { policy.omissions.append(words) }
    }

    // MARK: Models

    private mutating func readDeployment(_ node: ConfigNode) {
        guard var entry = ForeignMapping(node), let name = entry.text("model_name"), var parameters = entry.mapping("litellm_params"),
            let model = parameters.text("model")
        else {
            policy.omissions.append(
                "an entry of model_list at line \(node.position.line) has no 'model_name' or no 'litellm_params.model'.")
            return
        }
        guard name != "*" else {
            policy.omissions.append("model '*': a name needs something before its '*', such as 'openrouter/*'.")
            return
        }
        var comments: [String] = []
        guard let (provider, upstream) = providers.place(of: model, &parameters, comments: &comments) else {
            policy.omissions.append("model '\(ImportWords.printable(name))': \(comments.joined(separator: " "))")
            return
        }
        let isWildcard = name.hasSuffix("*")
        let given = isWildcard ? String(name.dropLast()) : name
        let allowed = ImportWords.allowed(given, mayHaveSlash: true) + (isWildcard ? "*" : "")
        if allowed != name { comments.append("It was called '\(ImportWords.printable(name))'.") }
        var draft = DraftEntry(allowed)
        draft.comments = comments
        draft.set("provider", .text(provider))
        if upstream != (isWildcard ? "*" : allowed) { draft.set("upstream", .text(upstream)) }
        var info = entry.mapping("model_info") ?? ForeignMapping([])
        LiteLLMModel.read(&parameters, &info, of: upstream, into: &draft)
        if let words = ImportWords.leftOver(entry.keys) { draft.comments.append(words) }
        if let index = groups.firstIndex(where: { $0.name == allowed }) {
            groups[index].models.append(draft)
        } else {
            groups.append((allowed, [draft]))
        }
    }

    // MARK: Routes

    private mutating func readRoutes(_ router: inout ForeignMapping, _ settings: inout ForeignMapping) {
        let order = readOrder(&router)
        func chains(_ key: String) -> [String: [String]] { Self.chains(router.list(key) + settings.list(key)) }
        let fallbacks = chains("fallbacks")
        let longer = chains("context_window_fallbacks")
        let filtered = chains("content_policy_fallbacks")
        let usual = router.texts("default_fallbacks") + settings.texts("default_fallbacks") + (fallbacks["*"] ?? [])
        let names = groups.map(\.name)
        func known(_ targets: [String]?, _ owner: String) -> DraftValue? {
            let (found, lost) = (targets ?? []).reduce(into: ([String](), [String]())) { lists, name in
                if names.contains(name) { lists.0.append(name) } else { lists.1.append(name) }
            }
            if !lost.isEmpty {
                policy.omissions.append(
                    "\(owner): no entry of model_list is called \(lost.map { "'\(ImportWords.printable($0))'" }.joined(separator: ", ")).")
            }
            return .texts(found)
        }
        policy.defaults.set("fallback", known(usual, "default_fallbacks"))
        for (name, models) in groups {
            let chains = [fallbacks[name], longer[name], filtered[name]]
            guard models.count > 1 || chains.contains(where: { $0 != nil }), !name.hasSuffix("*") else {
                policy.models += models
                if models.count > 1 { policy.omissions.append("model '\(name)': a wildcard has one provider; keep one of the entries.") }
                continue
            }
            var members: [String] = []
            for model in models {
                guard case .text(let provider)? = model["provider"] else { continue }
                let member = renamed(model, ImportWords.free("\(name)@\(provider)", separator: ".", in: policy.models))
                policy.models.append(member)
                members.append(member.name)
            }
            var route = DraftEntry(name)
            if members.count == 1 {
                route.set("try", .text(members[0]))
            } else {
                let selector = DraftValue.mapping([DraftField("models", .list(members.map(DraftValue.text)))])
                route.set("try", .mapping([DraftField("select", selector), DraftField("order", .text(order))]))
            }
            route.set("fallback", known(fallbacks[name], "fallbacks of '\(name)'"))
            route.set("fallback_on", "context_overflow", known(longer[name], "context_window_fallbacks of '\(name)'"))
            route.set("fallback_on", "content_filter", known(filtered[name], "content_policy_fallbacks of '\(name)'"))
            policy.routes.append(route)
        }
        for (alias, target) in router.mapping("model_group_alias")?.rest ?? [] {
            guard let name = Self.target(ofAlias: target), names.contains(name), !names.contains(alias)
            else {
                policy.omissions.append("model_group_alias: '\(ImportWords.printable(alias))' leads to no entry of model_list.")
                continue
            }
            var route = DraftEntry(ImportWords.allowed(alias, mayHaveSlash: true))
            route.set("try", .text(name))
            policy.routes.append(route)
        }
    }

    /// The model with another name, which clients don't see.
    private func renamed(_ model: DraftEntry, _ name: String) -> DraftEntry {
        var entry = DraftEntry(name)
        entry.comments = model.comments
        for field in model.fields { entry.set(field.key, field.value) }
        if entry["upstream"] == nil { entry.set("upstream", .text(model.name)) }
        entry.set("hidden", .bool(true))
        return entry
    }

    /// `NAME`, or `{ model: NAME, hidden: true }`.
    private static func target(ofAlias node: ConfigNode) -> String? {
        guard var mapping = ForeignMapping(node) else { return node.foreignText }
        return mapping.text("model")
    }

    /// `[{ NAME: [OTHER, …] }, …]`.
    private static func chains(_ list: [ConfigNode]) -> [String: [String]] {
        list.reduce(into: [:]) { chains, node in
            for (name, targets) in ForeignMapping(node)?.rest ?? [] { chains[name, default: []] += targets.foreignTexts }
        }
    }

    private mutating func readOrder(_ router: inout ForeignMapping) -> String {
        let orders = [
            "simple-shuffle": "weighted", "least-busy": "least_busy", "latency-based-routing": "fastest", "cost-based-routing": "cheapest",
        ]
        guard let strategy = router.text("routing_strategy"), orders[strategy] == nil else {
            return router.text("routing_strategy").flatMap { orders[$0] } ?? "weighted"
        }
        policy.omissions.append(
            "routing_strategy '\(ImportWords.printable(strategy))': the routes have 'order: least_busy' instead, with the limits of each model."
        )
        return "least_busy"
    }

    // MARK: Defaults and keys

    private mutating func readDefaults(_ router: inout ForeignMapping, _ settings: inout ForeignMapping) {
        func number(_ key: String) -> Double? {
            let nearest = router.number(key), general = settings.number(key)
            return nearest ?? general
        }
        func count(_ key: String, in range: ClosedRange<Int>) -> DraftValue? {
            number(key).flatMap { Int(exactly: $0.rounded()) }.map { .int(min(max($0, range.lowerBound), range.upperBound)) }
        }
        policy.defaults.set("retry", "retries", count("num_retries", in: 0...10))
        policy.defaults.set("breaker", "failures", count("allowed_fails", in: 1...1000))
        policy.defaults.set("breaker", "cooldown", number("cooldown_time").flatMap(DraftValue.seconds))
        let total = number("timeout"), general = number("request_timeout")
        policy.defaults.set("timeouts", "total", (total ?? general).flatMap(DraftValue.seconds))
        policy.defaults.set("timeouts", "first_content", number("stream_timeout").flatMap(DraftValue.seconds))
        // These say what is always so here: unknown parameters go to the provider as they are, and a prompt that is too
        // long for a model isn't sent to it.
        for key in ["drop_params", "set_verbose", "modify_params"] { _ = settings.take(key) }
        _ = router.take("enable_pre_call_checks")
    }

    private mutating func readServer() {
        var general = root.mapping("general_settings") ?? ForeignMapping([])
        policy.listen = "127.0.0.1:4000"
        if let secret = general.text("master_key").map(ForeignSecret.init) {
            var key = DraftEntry("master")
            switch secret {
            case .variable(let name): key.set("secret", .variable(name))
            case .literal(let text): key.set("sha256", .text(ClientKey.digest(of: text)))
            }
            key.set("admin", .bool(true))
            policy.keys.append(key)
            policy.listen = "0.0.0.0:4000"
        } else {
            policy.header.append("Without a master_key, only this machine may send requests. Add 'keys:' to listen on other addresses.")
        }
        if !general.keys.isEmpty {
            policy.omissions.append(
                "virtual keys, teams and users are in LiteLLM's database: make keys anew with 'llm-router key new NAME'.")
        }
        leave(general.keys, of: "general_settings")
    }
}
