import ConfigTree
internal import RoutingPolicy

/// The providers of LiteLLM's deployments. Deployments with the same address and the same account share one.
struct LiteLLMProviders {
    private(set) var entries: [DraftEntry] = []

    var variables = ForeignVariables()

    /// Where a deployment's model is.
    struct Place {
        let provider: String
        /// The provider's own name of the model.
        let upstream: String
        /// Whether the model is reached by OpenAI's Responses.
        let usesResponses: Bool
    }

    /// Takes what belongs to the provider. nil with a comment if the model can't be reached.
    mutating func place(of model: String, _ parameters: inout ForeignMapping, comments: inout [String]) -> Place? {
        let address = parameters.take(["api_base", "base_url"], as: \.foreignText)
        var (prefix, upstream) = Self.split(model, given: parameters.text("custom_llm_provider"))
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
        let api = service.apis.first { upstream.hasPrefix("\($0)/") }
        if let api { upstream.removeFirst(api.count + 1) }
        var entry = DraftEntry("")
        if service.plugin == "bedrock" {
            let region = Self.takeRegion(&upstream)
            entry.set("region", region.map(DraftValue.text))
        }
        guard !upstream.isEmpty else {
            comments.append("it names no model of '\(name)'.")
            return nil
        }
        guard upstream.hasPrefix(service.modelPrefix ?? "") else {
            comments.append("of the models of '\(name)', only those are reached whose names begin with '\(service.modelPrefix ?? "")'.")
            return nil
        }
        set(service, name, address, into: &entry)
        setAccount(of: service, &parameters, into: &entry)
        if let text = parameters.text("api_key"), !text.isEmpty {
            let key = variables.key(text, of: name, usual: service.variable)
            entry.set("api_key", key.value)
            entry.comments += key.comment.map { [$0] } ?? []
        } else if address == nil || service.plugin == "azure-openai" {
            // LiteLLM reads the usual variable of the service.
            entry.set("api_key", service.variable.map(DraftValue.variable))
        }
        return Place(provider: self.name(of: entry, like: name), upstream: upstream, usesResponses: api == KnownService.responsesAPI)
    }

    private var names = ForeignNames([], fallback: "provider")

    private mutating func name(of entry: DraftEntry, like name: String) -> String {
        if let same = entries.first(where: { $0.hasSameOptions(as: entry) }) { return same.name }
        let allowed = ForeignNames([name], fallback: "provider")[name] ?? name
        var named = DraftEntry(names.free(allowed, separator: "-"))
        named.comments = entry.comments
        for field in entry.fields { named.set(field.key, field.value) }
        entries.append(named)
        return named.name
    }

    /// `openai/gpt-4o` is the model `gpt-4o` of OpenAI. LiteLLM takes what stands before the first slash for a service,
    /// whatever it is, unless `custom_llm_provider` names another. Source: `get_llm_provider` in LiteLLM.
    private static func split(_ model: String, given: String?) -> (prefix: String?, upstream: String) {
        guard let slash = model.firstIndex(of: "/"), given == nil || given == String(model[..<slash]) else { return (given, model) }
        return (String(model[..<slash]), String(model[slash...].dropFirst()))
    }

    /// Takes the region from `us-west-2/MODEL`, and what stands before the ARN of a model that was imported there.
    /// Source: LiteLLM's documentation of Bedrock.
    private static func takeRegion(_ upstream: inout String) -> String? {
        if let arn = upstream.firstRange(of: "/arn:") { upstream = "arn:" + upstream[arn.upperBound...] }
        guard let slash = upstream.firstIndex(of: "/") else { return nil }
        let words = upstream[..<slash].split(separator: "-", omittingEmptySubsequences: false)
        guard words.count >= 3, let number = words.last, Int(number) != nil else { return nil }
        defer { upstream = String(upstream[slash...].dropFirst()) }
        return String(upstream[..<slash])
    }

    private mutating func set(_ service: KnownService, _ name: String, _ address: String?, into entry: inout DraftEntry) {
        guard let address else {
            entry.set("plugin", .text(service.plugin))
            entry.set("base_url", service.baseURL.map(DraftValue.text))
            return
        }
        let server = service.plugin == "openai" ? KnownService.openAIServer(at: address) : (service.plugin, address)
        entry.set("plugin", .text(server.0))
        guard let text = server.1 else { return }
        let (value, comment) = variables.address(text, of: name)
        entry.set("base_url", value)
        entry.comments += comment.map { [$0] } ?? []
    }

    /// The options that belong to the account.
    private mutating func setAccount(of service: KnownService, _ parameters: inout ForeignMapping, into entry: inout DraftEntry) {
        func value(_ key: String) -> DraftValue? { parameters.text(key).map { variables.value($0) } }
        switch service.plugin {
        case "openai":
            entry.set("organization", value("organization"))
        case "azure-openai":
            entry.set("api_version", value("api_version"))
        case "gemini":
            entry.set("project", value("vertex_project"))
            entry.set("location", value("vertex_location"))
            if entry["project"] != nil { entry.set("token_file", .text("/run/secrets/vertex_token")) }
        case "bedrock":
            let region = value("aws_region_name")
            entry.set("region", region ?? entry["region"] ?? .template("${AWS_REGION:-us-east-1}"))
            for (key, variable) in [("access_key_id", "AWS_ACCESS_KEY_ID"), ("secret_access_key", "AWS_SECRET_ACCESS_KEY")] {
                let given = parameters.text("aws_\(key)").map { variables.key($0, of: "aws_\(key)", usual: variable) }
                entry.set(key, given?.value ?? .variable(variable))
                entry.comments += (given?.comment).map { [$0] } ?? []
            }
        default:
            break
        }
        let headers = parameters.mapping("extra_headers")?.rest.compactMap { name, value in
            value.foreignText.map { DraftField(name, variables.header(name, $0)) }
        }
        if let headers, !headers.isEmpty {
            entry.set("headers", .mapping(headers))
            entry.comments.append(ForeignVariables.headersComment)
        }
    }
}
