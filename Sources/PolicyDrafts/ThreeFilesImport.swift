import ConfigTree
internal import RoutingPolicy

/// The policy that `providers.yaml`, `models.yaml` and `user_keys.yaml` describe: the files of an LLM Router in Python
/// that listens on port 8777. Source: the router's README and its example files.
struct ThreeFilesImport {
    private var root: ForeignMapping
    private var policy = PolicyDraft()
    private var variables: ForeignVariables
    private var providers = ForeignNames([], fallback: "provider")
    private var models = ForeignNames([], fallback: "model")
    private var keys = ForeignNames([], fallback: "key")
    /// The keys of clients, and the first that has each. Its rights are those that count.
    private var secrets: [String: String] = [:]

    init(_ root: ForeignMapping) { (self.root, variables) = (root, ForeignVariables(of: root)) }

    consuming func draft() -> PolicyDraft {
        let (given, models) = (root.mapping("providers")?.rest ?? [], root.mapping("models")?.rest ?? [])
        let keys = root.mapping("user_keys")?.rest ?? []
        self.providers = ForeignNames(given.map(\.key), fallback: "provider")
        self.models = ForeignNames(models.map(\.key), mayHaveSlash: true, fallback: "model")
        self.keys = ForeignNames(keys.map(\.key), fallback: "key")
        for (name, node) in given { readProvider(name, node) }
        for (name, node) in models { readModel(name, node) }
        addTranscription(models)
        for (name, node) in keys { readKey(name, node) }
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

    // MARK: Providers

    private mutating func readProvider(_ foreign: String, _ node: ConfigNode) {
        let shown = "provider '\(ImportWords.printable(foreign))'"
        guard var fields = ForeignMapping(node), let name = providers[foreign] else {
            policy.omissions.append("\(shown) has no options.")
            return
        }
        var provider = DraftEntry(name)
        provider.comments = [providers.comment(foreign)].compactMap(\.self)
        let type = fields.text("type") ?? "openai", baseURL = fields.text("base_url")
        switch type {
        case "ollama":
            provider.set("plugin", .text("ollama"))
            // The plugin adds the path of Ollama's API itself.
            setAddress(baseURL.map { $0.hasSuffix("/api") ? String($0.dropLast(4)) : $0 }, of: name, into: &provider)
        case "anthropic":
            provider.set("plugin", .text("anthropic"))
            // The plugin adds the version itself.
            let server = baseURL.map { $0.hasSuffix("/v1") ? String($0.dropLast(3)) : $0 }
            setAddress(server == "https://api.anthropic.com" ? nil : server, of: name, into: &provider)
        default:
            guard let baseURL else {
                policy.omissions.append("\(shown) has no 'base_url', so it can't be reached.")
                return
            }
            if type != "openai" {
                provider.comments.append("'type: \(ImportWords.printable(type))' is unknown; 'plugin' says that it speaks OpenAI's format.")
            }
            let server = KnownService.openAIServer(at: baseURL)
            provider.set("plugin", .text(server.plugin))
            setAddress(server.baseURL, of: name, into: &provider)
        }
        provider.set("api_key", fields.text("api_key_env").map { .variable(ForeignSecret.allowedName($0)) })
        provider.set("limits", "concurrent", fields.take("max_concurrent", as: \.draftCount))
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

    private mutating func setAddress(_ address: String?, of name: String, into provider: inout DraftEntry) {
        guard let address else { return }
        let (value, comment) = variables.address(address, of: name)
        provider.set("base_url", value)
        provider.comments += comment.map { [$0] } ?? []
    }

    /// A key of Anthropic may be among the header fields.
    private mutating func readHeaders(_ fields: inout ForeignMapping, into provider: inout DraftEntry) {
        var headers = fields.mapping("headers")
        if provider["plugin"] == .text("anthropic"), provider["api_key"] == nil,
            let name = headers?.keys.first(where: { $0.lowercased() == "x-api-key" }), let text = headers?.text(name)
        {
            let isOwn = provider["base_url"] == nil
            let key = variables.key(text, of: provider.name, usual: isOwn ? KnownService.byPrefix["anthropic"]?.variable : nil)
            provider.set("api_key", key.value)
            provider.comments += key.comment.map { [$0] } ?? []
        }
        variables.setHeaders(headers, of: &provider)
    }

    // MARK: Models

    private mutating func readModel(_ foreign: String, _ node: ConfigNode) {
        let shown = "model '\(ImportWords.printable(foreign))'"
        guard var fields = ForeignMapping(node), let name = models[foreign], let owner = fields.text("provider") else {
            policy.omissions.append("\(shown) has no 'provider'.")
            return
        }
        guard let provider = policy.providers.first(where: { $0.name == providers[owner] }) else {
            policy.omissions.append("\(shown): there is no provider '\(ImportWords.printable(owner))'.")
            return
        }
        var model = DraftEntry(name)
        model.comments = [models.comment(foreign)].compactMap(\.self)
        model.set("provider", .text(provider.name))
        let upstream = fields.text("provider_model_name") ?? foreign
        model.set("upstream", .text(upstream))
        let isSpeech = foreign.hasPrefix("stt/") || owner.hasPrefix("transcri")
        let guess = KnownService.operation(ofModel: foreign) ?? KnownService.operation(ofModel: upstream)
        if let operation = isSpeech ? "transcription" : guess {
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
            if let words = ImportWords.leftOver(effort.keys, of: "reasoning_effort") { model.comments.append(words) }
        }
        if provider["plugin"] == .text("ollama") { model.comments.append("Give it its 'context', which each request then asks for.") }
        if let words = ImportWords.leftOver(fields.keys) { model.comments.append(words) }
        policy.models.append(model)
    }

    /// A transcription need not name a model: the first one of the provider `transcriber` then serves it. Source: the
    /// origin's `TranscriptionService`.
    private mutating func addTranscription(_ given: [(key: String, value: ConfigNode)]) {
        let first = given.first { _, node in
            var fields = ForeignMapping(node)
            return fields?.text("provider")?.contains("transcriber") == true
        }
        guard let name = first.flatMap({ models[$0.key] }), policy.models.contains(where: { $0.name == name }),
            !policy.models.contains(where: { $0.name == "auto" })
        else { return }
        var auto = DraftEntry("auto")
        auto.comments = ["Requests that name no model: only transcriptions may leave it out."]
        auto.set("try", .text(name))
        policy.routes.append(auto)
    }

    // MARK: Keys

    /// Whatever can't be understood leaves the key out, so that it never has more rights than before.
    private mutating func readKey(_ foreign: String, _ node: ConfigNode) {
        func leaveOut(_ reason: String) { policy.omissions.append("key '\(ImportWords.printable(foreign))': \(reason)") }
        guard var fields = ForeignMapping(node), let name = keys[foreign], let secret = fields.text("api_key") else {
            return leaveOut("it has no 'api_key'.")
        }
        if let first = secrets[secret] { return leaveOut("it has the api_key of '\(ImportWords.printable(first))', which counts.") }
        secrets[secret] = foreign
        var key = DraftEntry(name)
        key.comments = [keys.comment(foreign)].compactMap(\.self)
        switch ForeignSecret(secret) {
        case .variable(let variable): key.set("secret", .variable(variable))
        case .literal(let text): key.set("sha256", .text(ClientKey.digest(of: text)))
        }
        for (list, option, read) in [
            ("allowed_models", "models", self.model), ("allowed_endpoints", "endpoints", { Self.operation(ofPath: $0) }),
        ] as [(String, String, (String) -> String?)] {
            guard let value = fields.take(list) else { continue }
            guard let texts = value.foreignTexts else { return leaveOut("its \(list) can't be read.") }
            let known = texts.compactMap(read)
            guard texts.isEmpty || !known.isEmpty else { return leaveOut("none of its \(list) exists here.") }
            key.set(option, .texts(known.enumerated().filter { !known[..<$0.offset].contains($0.element) }.map(\.element)))
            let lost = texts.filter { read($0) == nil }.map { ImportWords.printable($0) }
            if !lost.isEmpty { key.comments.append("These of its \(list) don't exist here: \(lost.joined(separator: ", ")).") }
        }
        // Whoever may transcribe may leave out the model.
        if let auto = policy.routes.first, case .list(let models)? = key["models"],
            mayTranscribe(key["endpoints"])
        {
            key.set("models", .list(models + [.text(auto.name)]))
        }
        if let words = ImportWords.leftOver(fields.keys) { key.comments.append(words) }
        policy.keys.append(key)
    }

    private func mayTranscribe(_ endpoints: DraftValue?) -> Bool {
        if case .list(let words)? = endpoints { words.contains(.text("transcription")) } else { true }
    }

    private func model(_ foreign: String) -> String? {
        models[foreign].flatMap { name in policy.models.contains { $0.name == name } ? name : nil }
    }

    /// The word of `endpoints` for a path; nil if the router has no such path.
    private static func operation(ofPath path: String) -> String? {
        var parts = path.split(separator: "/")
        if parts.first == "api" { parts.removeFirst() }
        if parts.first == "v1" { parts.removeFirst() }
        if parts.first == "models" { return "models" }
        return operations[parts.joined(separator: "/")]
    }

    private static let operations = [
        "chat/completions": "chat", "responses": "chat", "messages": "chat", "completions": "completion", "embeddings": "embeddings",
        "images/generations": "images", "images/edits": "image_edits", "moderations": "moderation", "rerank": "rerank",
        "audio/transcriptions": "transcription", "audio/translations": "translation", "audio/speech": "speech",
    ]
}
