import ConfigTree
internal import RoutingPolicy

/// The providers of LiteLLM's deployments. Deployments with the same address and the same account share one.
struct LiteLLMProviders {
    private(set) var entries: [DraftEntry] = []

    /// The provider of a deployment, and the provider's own name of the model. Takes what belongs to the provider. nil
    /// with a comment if the model can't be reached.
    mutating func place(
        of model: String, _ parameters: inout ForeignMapping, comments: inout [String]
    ) -> (provider: String, upstream: String)? {
        let address = parameters.take(["api_base", "base_url"])?.foreignText
        let (prefix, upstream) = Self.split(model, given: parameters.text("custom_llm_provider"), hasAddress: address != nil)
        guard let name = prefix ?? KnownService.prefix(ofModel: upstream) ?? (address == nil ? nil : "openai"),
            let service = KnownService.byPrefix[name] ?? (address == nil ? nil : KnownService(plugin: "openai-compatible"))
        else {
            comments.append(
                "'\(ImportWords.printable(prefix ?? model))' is none of the services that are known here. One that speaks OpenAI's format "
                    + "works with 'plugin: openai-compatible' and a 'base_url'.")
            return nil
        }
        guard address != nil || !service.needsAddress else {
            comments.append("it has no 'api_base'.")
            return nil
        }
        var entry = DraftEntry("")
        set(service, address, into: &entry)
        setAccount(of: service, &parameters, into: &entry)
        switch parameters.text("api_key").map(ForeignSecret.init) {
        case .variable(let variable)?:
            entry.set("api_key", .variable(variable))
        case .literal(let text)?:
            let variable = variable(for: text, of: name, usual: service.variable)
            entry.set("api_key", .variable(variable))
            entry.comments.append("The file has the key itself. Put it into the variable \(variable), for example in '.env'.")
        case nil:
            // LiteLLM reads the usual variable of the service.
            if address == nil || service.plugin == "azure-openai" { entry.set("api_key", service.variable.map(DraftValue.variable)) }
        }
        return (self.name(of: entry, like: name), upstream)
    }

    /// The variable for a key that stands in the file. Each key of a service has one of its own.
    private mutating func variable(for text: String, of service: String, usual: String?) -> String {
        let known = literals[service, default: []]
        let index = known.firstIndex(of: text) ?? known.count
        if index == known.count { literals[service, default: []].append(text) }
        let first = usual ?? ForeignSecret.variableName(of: service)
        return index == 0 ? first : ForeignSecret.variableName(of: "\(service)-\(index + 1)")
    }

    /// The keys that stand in the file, by service. They are only compared.
    private var literals: [String: [String]] = [:]

    private mutating func name(of entry: DraftEntry, like name: String) -> String {
        if let same = entries.first(where: { $0.hasSameOptions(as: entry) }) { return same.name }
        var named = DraftEntry(ImportWords.free(ImportWords.allowed(name), in: entries))
        named.comments = entry.comments
        for field in entry.fields { named.set(field.key, field.value) }
        entries.append(named)
        return named.name
    }

    /// `openai/gpt-4o` is the model `gpt-4o` of OpenAI. What stands before a slash is no service if it is unknown:
    /// `meta-llama/Llama-3.1-8B`.
    private static func split(_ model: String, given: String?, hasAddress: Bool) -> (prefix: String?, upstream: String) {
        guard let slash = model.firstIndex(of: "/") else { return (given, model) }
        let prefix = String(model[..<slash])
        let isService = KnownService.byPrefix[prefix] != nil || given == nil && !hasAddress
        guard isService, given == nil || given == prefix else { return (given, model) }
        return (prefix, String(model[slash...].dropFirst()))
    }

    private func set(_ service: KnownService, _ address: String?, into entry: inout DraftEntry) {
        var (plugin, baseURL) = (service.plugin, service.baseURL)
        if let address {
            let template = address.hasPrefix("os.environ/") ? "${\(address.dropFirst("os.environ/".count))}" : address
            (plugin, baseURL) = (service.plugin, template)
            if service.plugin == "openai" { (plugin, baseURL) = KnownService.openAIServer(at: template) }
        }
        entry.set("plugin", .text(plugin))
        entry.set("base_url", baseURL.map { .template($0.hasSuffix("/") ? String($0.dropLast()) : $0) })
    }

    /// The options that belong to the account.
    private func setAccount(of service: KnownService, _ parameters: inout ForeignMapping, into entry: inout DraftEntry) {
        func value(_ text: String?) -> DraftValue? {
            text.map { text in
                if case .variable(let name) = ForeignSecret(text) { return .variable(name) }
                return .text(text)
            }
        }
        switch service.plugin {
        case "openai":
            entry.set("organization", value(parameters.text("organization")))
        case "azure-openai":
            entry.set("api_version", value(parameters.text("api_version")))
        case "gemini":
            entry.set("project", value(parameters.text("vertex_project")))
            entry.set("location", value(parameters.text("vertex_location")))
            if entry["project"] != nil { entry.set("token_file", .text("/run/secrets/vertex_token")) }
        case "bedrock":
            entry.set("region", value(parameters.text("aws_region_name")) ?? .template("${AWS_REGION:-us-east-1}"))
            let (id, secret) = (parameters.text("aws_access_key_id"), parameters.text("aws_secret_access_key"))
            entry.set("access_key_id", .variable(id.flatMap(Self.variable) ?? "AWS_ACCESS_KEY_ID"))
            entry.set("secret_access_key", .variable(secret.flatMap(Self.variable) ?? "AWS_SECRET_ACCESS_KEY"))
        default:
            break
        }
        if case .mapping(let headers)? = parameters.take("extra_headers")?.draft {
            // Their values count as secrets here, and may be ones.
            let named = headers.map { header in
                DraftField(header.key, .variable(ForeignSecret.variableName(of: header.key).replacing("_API_KEY", with: "_HEADER")))
            }
            entry.set("headers", .mapping(named))
            entry.comments.append("The values of 'headers' are variables now, because they may be secrets.")
        }
    }

    private static func variable(_ text: String) -> String? {
        if case .variable(let name) = ForeignSecret(text) { name } else { nil }
    }
}
