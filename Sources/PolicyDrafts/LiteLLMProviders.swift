import ConfigTree
internal import RoutingPolicy

/// The providers of LiteLLM's deployments. Deployments with the same address and the same account share one.
struct LiteLLMProviders {
    private(set) var entries: [DraftEntry] = []

    var variables: ForeignVariables

    /// - Parameter root: the whole file.
    init(of root: ForeignMapping, deployments: [ConfigNode]) {
        variables = ForeignVariables(of: root, others: deployments.flatMap(Self.impliedVariables))
    }

    /// The variables that LiteLLM reads for a deployment that doesn't name its key.
    private static func impliedVariables(_ deployment: ConfigNode) -> [String] {
        guard var parameters = ForeignMapping(deployment)?.peek("litellm_params").flatMap({ ForeignMapping($0) }),
            let model = parameters.text("model")
        else { return [] }
        let (prefix, upstream) = split(model, given: parameters.text("custom_llm_provider"))
        let service = (prefix ?? KnownService.prefix(ofModel: upstream)).flatMap { KnownService.byPrefix[$0] }
        if service?.plugin == "bedrock" { return parameters.text("aws_access_key_id") == nil ? KnownService.awsVariables : [] }
        return parameters.text("api_key") == nil ? [service?.variable].compactMap(\.self) : []
    }

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
        let address = parameters.text(["api_base", "base_url"])
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
        let isOwn = service.isOwn(address)
        let account = isOwn ? name : ForeignVariables.owner(name, at: address)
        set(service, account, address, into: &entry)
        setAccount(of: service, &parameters, into: &entry)
        setKey(parameters.text("api_key"), of: account, service, isOwn: isOwn, into: &entry)
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

    /// Without a key, LiteLLM reads the usual variable of the service, even for a server of others. Such a server
    /// doesn't get that key here.
    private mutating func setKey(_ text: String?, of account: String, _ service: KnownService, isOwn: Bool, into entry: inout DraftEntry) {
        if let text {
            let key = variables.key(text, of: account, usual: isOwn ? service.variable : nil)
            entry.set("api_key", key.value)
            entry.comments += key.comment.map { [$0] } ?? []
        } else if isOwn || service.plugin == "azure-openai" {
            entry.set("api_key", service.variable.map(DraftValue.variable))
        } else if let usual = service.variable {
            let words = "LiteLLM sends the value of \(usual) to this address, too."
            guard entry["plugin"] != .text("openai-compatible") else {
                return entry.comments.append("\(words) Write 'api_key' if the server needs a key.")
            }
            let variable = variables.key(of: account)
            entry.set("api_key", .variable(variable))
            entry.comments.append("\(words) The key for it is in the variable \(variable) here.")
        }
    }

    private mutating func set(_ service: KnownService, _ name: String, _ address: String?, into entry: inout DraftEntry) {
        guard let address else {
            entry.set("plugin", .text(service.plugin))
            entry.set("base_url", service.baseURL.map(DraftValue.text))
            return
        }
        // LiteLLM adds the path of Anthropic's API unless it is there; the plugin always does.
        let isWhole = service.plugin == "anthropic" && address.hasSuffix("/v1/messages")
        let server =
            service.plugin == "openai"
            ? KnownService.openAIServer(at: address) : (service.plugin, isWhole ? String(address.dropLast(12)) : address)
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
            let project = value("vertex_project"), location = value("vertex_location")
            // Source: LiteLLM's documentation of Vertex AI.
            let isVertex = service.modelPrefix != nil
            entry.set("project", project ?? (isVertex ? .variable("VERTEXAI_PROJECT") : nil))
            entry.set("location", location ?? (isVertex ? .template("${VERTEXAI_LOCATION:-us-central1}") : nil))
            if entry["project"] != nil { entry.set("token_file", .text("/run/secrets/vertex_token")) }
        case "bedrock":
            let region = value("aws_region_name")
            if region == nil, entry["region"] == nil {
                entry.comments.append("LiteLLM reads the region from AWS_REGION_NAME before AWS_REGION.")
            }
            entry.set("region", region ?? entry["region"] ?? .template("${AWS_REGION:-us-west-2}"))
            for (key, variable) in zip(["access_key_id", "secret_access_key"], KnownService.awsVariables) {
                let given = parameters.text("aws_\(key)").map { variables.key($0, of: "aws_\(key)", usual: variable) }
                entry.set(key, given?.value ?? .variable(variable))
                entry.comments += (given?.comment).map { [$0] } ?? []
            }
        default:
            break
        }
        variables.setHeaders(parameters.mapping("extra_headers"), of: &entry)
    }
}
