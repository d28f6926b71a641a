import ConfigTree

/// A step `{ select: …, order: … }` of `try` or of a fallback, as far as it has been read.
struct StepOptions: OptionHolder {
    var selection: Selection?
    var order = Order.listed
    /// Whether the selector is free of mistakes. Only then are there warnings about the models that it selects, so that
    /// one mistake is not reported twice.
    var isValid = false
}

extension StepOptions {
    static let section = OptionSection<StepOptions>(
        "step", "a step of 'try' or of a fallback: a model, 'PROVIDER/NAME', a route, or this mapping",
        [
            Option(
                "select", takes: .other("see select"), .required,
                help: "conditions; selects the models that meet all of them, also hidden models; '{}' selects every model",
                entries: { _, _ in [] }, read: { fields, schema, step in schema.readSelect(&fields, &step) }),
            Option("order", \.order, .word, help: "how the selected models are ordered"),
        ])
}

extension Selector {
    static let section = OptionSection<Selector>(
        "select", "the conditions of a step; the capabilities and the context that a request needs are checked as well",
        [
            Option(
                "tags", takes: .other(PolicySchema.tagKind), .words("any"),
                help: "an expression that the model's tags match, such as \"llama & !paid, gemini\"",
                entries: { selector, _ in selector.tags.map { [OptionEntry("tags", .text($0.description))] } ?? [] },
                read: { fields, schema, selector in selector.tags = schema.readTagExpression(&fields) }),
            Option("type", \.type, .word(of: ModelDefinition.types), .words("any"), help: "the model's type"),
            Option(
                "provider", takes: .texts, .words("any"), help: "one or more providers; the model has one of them",
                entries: { selector, policy in
                    selector.providers.map { [OptionEntry("provider", .list($0.sorted().map { policy.providers[$0].name }))] } ?? []
                },
                read: { fields, schema, selector in
                    selector.providers = fields.texts("provider").map { texts in Set(texts.compactMap { schema.provider(named: $0) }) }
                    fields.reportEmptyList("provider")
                }),
            Option(
                "supports", takes: .words(Capability.allCases.map(\.rawValue)), .words("any"),
                help: "capabilities; the model has all of them",
                entries: { selector, _ in selector.supports.isEmpty ? [] : [OptionEntry("supports", .text(selector.supports.written))] },
                read: { fields, _, selector in
                    let words =
                        fields.words("supports", of: Capability.allCases.map(\.rawValue), meant: ForeignName.capability(named:)) ?? []
                    selector.supports = CapabilitySet(words.compactMap(Capability.init))
                    fields.reportEmptyList("supports")
                }),
            Option(
                "min_context", \.minContext, .count, .words("any"), help: "least context in tokens; leaves out models without a 'context'"),
            Option(
                "min_output", \.minOutput, .count, .words("any"), help: "least output in tokens; leaves out models without a 'max_output'"),
            Option(
                "max_price", takes: .other("US dollars, or see max_price"), .words("any"),
                help: "highest price per million tokens, for input and output; leaves out models without a price",
                entries: { selector, policy in
                    selector.maxPrice.map { [OptionEntry("max_price", .section(MaxPrice.section.entries(of: $0, in: policy)))] } ?? []
                },
                read: { fields, schema, selector in selector.maxPrice = schema.readMaxPrice(&fields) }),
            Option(
                "min_success_rate", \.minSuccessRate, .ratio, .words("any"),
                help: "measured over 'statistics.window'; a model that was not called in that time meets it"),
            Option(
                "models", takes: .texts, .words("all"), help: "names, 'PROVIDER/NAME', or globs for either",
                entries: { selector, _ in selector.models.map { [OptionEntry("models", .list($0))] } ?? [] },
                read: { fields, schema, selector in
                    selector.models = fields.texts("models").map { texts in texts.filter { schema.checkPattern($0) }.map(\.text) }
                    fields.reportEmptyList("models")
                }),
        ])
}

extension MaxPrice {
    static let section = OptionSection<MaxPrice>(
        "max_price", "may be set on a selector: US dollars per million tokens",
        [
            Option("input", \.input, .money, .words("any"), help: "highest price of prompt tokens"),
            Option("output", \.output, .money, .words("any"), help: "highest price of completion tokens"),
        ])
}

extension Selection {
    /// The conditions and the order, without the selected models: `diff` shows a change of those at the models.
    func words(in policy: RoutingPolicy) -> String {
        let conditions = Selector.section.entries(of: selector, in: policy).map(\.words).joined(separator: ", ")
        return "select(\(conditions.isEmpty ? "all" : conditions))" + (order == .listed ? "" : " \(order.rawValue)")
    }
}

extension FieldReader {
    mutating func reportEmptyList(_ key: String) {
        if let node = node(key), case .sequence(let nodes) = node.content, nodes.isEmpty {
            report(key, "'\(key)' is empty", hint: "list at least one value, or remove the line")
        }
    }
}

extension PolicySchema {
    static let tagKind = "tags; ',' or a list means OR, '&' AND, '!' NOT"

    mutating func readSelection(_ entries: [ConfigEntry], at position: SourcePosition) -> RouteStep? {
        var fields = FieldReader(entries, at: position)
        var step = StepOptions()
        read(StepOptions.section, &fields, into: &step)
        if step.isValid, let selection = step.selection, let node = fields.node("order") {
            warnAboutWeights(selection.models, step.order, at: node.position)
        }
        finish(&fields, StepOptions.section)
        step.selection?.order = step.order
        return step.selection.map { .selected($0) }
    }

    fileprivate mutating func readSelect(_ fields: inout FieldReader, _ step: inout StepOptions) {
        guard let entry = fields.entry("select") else {
            fields.report(
                ConfigIssue(at: fields.position, "key 'select' is missing", hint: "a step is a name, or '{ select: { tags: … } }'"))
            return
        }
        guard !entry.value.isNull else {
            fields.report(
                ConfigIssue(at: entry.key.position, "'select' has no value", hint: "write conditions below it, or '{}' for every model"))
            return
        }
        let issuesBefore = issues.count
        var conditions = FieldReader(entry.value, of: entry.key)
        var selector = Selector()
        read(Selector.section, &conditions, into: &selector)
        let selectedModels = selected(selector)
        step.isValid = conditions.issues.isEmpty && issues.count == issuesBefore && names.broken.isEmpty && !models.models.isEmpty
        if selectedModels.isEmpty, step.isValid { warnAboutEmptySelection(selector, &conditions, at: entry.key.position) }
        finish(&conditions, Selector.section)
        step.selection = Selection(selector: selector, models: selectedModels)
    }

    /// `tags:` as an expression.
    ///
    /// - Parameter allowsEmptyEntries: leaves out the empty entries of a list, as a request may have them.
    func readTagExpression(_ fields: inout FieldReader, allowsEmptyEntries: Bool = false) -> TagExpression? {
        guard let texts = fields.texts("tags"), !texts.contains(where: \.isUnresolved) else { return nil }
        if let text = texts.first(where: { $0.text.contains { "()".contains($0) } }) {
            fields.report(
                ConfigIssue(
                    .warning, at: text.position, "parentheses don't group tags: they are read as part of a tag's name",
                    hint: "write each alternative out: 'a & (b, c)' is \"a & b, a & c\""))
        }
        let entries = allowsEmptyEntries ? OverrideValue.list(texts.map(\.text)).entries ?? [] : texts.map(\.text)
        if let tags = TagExpression(entries) { return tags }
        if allowsEmptyEntries, entries.isEmpty, !texts.isEmpty { return nil }
        // A mistake inside a text has already been reported. An empty list, or a value that is no text, has not.
        if !texts.isEmpty || fields.node("tags")?.isScalar == false {
            fields.report(
                "tags", "the value is not a tag expression",
                hint: "',' or a list means OR, '&' means AND, '!' means NOT: \"llama & !paid, gemini\"")
        }
        return nil
    }

    fileprivate mutating func readMaxPrice(_ fields: inout FieldReader) -> MaxPrice? {
        guard let entry = fields.entry("max_price") else { return nil }
        guard case .mapping(let entries) = entry.value.content else {
            let price = fields.money("max_price")
            fields.warnIfPerToken("max_price", price)
            return price.map { MaxPrice(input: $0, output: $0) }
        }
        return read(MaxPrice.section, at: "max_price", of: &fields) { fields, _, price in
            fields.warnIfPerToken("input", price.input)
            fields.warnIfPerToken("output", price.output)
            if entries.isEmpty {
                fields.report(
                    ConfigIssue(
                        at: entry.value.position, "'max_price' sets no limit", hint: "write a number, or '{ input: …, output: … }'"))
            }
            return true
        }
    }

    /// Whether an entry of `models:` is usable: the name of a model, or a glob. Reports a name that is unknown, and
    /// warns about a glob that matches no model.
    fileprivate mutating func checkPattern(_ pattern: ConfigText) -> Bool {
        guard !pattern.isUnresolved else { return false }
        let isGlob = Glob(pattern.text) != nil
        guard isGlob || model(named: pattern) != nil else { return false }
        let matching = patterns[pattern.text] ?? names.models(of: pattern.text, in: models).filter { !models.models[$0].isWildcard }
        patterns[pattern.text] = matching
        if isGlob, matching.isEmpty, names.broken.isEmpty, !models.models.isEmpty {
            report(
                ConfigIssue(
                    .warning, at: pattern.position, "'\(abbreviated(pattern.source))' matches no model",
                    hint: names.wildcard(for: pattern.text) == nil
                        ? "check its spelling" : "a selector never chooses a name with '*'; define the models under 'models:'")
            )
        }
        return true
    }

    /// The models that a selector selects. Routes tend to share their selectors, so each is evaluated once.
    private mutating func selected(_ selector: Selector) -> [Int] {
        if let known = selections[selector] { return known }
        let models = SelectorConditions(selector, models, patterns: patterns).selected
        selections[selector] = models
        return models
    }

    private mutating func warnAboutEmptySelection(_ selector: Selector, _ fields: inout FieldReader, at position: SourcePosition) {
        guard let unmet = SelectorConditions(selector, models, patterns: patterns).unmetCondition else { return }
        let others = unmet.others.map { "'\($0)'" }.joined(separator: " and ")
        let message =
            others.isEmpty
            ? "the selector selects no model: no model meets '\(unmet.condition)'"
            : "the selector selects no model: no model that meets \(others) also meets '\(unmet.condition)'"
        report(
            ConfigIssue(
                .warning, at: fields.node(unmet.condition)?.position ?? position, message, hint: hint(forUnmet: unmet.condition)
            ))
    }

    private func hint(forUnmet condition: String) -> String {
        switch condition {
        case "tags": "check the spelling; a model's 'type' is also a tag, and models that support images have the tag 'vision'"
        case "min_context": "models without a 'context' are left out"
        case "min_output": "models without a 'max_output' are left out"
        case "max_price": "models without a 'price' are left out"
        default: "compare the value with 'models:'"
        }
    }

    private mutating func warnAboutWeights(_ kept: [Int], _ order: Order, at position: SourcePosition) {
        guard [.weighted, .best, .top3].contains(order), !kept.isEmpty, kept.allSatisfy({ models.models[$0].weight == 0 }) else { return }
        report(
            ConfigIssue(
                .warning, at: position, "all models selected here have the weight 0, so '\(order.rawValue)' cannot rank them",
                hint: "give one of them a 'weight' above 0, or use another order"))
    }
}
