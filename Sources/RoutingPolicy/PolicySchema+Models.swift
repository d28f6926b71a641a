import ConfigTree
import ProviderKit

private let tokenRange = 1...1_000_000_000

/// `models`.
extension PolicySchema {
    mutating func readModels(_ node: ConfigNode?) -> [ModelDefinition] {
        var models: [ModelDefinition] = []
        var places: [String: SourcePosition] = [:]
        for entry in entries(of: node) where checkName(entry.key, of: "model", mayHaveSlash: true) {
            guard let (model, provider) = model(entry) else {
                names.addBroken(entry.key.text)
                continue
            }
            if let first = places.updateValue(entry.key.position, forKey: "\(provider)/\(model.name)") {
                let message = "provider '\(provider)' has two models named '\(model.name)'; first at \(first)"
                report(ConfigIssue(at: entry.key.position, message, hint: "give one of them another name, and the provider's own as 'upstream'"))
            }
            names.addModel(models.count, name: model.name, provider: provider)
            models.append(model)
        }
        return models
    }

    /// nil where its provider or its name isn't known.
    private mutating func model(_ entry: ConfigEntry) -> (ModelDefinition, provider: String)? {
        var fields = FieldReader(entry.value, of: entry.key)
        let provider = readProvider(&fields)
        let name = provider.flatMap { modelName(entry.key, provider: $0.name) }
        let type = fields.word("type", of: ["fast", "reasoning"])
        var tags = Set(readTags(&fields))
        let given = fields.words("supports", of: Support.allCases.map(\.rawValue)).map { $0.compactMap(Support.init) }
        var supports = Set(given ?? []).union([.streaming])
        if supports.contains(.image) { tags.insert("vision") }
        if tags.contains("vision") { supports.insert(.image) }
        if let type { tags.insert(type) }
        let model = ModelDefinition(
            key: entry.key.text, name: name ?? "", provider: provider?.index ?? 0, upstream: fields.string("upstream") ?? name ?? "", type: type,
            tags: tags.sorted(), supports: supports, context: fields.int("context", in: tokenRange), maxOutput: fields.int("max_output", in: tokenRange),
            price: readPrice(&fields), isHidden: fields.bool("hidden") ?? false, requestDefaults: readBody(&fields, "request_defaults"),
            requestOverrides: readBody(&fields, "request_overrides"), timeouts: readTimeouts(&fields))
        finish(&fields, section: "models")
        guard let provider, name != nil else { return nil }
        return (model, provider.name)
    }

    private mutating func readProvider(_ fields: inout FieldReader) -> (index: Int, name: String)? {
        guard let name = fields.string("provider", required: true), fields.node("provider")?.isUnresolved == false else { return nil }
        if let index = names.providers[name] { return (index, name) }
        guard !names.isBroken(name) else { return nil }
        let hint = names.providers.isEmpty ? "define it under 'providers:'" : nil
        let suggestion = names.suggestion(for: name, among: names.providers.keys)
        let known = "known: \(abbreviated(names.providers.keys.sorted().joined(separator: ", ")))"
        fields.report("provider", "there is no provider \(fields.node("provider")?.shown ?? "of that name")\(suggestion)", hint: hint ?? (suggestion.isEmpty ? known : nil))
        return nil
    }

    /// The key without its provider.
    private mutating func modelName(_ key: ConfigText, provider: String) -> String? {
        guard let slash = key.text.firstIndex(of: "/") else { return key.text }
        let name = key.text[slash...].dropFirst()
        if key.text[..<slash] == provider, !name.isEmpty, !name.contains("/") { return String(name) }
        let message = "in a model's name '/' divides its provider from its name, and the provider is '\(provider)'"
        let last = key.text.split(separator: "/").last.map(String.init) ?? "name"
        report(ConfigIssue(at: key.position, message, hint: "write '\(last)' or '\(provider)/\(last)', and the provider's own name as 'upstream'"))
        return nil
    }

    private mutating func readTags(_ fields: inout FieldReader) -> [String] {
        (fields.texts("tags") ?? []).compactMap { text in
            if text.isUnresolved || isTag(text.text) { return text.text }
            fields.report(ConfigIssue(
                at: text.position, "'\(abbreviated(text.text))' is no tag",
                hint: "a tag has no spaces and none of '!', '&', ',', '*'; write several as '[a, b]'"))
            return nil
        }
    }

    private mutating func readPrice(_ fields: inout FieldReader) -> Price? {
        section("price", of: &fields, as: "price") { fields in
            let input = fields.money("input", required: true)
            let output = fields.money("output", required: true)
            return Price(input: input ?? 0, output: output ?? 0)
        }
    }

    private mutating func readBody(_ fields: inout FieldReader, _ key: String) -> [BodyField] {
        guard let entry = fields.entry(key), !entry.value.isNull else { return [] }
        guard case .mapping(let members) = entry.value.content else {
            fields.report(key, "'\(key)' takes a mapping of a request's fields, not \(entry.value.shown)", hint: "such as '\(key): { temperature: 0.7 }'")
            return []
        }
        var body = JSONBody()
        return members.compactMap { member in
            if ["model", "stream", "messages"].contains(member.key.text) {
                report(ConfigIssue(
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
