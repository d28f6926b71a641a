import ConfigTree

/// `{ select: …, order: … }`, a step of a chain.
extension PolicySchema {
    static let orders = Order.allCases.map(\.rawValue)

    mutating func readSelection(_ entries: [ConfigEntry], at position: SourcePosition, models: ModelIndex) -> RouteStep? {
        var fields = FieldReader(entries, at: position)
        defer { finish(&fields, section: "step") }
        fields.declare("select", as: .other("see select"))
        let order = fields.word("order", of: PolicySchema.orders).flatMap(Order.init) ?? .listed
        guard let entry = fields.entry("select") else {
            fields.report(ConfigIssue(at: position, "key 'select' is missing", hint: "a step is a name, or '{ select: { tags: … } }'"))
            return nil
        }
        guard !entry.value.isNull else {
            fields.report(
                ConfigIssue(at: entry.key.position, "'select' has no value", hint: "write conditions below it, or '{}' for every model"))
            return nil
        }
        let found = issues.count
        var conditions = FieldReader(entry.value, of: entry.key)
        defer { finish(&conditions, section: "select") }
        let selector = readSelector(&conditions, models: models)
        let kept = selected(selector, models: models)
        // One mistake is told once.
        let isJudged = conditions.issues.isEmpty && issues.count == found && names.broken.isEmpty && !models.models.isEmpty
        if kept.isEmpty, isJudged { warnOfNothing(selector, &conditions, at: entry.key.position, models: models) }
        if isJudged, let node = fields.node("order") { warnOfWeights(kept, order, at: node.position, models: models) }
        return .selected(Selection(selector: selector, order: order, models: kept))
    }

    private mutating func readSelector(_ fields: inout FieldReader, models: ModelIndex) -> Selector {
        var selector = Selector()
        selector.tags = readTagExpression(&fields)
        selector.type = fields.word("type", of: PolicySchema.types)
        selector.providers = fields.texts("provider").map { texts in Set(texts.compactMap { provider(named: $0) }) }
        selector.supports = CapabilitySet((fields.words("supports", of: PolicySchema.supports) ?? []).compactMap(Capability.init))
        selector.minContext = fields.int("min_context", in: PolicySchema.countRange)
        selector.minOutput = fields.int("min_output", in: PolicySchema.countRange)
        selector.maxPrice = readMaxPrice(&fields)
        selector.minSuccessRate = fields.ratio("min_success_rate")
        selector.models = fields.texts("models").map { texts in texts.filter { checkPattern($0, models: models) }.map(\.text) }
        for key in ["provider", "supports", "models"] {
            if let node = fields.node(key), case .sequence(let nodes) = node.content, nodes.isEmpty {
                fields.report(key, "'\(key)' is empty", hint: "name something, or remove the line")
            }
        }
        return selector
    }

    /// `tags:` as an expression.
    func readTagExpression(_ fields: inout FieldReader) -> TagExpression? {
        fields.declare("tags", as: .other("tags with ',' or a list for or, '&' for and, '!' for not"))
        guard let texts = fields.texts("tags"), !texts.contains(where: \.isUnresolved) else { return nil }
        if let tags = TagExpression(texts.map(\.text)) { return tags }
        // What is wrong inside a text has been reported.
        if !texts.isEmpty || fields.node("tags")?.isScalar == false {
            fields.report(
                "tags", "this is no expression of tags", hint: "',' or a list is or, '&' is and, '!' is not: \"llama & !paid, gemini\"")
        }
        return nil
    }

    private mutating func readMaxPrice(_ fields: inout FieldReader) -> MaxPrice? {
        fields.declare("max_price", as: .other("US dollars, or see max_price"))
        guard let entry = fields.entry("max_price") else { return nil }
        guard case .mapping = entry.value.content else { return fields.money("max_price").map { MaxPrice(input: $0, output: $0) } }
        return section("max_price", of: &fields) { fields, _ in
            let price = MaxPrice(input: fields.money("input"), output: fields.money("output"))
            if price == MaxPrice(), fields.issues.isEmpty, fields.presentKeys.isEmpty {
                fields.report(
                    ConfigIssue(
                        at: entry.value.position, "'max_price' bounds nothing", hint: "write a number, or '{ input: …, output: … }'"))
            }
            return price
        }
    }

    /// Whether there is a model for one of `models:`; reports where not.
    private mutating func checkPattern(_ pattern: ConfigText, models: ModelIndex) -> Bool {
        guard !pattern.isUnresolved else { return false }
        let isGlob = Glob(pattern.text) != nil
        guard isGlob || model(named: pattern) != nil else { return false }
        let matching = patterns[pattern.text] ?? names.models(of: pattern.text, in: models)
        patterns[pattern.text] = matching
        if isGlob, matching.isEmpty, names.broken.isEmpty, !models.models.isEmpty {
            report(
                ConfigIssue(.warning, at: pattern.position, "'\(abbreviated(pattern.source))' matches no model", hint: "check its spelling")
            )
        }
        return true
    }

    /// Routes tend to share their selectors, so each is worked out once.
    private mutating func selected(_ selector: Selector, models: ModelIndex) -> [Int] {
        if let known = selections[selector] { return known }
        let kept = SelectorConditions(selector, models, patterns: patterns).kept
        selections[selector] = kept
        return kept
    }

    private mutating func warnOfNothing(_ selector: Selector, _ fields: inout FieldReader, at position: SourcePosition, models: ModelIndex)
    {
        guard let emptiness = SelectorConditions(selector, models, patterns: patterns).emptiness else { return }
        let others = emptiness.others.map { "'\($0)'" }.joined(separator: " and ")
        let message =
            others.isEmpty
            ? "the selector keeps no model: none fulfils '\(emptiness.condition)'"
            : "the selector keeps no model: none that fulfils \(others) fulfils '\(emptiness.condition)' too"
        report(
            ConfigIssue(
                .warning, at: fields.node(emptiness.condition)?.position ?? position, message, hint: hint(forEmptiness: emptiness.condition)
            ))
    }

    private func hint(forEmptiness condition: String) -> String {
        switch condition {
        case "tags": "check the spelling; 'type' is a tag too, and a model that supports images has 'vision'"
        case "min_context": "a model whose 'context' isn't given is left out"
        case "min_output": "a model whose 'max_output' isn't given is left out"
        case "max_price": "a model without a 'price' is left out"
        default: "check it against 'models:'"
        }
    }

    private mutating func warnOfWeights(_ kept: [Int], _ order: Order, at position: SourcePosition, models: ModelIndex) {
        guard [.weighted, .best, .top3].contains(order), !kept.isEmpty, kept.allSatisfy({ models.models[$0].weight == 0 }) else { return }
        report(
            ConfigIssue(
                .warning, at: position, "every model that this selector keeps has the weight 0, so '\(order.rawValue)' can't rank them",
                hint: "give one of them a 'weight' above 0, or take another order"))
    }
}
