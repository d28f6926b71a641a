import ConfigTree
internal import RoutingPolicy

/// The policy that LiteLLM's `config.yaml` describes.
///
/// A name with one deployment becomes a model. A name with several, or with fallbacks, becomes a route over models
/// `NAME@PROVIDER`. Source: LiteLLM's documentation of `config.yaml`, routing and reliability.
struct LiteLLMImport {
    private var root: ForeignMapping
    private var policy = PolicyDraft()
    private var providers: LiteLLMProviders
    private var credentials: [String: ForeignMapping] = [:]
    private var names = ForeignNames([], fallback: "model")
    private var tags = ForeignNames(ofTags: [])
    /// In the order of the file.
    private var groups: [LiteLLMGroup] = []

    private let deployments: [ConfigNode]

    init(_ root: ForeignMapping) {
        self.root = root
        deployments = self.root.list("model_list")
        providers = LiteLLMProviders(of: root, deployments: deployments)
    }

    consuming func draft() -> PolicyDraft {
        for node in root.list("credential_list") {
            guard var entry = ForeignMapping(node), let name = entry.text("credential_name") else { continue }
            credentials[name] = entry.mapping("credential_values")
        }
        var router = root.mapping("router_settings") ?? ForeignMapping([])
        var settings = root.mapping("litellm_settings") ?? ForeignMapping([])
        let aliases = router.mapping("model_group_alias")?.rest ?? []
        let entries = deployments.compactMap { ForeignMapping($0) }
        names = ForeignNames(
            entries.compactMap { $0.peek("model_name")?.foreignText } + aliases.map(\.key), mayHaveSlash: true, fallback: "model")
        tags = ForeignNames(
            ofTags: entries.compactMap { $0.peek("litellm_params").flatMap { ForeignMapping($0) } }
                .flatMap { $0.peek("tags")?.foreignTexts ?? [] })
        for node in deployments { readDeployment(node) }
        readDefaults(&router, &settings)
        let order = readOrder(&router)
        if order == "weighted" { for index in groups.indices { groups[index].setWeights() } }
        LiteLLMRoutes(groups, names: names, order: order).write(aliases: aliases, &router, &settings, into: &policy)
        readServer()
        if let variables = root.mapping("environment_variables") {
            policy.omissions.append("environment_variables: write \(variables.keys.joined(separator: ", ")) into '.env', beside this file.")
        }
        for (name, mapping) in [("router_settings", router), ("litellm_settings", settings)] { leave(mapping.keys, of: name) }
        leave(root.keys, of: "config.yaml")
        policy.providers = providers.entries
        policy.omissions += providers.variables.comments
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
        func leaveOut(_ reason: String) { policy.omissions.append("model '\(ImportWords.printable(name))': \(reason)") }
        let isWildcard = name.hasSuffix("*")
        guard name != "*" else { return leaveOut("a name needs something before its '*', such as 'openrouter/*'.") }
        guard !name.dropLast(isWildcard ? 1 : 0).contains("*") else { return leaveOut("a name has a '*' only at its end.") }
        let key = names[name] ?? name
        let index = groups.firstIndex { $0.name == key }
        guard !isWildcard || index == nil else { return leaveOut("a wildcard has one provider, that of its first entry.") }
        if let credential = parameters.text("litellm_credential_name") {
            guard let values = credentials[credential] else {
                return leaveOut("credential_list has no '\(ImportWords.printable(credential))'.")
            }
            parameters.add(values)
        }
        var comments: [String] = []
        guard let place = providers.place(of: model, &parameters, comments: &comments) else {
            return leaveOut(comments.joined(separator: " "))
        }
        guard !isWildcard || place.upstream.count(where: { $0 == "*" }) == 1 else {
            return leaveOut("the provider's name of the model needs one '*', for what the client writes there.")
        }
        var draft = DraftEntry(key)
        draft.comments = comments
        if let comment = names.comment(name) { draft.comments.append(comment) }
        draft.set("provider", .text(place.provider))
        if place.upstream != (isWildcard ? "*" : key) { draft.set("upstream", .text(place.upstream)) }
        if place.usesResponses { draft.set("formats", .texts(["openai-responses"])) }
        var info = entry.mapping("model_info") ?? ForeignMapping([])
        let shares = LiteLLMGroup.Share.allCases.map { parameters.peek($0.rawValue) }
        // LiteLLM's router reads these beside `litellm_params` too.
        for limit in ["rpm", "tpm"] {
            guard let value = entry.take(limit) else { continue }
            parameters.add(ForeignMapping([ConfigEntry(key: ConfigText(limit, at: value.position), value: value)]))
        }
        let order = parameters.number("order") ?? .infinity
        tags.setTags(parameters.texts("tags"), of: &draft)
        LiteLLMModel.read(&parameters, &info, of: place.upstream, into: &draft)
        if let words = ImportWords.leftOver(entry.keys) { draft.comments.append(words) }
        let deployment = LiteLLMGroup.Deployment(model: draft, order: order, shares: shares)
        if let index {
            groups[index].deployments.append(deployment)
        } else {
            groups.append(LiteLLMGroup(name: key, deployments: [deployment]))
        }
    }

    // MARK: Defaults and keys

    private mutating func readOrder(_ router: inout ForeignMapping) -> String {
        let orders = [
            "simple-shuffle": "weighted", "least-busy": "least_busy", "latency-based-routing": "fastest", "cost-based-routing": "cheapest",
        ]
        guard let strategy = router.text("routing_strategy") else { return "weighted" }
        if let order = orders[strategy] { return order }
        policy.omissions.append(
            "routing_strategy '\(ImportWords.printable(strategy))': the routes have 'order: least_busy' instead, with the limits of each model."
        )
        return "least_busy"
    }

    private mutating func readDefaults(_ router: inout ForeignMapping, _ settings: inout ForeignMapping) {
        func take(_ key: String, as read: (ConfigNode) -> DraftValue?) -> DraftValue? {
            let nearest = router.take(key, as: read), general = settings.take(key, as: read)
            return nearest ?? general
        }
        func count(_ key: String, in range: ClosedRange<Int>) -> DraftValue? { take(key) { $0.int(in: range).map(DraftValue.int) } }
        policy.defaults.set("retry", "retries", count("num_retries", in: 0...10))
        policy.defaults.set("breaker", "failures", count("allowed_fails", in: 1...1000))
        policy.defaults.set("breaker", "cooldown", take("cooldown_time", as: \.draftSeconds))
        let total = take("timeout", as: \.draftSeconds), general = take("request_timeout", as: \.draftSeconds)
        policy.defaults.set("timeouts", "total", total ?? general)
        policy.defaults.set("timeouts", "first_content", take("stream_timeout", as: \.draftSeconds))
        // These say what is always so here: unknown parameters go to the provider as they are, and a prompt that is too
        // long for a model isn't sent to it.
        for key in ["drop_params", "set_verbose", "modify_params"] { _ = settings.take(key) }
        _ = router.take("enable_pre_call_checks")
    }

    private mutating func readServer() {
        var general = root.mapping("general_settings") ?? ForeignMapping([])
        policy.listen = "127.0.0.1:4000"
        if let text = general.text("master_key") {
            var key = DraftEntry("master")
            providers.variables.noteName(text)
            switch ForeignSecret(text) {
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
