import ConfigTree
import ProviderKit

extension ModelDefinition {
    static let types = ["fast", "reasoning"]
    static let validJSONHelp =
        "whether a non-streamed response to a JSON 'response_format' fails if it is not JSON; a code fence is removed"

    static let section = OptionSection<ModelDefinition>(
        "models", "the names that clients use; 'PROVIDER/NAME' if several providers share one",
        [
            Option(
                "provider", takes: .text, .required, help: "the provider that serves the model",
                entries: { model, policy in [OptionEntry("provider", .text(policy.providers[model.provider].name))] },
                read: { fields, schema, model in schema.readProvider(&fields, &model) }),
            Option("type", \.type, .word(of: types), .words("none"), help: "what the model is best at; also a tag"),
            Option(
                "tags", takes: .texts, .words("none"),
                help: "what selectors and keys choose it by; 'vision' implies 'supports: [image]' and vice versa",
                entries: { model, _ in model.tags.isEmpty ? [] : [OptionEntry("tags", .list(model.tags))] },
                read: { fields, schema, model in model.tags = schema.readTags(&fields) }),
            Option(
                "supports", takes: .words(Capability.allCases.map(\.rawValue)), .words("streaming"),
                help: "the model's capabilities; a request that needs more is not sent to it",
                entries: { model, _ in [OptionEntry("supports", .text(model.supports.written))] },
                read: { fields, schema, model in schema.readSupports(&fields, &model) }),
            Option(
                "serves", takes: .words(Operation.served.map(\.rawValue)), .words("chat"),
                help: "the operations whose requests it gets",
                entries: { model, _ in [OptionEntry("serves", .list(model.serves.map(\.rawValue)))] },
                read: { fields, _, model in
                    guard let words = fields.words("serves", of: Operation.served.map(\.rawValue)) else { return }
                    fields.reportEmptyList("serves")
                    if !words.isEmpty { model.serves = OperationSet(words.compactMap(Operation.init(served:))) }
                }),
            Option(
                "upstream", takes: .text, .words("its name here"),
                help: "the provider's own name of the model; of a name with '*', '*' is what the client writes there",
                entries: { model, _ in [OptionEntry("upstream", .text(model.upstream))] },
                read: { fields, schema, model in schema.readUpstream(&fields, &model) }),
            Option(
                "formats", takes: .texts, .words("the provider's"),
                help: "the wire formats in which it gets chats; requests in others are translated to the first",
                entries: { model, _ in model.formats.isEmpty ? [] : [OptionEntry("formats", .list(model.formats))] },
                read: { fields, schema, model in model.formats = schema.readFormats(&fields, model) }),
            Option(
                "context", \.context, .count, .words("unknown"),
                help: "the most input tokens that the model takes; longer prompts are not sent to it"),
            Option(
                "max_output", \.maxOutput, .count, .words("unknown"),
                help: "the most output tokens that the model gives; requests for more are not sent to it"),
            Option(
                section: "price", \.price, Price.section, .words("unknown"), help: "what the model costs; 0 is a price",
                check: { fields, _, price, _ in
                    for (key, tokens) in price.ofTokens { fields.warnIfPerToken(key, tokens) }
                    return true
                }),
            Option("hidden", \.isHidden, .bool, help: "leaves the model out of lists; routes and clients may still name it"),
            Option(
                body: "request_defaults", \.requestDefaults,
                help: "fields that are added to a request if the client leaves them out; objects are merged"),
            Option(
                body: "request_overrides", \.requestOverrides,
                help: "fields of every request, which replace what the client sends; objects are merged, null removes a field"),
            Option(layer: Timeouts.self, \.timeouts, help: "replaces the provider's, option by option"),
            Option(
                "weight", \.weight, .number(0...1000),
                help: "the model's share in the order 'weighted'; 0 is drawn only if no other model is left"),
            Option(
                section: "limits", \.limits, Limits.section,
                help: "bounds the model; replaces the limits of 'defaults', option by option"),
            Option(layer: Retry.self, \.retry, help: "replaces the provider's, option by option", check: checkOrder),
            Option(
                layer: BreakerSettings.self, \.breaker, help: "replaces the provider's, option by option",
                base: { schema, model in
                    let provider = schema.policy.providers.indices.contains(model.provider) ? schema.policy.providers[model.provider] : nil
                    return schema.policy.defaults.breaker.overridden(by: provider?.breaker ?? BreakerOverrides())
                }, check: checkOrder),
            Option("valid_json", \.validJSON, .bool, help: validJSONHelp),
        ])
}

extension Price {
    static let section = OptionSection<Price>(
        "price", "may be set on a model: US dollars per million tokens, per request, per image and per minute",
        [
            Option(
                token: "input", \.input, help: "the price of prompt tokens; may be left out beside a price per request, image or minute"),
            Option(token: "output", \.output, help: "the price of completion tokens; likewise"),
            Option(
                "cached_input", \.cachedInput, .money, .words("as input"),
                help: "the price of prompt tokens that the provider read from its cache"),
            Option(
                "cache_write", \.cacheWrite, .money, .words("as input"),
                help: "the price of prompt tokens that the provider wrote to its cache"),
            Option(
                "cache_write_1h", \.longCacheWrite, .money, .words("as cache_write"),
                help: "the price of those that its cache keeps for an hour"),
            Option(
                "reasoning", \.reasoning, .money, .words("as output"), help: "the price of completion tokens that were spent on reasoning"),
            Option("audio_input", \.audioInput, .money, .words("as input"), help: "the price of prompt tokens that are audio"),
            Option("audio_output", \.audioOutput, .money, .words("as output"), help: "the price of completion tokens that are audio"),
            Option("per_request", \.perRequest, .money, .words("0"), help: "the price of each request, besides its tokens"),
            Option("per_image", \.perImage, .money, .words("0"), help: "the price of each image that the model makes"),
            Option("per_minute", \.perMinute, .money, .words("0"), help: "the price of each minute of audio that the model transcribes"),
        ])

    /// The prices per million tokens, by their keys.
    fileprivate var ofTokens: [(String, Double?)] {
        [
            ("input", input), ("output", output), ("cached_input", cachedInput), ("cache_write", cacheWrite),
            ("cache_write_1h", longCacheWrite), ("reasoning", reasoning), ("audio_input", audioInput), ("audio_output", audioOutput),
        ]
    }

    /// The prices that make those of tokens optional.
    fileprivate static let flat = ["per_request", "per_image", "per_minute"]
}

extension FieldReader {
    /// Warns of a price that most likely is per token, as other programs have it: no model costs so little per million.
    mutating func warnIfPerToken(_ key: String, _ price: Double?) {
        guard let price, price > 0, price < 0.001, let node = node(key) else { return }
        let perMillion = (price * 1e12).rounded() / 1e6
        report(
            ConfigIssue(
                .warning, at: node.position, "'\(key)' looks like a price per token, but prices are per million tokens",
                hint: "write \(perMillion.asWritten)"))
    }
}

extension Option where Section == Price {
    fileprivate init(token key: String, _ path: Path<Double>, help: String) {
        let money = OptionType.money
        self.init(
            key, takes: money.kind, help: help,
            entries: { price, _ in [OptionEntry(key, .text(money.written(price[keyPath: path])))] },
            read: { fields, _, price in
                price[keyPath: path] = fields.money(key, required: !Price.flat.contains(where: fields.isPresent)) ?? 0
            })
    }
}

extension Option where Section == ModelDefinition {
    /// A mapping of members for the body of a request.
    fileprivate init(body key: String, _ path: Path<[BodyField]>, help: String) {
        self.init(
            key, takes: .other("a request's fields with JSON values"), .words("none"), help: help,
            entries: { model, _ in
                let fields = model[keyPath: path].map { OptionEntry($0.key, $0.hasSecret ? .opaque($0.json) : .text($0.text)) }
                return fields.isEmpty ? [] : [OptionEntry(key, .section(fields))]
            },
            read: { fields, schema, model in model[keyPath: path] = schema.readBody(&fields, key) })
    }
}

extension BodyField {
    fileprivate var text: String { String(decoding: json, as: UTF8.self) }

    /// Whether its name, or a name inside of its value, is that of a secret.
    fileprivate var hasSecret: Bool {
        Excerpt.isSensitive(key) || Excerpt.sensitiveValue(in: Array(text.unicodeScalars), readsProse: false) != nil
    }
}

extension CapabilitySet {
    /// As routes.yaml lists them.
    var written: String { map(\.rawValue).sorted().joined(separator: ", ") }
}

extension PolicySchema {
    mutating func readModels(_ entries: [ConfigEntry]) -> [ModelDefinition] {
        var models: [ModelDefinition] = []
        var places: [String: SourcePosition] = [:]
        for entry in entries where checkName(entry.key, of: "model", mayHaveSlash: true, mayBeWildcard: true) {
            guard let model = model(entry) else {
                names.addBroken(entry.key.text)
                continue
            }
            let provider = policy.providers[model.provider].name
            if let first = places.updateValue(entry.key.position, forKey: "\(provider)/\(model.name)") {
                report(
                    ConfigIssue(
                        at: entry.key.position, "provider '\(provider)' has two models named '\(model.name)'; first at \(first)",
                        hint: "give one of them another name, and the provider's own as 'upstream'"))
            }
            names.addModel(models.count, name: model.name, provider: provider)
            models.append(model)
        }
        warnAboutHiddenModels(models, entries)
        warnAboutUnpriced(models, entries)
        return models
    }

    /// Warns about models whose requests have no known cost: those of providers outside of this process. What a
    /// wildcard stands for can't have one price.
    private mutating func warnAboutUnpriced(_ models: [ModelDefinition], _ entries: [ConfigEntry]) {
        let isRemote = policy.providers.map { $0.settings?.makeProvider().origin != nil }
        let unpriced = models.filter { $0.price == nil && !$0.isWildcard && isRemote[$0.provider] }
        guard let first = unpriced.first, let entry = entries.first(where: { $0.key.text == first.key }) else { return }
        let shown = unpriced.prefix(3).map { "'\($0.key)'" }.joined(separator: ", ")
        let more = unpriced.count > 3 ? " and \(unpriced.count - 3) more" : ""
        let count = unpriced.count == 1 ? "a model has" : "\(unpriced.count) models have"
        let message = "\(count) no price, so the cost of requests is unknown: \(shown)\(more)"
        offMessages.insert(message)
        report(
            ConfigIssue(
                .warning, at: entry.key.position, message,
                hint: "add 'price: { input: …, output: … }' per million tokens; '{ input: 0, output: 0 }' is one too"))
    }

    /// Warns about models whose names are the `provider/name` of other models.
    private mutating func warnAboutHiddenModels(_ models: [ModelDefinition], _ entries: [ConfigEntry]) {
        let positions = Dictionary(entries.map { ($0.key.text, $0.key.position) }, uniquingKeysWith: { first, _ in first })
        for model in models {
            guard model.name.contains("/"), let hidden = names.qualified[model.name], let position = positions[model.key] else { continue }
            report(
                ConfigIssue(
                    .warning, at: position,
                    "model '\(model.key)' hides the model '\(models[hidden].name)' of provider "
                        + "'\(policy.providers[models[hidden].provider].name)', which is '\(model.name)' too",
                    hint: "rename one of them; clients can still reach the hidden model as '\(models[hidden].name)'"))
        }
    }

    /// nil if its provider or its name is not known.
    private mutating func model(_ entry: ConfigEntry) -> ModelDefinition? {
        var fields = FieldReader(entry.value, of: entry.key)
        var model = ModelDefinition()
        model.key = entry.key.text
        model.provider = -1
        currentKey = entry.key
        read(ModelDefinition.section, &fields, into: &model)
        warnAboutUnserved(model, &fields)
        finish(&fields, ModelDefinition.section)
        return model.provider < 0 || model.name.isEmpty ? nil : model
    }

    /// Warns about operations that the model's provider can't perform.
    private func warnAboutUnserved(_ model: ModelDefinition, _ fields: inout FieldReader) {
        guard policy.providers.indices.contains(model.provider), let settings = policy.providers[model.provider].settings else { return }
        let definition = policy.providers[model.provider], provider = settings.makeProvider()
        let unserved = OperationSet(model.serves.filter { provider.formats(for: $0, model: model.upstream).isEmpty })
        guard !unserved.isEmpty else { return }
        fields.report(
            ConfigIssue(
                .warning, at: fields.node("serves")?.position ?? fields.position,
                "provider '\(definition.name)' can't serve \(unserved.inWords): its plugin '\(definition.plugin)' doesn't",
                hint: "such requests would fail; write what the model serves as 'serves: […]', or use another provider"))
    }

    fileprivate mutating func readProvider(_ fields: inout FieldReader, _ model: inout ModelDefinition) {
        guard let text = fields.name("provider", required: true), let index = provider(named: text) else { return }
        model.provider = index
        model.name = modelName(currentKey.text, provider: text.text)
    }

    /// The name of the model at its provider: by default its name here, and of a wildcard what `*` stands for.
    fileprivate func readUpstream(_ fields: inout FieldReader, _ model: inout ModelDefinition) {
        let upstream = fields.string("upstream")
        model.upstream = upstream ?? (model.isWildcard ? "*" : model.name)
        guard let upstream, let node = fields.node("upstream"), !node.isUnresolved else { return }
        guard model.isWildcard, upstream.utf8.count(where: { $0 == UInt8(ascii: "*") }) != 1 else { return }
        fields.report(
            "upstream", "'upstream' of a name with '*' has one '*' too, for what the client writes there",
            hint: "write 'upstream: \"*\"', or remove the line")
    }

    /// The key, without its first part if that is the model's own provider. A wildcard keeps it: without it, the
    /// wildcard would stand for every name.
    private func modelName(_ key: String, provider: String) -> String {
        if ModelDefinition.isWildcard(key) { return key }
        guard let slash = key.firstIndex(of: "/"), key[..<slash] == provider else { return key }
        let name = key[slash...].dropFirst()
        return name.isEmpty ? key : String(name)
    }

    /// Reads `formats`, each of which the model's provider must speak.
    fileprivate func readFormats(_ fields: inout FieldReader, _ model: ModelDefinition) -> [String] {
        guard let texts = fields.texts("formats") else { return [] }
        fields.reportEmptyList("formats")
        guard policy.providers.indices.contains(model.provider), let settings = policy.providers[model.provider].settings else { return [] }
        let provider = settings.makeProvider(), name = policy.providers[model.provider].name
        let formats = provider.formats(for: .chat, model: model.upstream) + provider.optionalFormats(for: .chat, model: model.upstream)
        let known = formats.map(\.name)
        var names: [String] = []
        for text in texts where !text.isUnresolved {
            let format = abbreviated(text.source)
            if names.contains(text.text) {
                fields.report(ConfigIssue(at: text.position, "the format '\(format)' is listed twice", hint: "keep one of the two"))
            } else if !known.contains(text.text) {
                fields.report(
                    ConfigIssue(
                        at: text.position, "provider '\(name)' gets no chats in the format '\(format)'",
                        hint: known.isEmpty ? "remove the line" : "its formats are: \(known.joined(separator: ", "))"))
            } else {
                names.append(text.text)
            }
        }
        return names
    }

    fileprivate func readTags(_ fields: inout FieldReader) -> [String] {
        (fields.texts("tags") ?? []).compactMap { text in
            if text.isUnresolved || isTag(text.text) { return text.text }
            fields.report(
                ConfigIssue(
                    at: text.position, "'\(abbreviated(text.source))' is not a tag",
                    hint: "a tag has no spaces and none of '!', '&', ',', '*'; write several as '[a, b]'"))
            return nil
        }
    }

    /// Reads `supports`, and adds what `type`, `tags` and `supports` imply of each other.
    fileprivate func readSupports(_ fields: inout FieldReader, _ model: inout ModelDefinition) {
        let words = fields.words("supports", of: Capability.allCases.map(\.rawValue), meant: ForeignName.capability(named:)) ?? []
        model.supports = CapabilitySet(words.compactMap(Capability.init)).union([.streaming])
        var tags = Set(model.tags)
        if model.supports.contains(.image) { tags.insert("vision") }
        if tags.contains("vision") { model.supports.insert(.image) }
        if let type = model.type { tags.insert(type) }
        model.tags = tags.sorted()
    }

    fileprivate mutating func readBody(_ fields: inout FieldReader, _ key: String) -> [BodyField] {
        guard let entry = fields.entry(key), !entry.value.isNull else { return [] }
        guard case .mapping(let members) = entry.value.content else {
            fields.report(
                key, "'\(key)' takes a mapping of a request's fields, not \(entry.value.displayText)",
                hint: "such as '\(key): { temperature: 0.7 }'")
            return []
        }
        var body = JSONBody()
        return members.compactMap { member in
            if ["model", "stream", "messages"].contains(member.key.text) {
                report(
                    ConfigIssue(
                        at: member.key.position, "the policy cannot set '\(member.key.text)'",
                        hint: "the client sets it; the provider's name of the model is set by 'upstream'"))
                return nil
            }
            if member.value.isNull, let blank = member.key.text.firstIndex(of: " ") {
                report(
                    ConfigIssue(
                        at: member.key.position, "the ':' after '\(abbreviated(String(member.key.text[..<blank])))' is missing",
                        hint: "write 'name: value', with a space after the ':'"))
                return nil
            }
            let json = body.encoded(member.value)
            for issue in body.takeIssues() { report(issue) }
            return json.map { BodyField(key: member.key.text, json: $0) }
        }
    }
}
