import ConfigTree
import ProviderKit

/// `models`.
extension PolicySchema {
    static let types = ["fast", "reasoning"]
    static let supports = Capability.allCases.map(\.rawValue)

    mutating func readModels(_ entries: [ConfigEntry], of providers: [ReadProvider], over defaults: Defaults) -> [ModelDefinition] {
        var models: [ModelDefinition] = []
        var places: [String: SourcePosition] = [:]
        for entry in entries where checkName(entry.key, of: "model", mayHaveSlash: true) {
            guard let (model, provider) = model(entry, of: providers, over: defaults) else {
                names.addBroken(entry.key.text)
                continue
            }
            if let first = places.updateValue(entry.key.position, forKey: "\(provider)/\(model.name)") {
                let message = "provider '\(provider)' has two models named '\(model.name)'; first at \(first)"
                report(
                    ConfigIssue(
                        at: entry.key.position, message, hint: "give one of them another name, and the provider's own as 'upstream'"))
            }
            names.addModel(models.count, name: model.name, provider: provider)
            models.append(model)
        }
        return models
    }

    /// nil where its provider or its name isn't known.
    private mutating func model(
        _ entry: ConfigEntry, of providers: [ReadProvider], over defaults: Defaults
    ) -> (ModelDefinition, provider: String)? {
        var fields = FieldReader(entry.value, of: entry.key)
        let provider = fields.name("provider", required: true).flatMap { text in
            self.provider(named: text).map { (index: $0, name: text.text) }
        }
        let name = provider.flatMap { modelName(entry.key, provider: $0.name) }
        let type = fields.word("type", of: PolicySchema.types)
        var tags = Set(readTags(&fields))
        let given = fields.words("supports", of: PolicySchema.supports).map { $0.compactMap(Capability.init) }
        var supports = CapabilitySet(given ?? []).union([.streaming])
        if supports.contains(.image) { tags.insert("vision") }
        if tags.contains("vision") { supports.insert(.image) }
        if let type { tags.insert(type) }
        var model = ModelDefinition(
            key: entry.key.text, name: name ?? "", provider: provider?.index ?? 0, upstream: fields.string("upstream") ?? name ?? "",
            type: type,
            tags: tags.sorted(), supports: supports, context: fields.int("context", in: PolicySchema.countRange),
            maxOutput: fields.int("max_output", in: PolicySchema.countRange), price: readPrice(&fields),
            isHidden: fields.bool("hidden") ?? false,
            requestDefaults: readBody(&fields, "request_defaults"), requestOverrides: readBody(&fields, "request_overrides"),
            timeouts: readTimeouts(&fields))
        model.weight = fields.number("weight", in: 0...1000) ?? model.weight
        model.limits = defaults.limits.overridden(by: readLimits(&fields))
        model.retry = readRetry(&fields)
        model.breaker = readBreaker(&fields, over: provider.map { providers[$0.index].breaker } ?? defaults.breaker)
        finish(&fields, section: "models")
        guard let provider, name != nil else { return nil }
        return (model, provider.name)
    }

    /// The key without its provider.
    private mutating func modelName(_ key: ConfigText, provider: String) -> String? {
        guard let slash = key.text.firstIndex(of: "/") else { return key.text }
        let name = key.text[slash...].dropFirst()
        if key.text[..<slash] == provider, !name.isEmpty, !name.contains("/") { return String(name) }
        let message = "in a model's name '/' divides its provider from its name, and the provider is '\(provider)'"
        let last = key.text.split(separator: "/").last.map(String.init) ?? "name"
        report(
            ConfigIssue(
                at: key.position, message, hint: "write '\(last)' or '\(provider)/\(last)', and the provider's own name as 'upstream'"))
        return nil
    }

    private mutating func readTags(_ fields: inout FieldReader) -> [String] {
        (fields.texts("tags") ?? []).compactMap { text in
            if text.isUnresolved || isTag(text.text) { return text.text }
            fields.report(
                ConfigIssue(
                    at: text.position, "'\(abbreviated(text.source))' is no tag",
                    hint: "a tag has no spaces and none of '!', '&', ',', '*'; write several as '[a, b]'"))
            return nil
        }
    }

    private mutating func readPrice(_ fields: inout FieldReader) -> Price? {
        section("price", of: &fields) { fields, _ in
            let input = fields.money("input", required: true)
            let output = fields.money("output", required: true)
            return Price(
                input: input ?? 0, output: output ?? 0, cachedInput: fields.money("cached_input"), reasoning: fields.money("reasoning"))
        }
    }

    private mutating func readBody(_ fields: inout FieldReader, _ key: String) -> [BodyField] {
        fields.declare(key, as: .other("a request's fields with JSON values"))
        guard let entry = fields.entry(key), !entry.value.isNull else { return [] }
        guard case .mapping(let members) = entry.value.content else {
            fields.report(
                key, "'\(key)' takes a mapping of a request's fields, not \(entry.value.shown)",
                hint: "such as '\(key): { temperature: 0.7 }'")
            return []
        }
        var body = JSONBody()
        return members.compactMap { member in
            if ["model", "stream", "messages"].contains(member.key.text) {
                report(
                    ConfigIssue(
                        at: member.key.position, "'\(member.key.text)' can't be set by the policy",
                        hint: "the request's own stands, and 'upstream' names the provider's model"))
                return nil
            }
            let json = body.encoded(member.value)
            for issue in body.takeIssues() { report(issue) }
            return json.map { BodyField(key: member.key.text, json: $0) }
        }
    }
}
