import ConfigTree
internal import RoutingPolicy

/// The policy that `providers.yaml`, `models.yaml` and `user_keys.yaml` describe: the files of an LLM Router in Python
/// that listens on port 8777. Source: the router's README and its example files.
struct ThreeFilesImport {
    private var root: ForeignMapping
    private var policy = PolicyDraft()

    init(_ root: ForeignMapping) { self.root = root }

    consuming func draft() -> PolicyDraft {
        for (name, node) in root.mapping("providers")?.rest ?? [] { readProvider(name, node) }
        for (name, node) in root.mapping("models")?.rest ?? [] { readModel(name, node) }
        for (name, node) in root.mapping("user_keys")?.rest ?? [] { readKey(name, node) }
        policy.listen = policy.keys.isEmpty ? "127.0.0.1:8777" : "0.0.0.0:8777"
        if policy.keys.isEmpty {
            policy.header.append("Without user_keys, only this machine may send requests. Add 'keys:' to listen on other addresses.")
        }
        if root.take("model_info") != nil {
            policy.omissions.append(
                "model_info: 'llm-router models sync PROVIDER' lists a provider's models with their context and prices.")
        }
        if let words = ImportWords.leftOver(root.keys) { policy.omissions.append(words) }
        return policy
    }

    private mutating func readProvider(_ name: String, _ node: ConfigNode) {
        guard var fields = ForeignMapping(node) else { return }
        var provider = DraftEntry(ImportWords.allowed(name))
        let baseURL = fields.text("base_url")
        if fields.text("type") == "ollama" {
            provider.set("plugin", .text("ollama"))
            // The plugin adds the path of Ollama's API itself.
            provider.set("base_url", baseURL.map { .template($0.hasSuffix("/api") ? String($0.dropLast(4)) : $0) })
        } else {
            let server = KnownService.openAIServer(at: baseURL ?? "")
            provider.set("plugin", .text(server.plugin))
            provider.set("base_url", server.baseURL.map(DraftValue.template))
        }
        provider.set("api_key", fields.text("api_key_env").map(DraftValue.variable))
        provider.set("limits", "concurrent", fields.int("max_concurrent").flatMap { $0 > 0 ? .int($0) : nil })
        readHeaders(&fields, into: &provider)
        if fields.take("proxy") != nil {
            provider.comments.append("'proxy': the router connects to providers directly; a gateway of the network can take its place.")
        }
        for key in ["identity", "reasoning_dialect"] where fields.take(key) != nil {
            provider.comments.append("'\(key)': header fields and reasoning are passed on as each wire format has them.")
        }
        if let words = ImportWords.leftOver(fields.keys) { provider.comments.append(words) }
        policy.providers.append(provider)
    }

    private func readHeaders(_ fields: inout ForeignMapping, into provider: inout DraftEntry) {
        let isOpenRouter = provider["plugin"] == .text("openrouter")
        var others: [DraftField] = []
        for (name, value) in fields.mapping("headers")?.rest ?? [] {
            guard let text = value.foreignText else { continue }
            switch name.lowercased() {
            case "http-referer" where isOpenRouter: provider.set("app_url", .template(text))
            case "x-title" where isOpenRouter: provider.set("app_title", .template(text))
            default: others.append(DraftField(name, .template(text)))
            }
        }
        if !others.isEmpty { provider.set("headers", .mapping(others)) }
    }

    private mutating func readModel(_ name: String, _ node: ConfigNode) {
        guard var fields = ForeignMapping(node), let provider = fields.text("provider").map({ ImportWords.allowed($0) }) else { return }
        guard let plugin = policy.providers.first(where: { $0.name == provider })?["plugin"] else {
            policy.omissions.append("model '\(ImportWords.printable(name))': there is no provider '\(ImportWords.printable(provider))'.")
            return
        }
        var model = DraftEntry(ImportWords.allowed(name, mayHaveSlash: true))
        model.set("provider", .text(provider))
        let upstream = fields.text("provider_model_name") ?? name
        model.set("upstream", .text(upstream))
        let isSpeech = name.hasPrefix("stt/") || provider.hasPrefix("transcri")
        if let operation = isSpeech ? "transcription" : KnownService.operation(ofModel: name) ?? KnownService.operation(ofModel: upstream) {
            model.set("serves", .list([.text(operation)]))
            model.comments.append("'serves' is a guess from the name: here, a model says what it is for.")
        }
        if fields.bool("is_hidden") == true { model.set("hidden", .bool(true)) }
        // The origin's `options` replace what the client sends.
        for (key, value) in fields.mapping("options")?.rest ?? [] {
            if ["model", "messages", "stream"].contains(key) {
                model.comments.append("'options.\(key)': only the client can say this.")
            } else {
                model.set("request_overrides", key, value.draft)
            }
        }
        if var effort = fields.mapping("reasoning_effort") {
            model.set("request_defaults", "reasoning_effort", effort.take("default")?.draft)
            if effort.take("allowed") != nil {
                model.comments.append("'reasoning_effort.allowed': the provider refuses what it does not take.")
            }
        }
        if plugin == .text("ollama") { model.comments.append("Give it its 'context', which each request then asks for.") }
        if let words = ImportWords.leftOver(fields.keys) { model.comments.append(words) }
        policy.models.append(model)
    }

    private mutating func readKey(_ name: String, _ node: ConfigNode) {
        guard var fields = ForeignMapping(node), let secret = fields.text("api_key").map(ForeignSecret.init) else { return }
        var key = DraftEntry(ImportWords.allowed(name))
        switch secret {
        case .variable(let variable): key.set("secret", .variable(variable))
        case .literal(let text): key.set("sha256", .text(ClientKey.digest(of: text)))
        }
        let models = fields.texts("allowed_models").map { ImportWords.allowed($0, mayHaveSlash: true) }
        let (known, unknown) = models.reduce(into: ([String](), [String]())) { lists, name in
            if policy.models.contains(where: { $0.name == name }) { lists.0.append(name) } else { lists.1.append(name) }
        }
        guard models.isEmpty || !known.isEmpty else {
            policy.omissions.append("key '\(ImportWords.printable(name))': none of its allowed_models exists.")
            return
        }
        key.set("models", .texts(known))
        if !unknown.isEmpty {
            key.comments.append("These of its models don't exist: \(unknown.map { ImportWords.printable($0) }.joined(separator: ", ")).")
        }
        let operations = fields.texts("allowed_endpoints").compactMap { path in
            Self.operations.first { path.hasSuffix($0.path) }.map(\.word)
        }
        key.set("endpoints", .texts(operations))
        if let words = ImportWords.leftOver(fields.keys) { key.comments.append(words) }
        policy.keys.append(key)
    }

    private static let operations: [(path: String, word: String)] = [
        ("/chat/completions", "chat"), ("/embeddings", "embeddings"), ("/audio/transcriptions", "transcription"),
        ("/audio/translations", "translation"), ("/models", "models"),
    ]
}
