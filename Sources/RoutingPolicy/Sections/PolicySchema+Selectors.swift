import ConfigTree

/// `{ select: …, order: … }`, a step of a chain, while it is read.
struct StepOptions: OptionHolder {
    var selection: Selection?
    var order = Order.listed
    /// Whether the selector is free of mistakes, so that a warning about what it keeps is not a second report of one
    /// mistake.
    var isValid = false
}

extension StepOptions {
    static let section = OptionSection<StepOptions>(
        "step", "of 'try' and of the fallbacks: a model, 'PROVIDER/NAME', a route, or a mapping",
        [
            Option(
                "select", takes: .other("see select"), .required,
                help: "conditions; the models that meet all of them are kept, hidden ones too; '{}' keeps every model",
                entries: { _, _ in [] }, read: { fields, schema, step in schema.readSelect(&fields, &step) }),
            Option("order", \.order, .word, help: "how they are ranked"),
        ])
}

extension Selector {
    static let section = OptionSection<Selector>(
        "select", "of a step; what a request needs (capabilities, length) is checked in addition",
        [
            Option(
                "tags", takes: .other(PolicySchema.tagKind), .words("any"), help: "an expression: \"llama & !paid, gemini\"",
                entries: { selector, _ in selector.tags.map { [OptionEntry("tags", .text($0.description))] } ?? [] },
                read: { fields, schema, selector in selector.tags = schema.readTagExpression(&fields) }),
            Option("type", \.type, .word(of: ModelDefinition.types), .words("any"), help: "the model's type"),
            Option(
                "provider", takes: .texts, .words("any"), help: "one of these",
                entries: { selector, policy in
                    selector.providers.map { [OptionEntry("provider", .list($0.sorted().map { policy.providers[$0].name }))] } ?? []
                },
                read: { fields, schema, selector in
                    selector.providers = fields.texts("provider").map { texts in Set(texts.compactMap { schema.provider(named: $0) }) }
                    fields.refuseEmptyList("provider")
                }),
            Option(
                "supports", takes: .words(Capability.allCases.map(\.rawValue)), .words("any"), help: "all of these capabilities",
                entries: { selector, _ in selector.supports.isEmpty ? [] : [OptionEntry("supports", .text(selector.supports.written))] },
                read: { fields, _, selector in
                    let words = fields.words("supports", of: Capability.allCases.map(\.rawValue)) ?? []
                    selector.supports = CapabilitySet(words.compactMap(Capability.init))
                    fields.refuseEmptyList("supports")
                }),
            Option(
                "min_context", \.minContext, .count, .words("any"), help: "input tokens; leaves out models without a 'context'"),
            Option(
                "min_output", \.minOutput, .count, .words("any"), help: "output tokens; leaves out models without a 'max_output'"),
            Option(
                "max_price", takes: .other("US dollars, or see max_price"), .words("any"),
                help: "per million tokens, input and output each; leaves out models without a price",
                entries: { selector, policy in
                    selector.maxPrice.map { [OptionEntry("max_price", .section(MaxPrice.section.entries(of: $0, in: policy)))] } ?? []
                },
                read: { fields, schema, selector in selector.maxPrice = schema.readMaxPrice(&fields) }),
            Option(
                "min_success_rate", \.minSuccessRate, .ratio, .words("any"),
                help: "over 'statistics.window'; keeps models that were not called in it"),
            Option(
                "models", takes: .texts, .words("all"), help: "names and globs over names and 'PROVIDER/NAME'",
                entries: { selector, _ in selector.models.map { [OptionEntry("models", .list($0))] } ?? [] },
                read: { fields, schema, selector in
                    selector.models = fields.texts("models").map { texts in texts.filter { schema.checkPattern($0) }.map(\.text) }
                    fields.refuseEmptyList("models")
                }),
        ])
}

extension MaxPrice {
    static let section = OptionSection<MaxPrice>(
        "max_price", "of a selector, in US dollars per million tokens",
        [
            Option("input", \.input, .money, .words("any"), help: "of prompt tokens, at most"),
            Option("output", \.output, .money, .words("any"), help: "of completion tokens, at most"),
        ])
}

extension Selection {
    /// The conditions and the order, not the models: a change of what the conditions keep is shown at the models.
    func words(in policy: RoutingPolicy) -> String {
        let conditions = Selector.section.entries(of: selector, in: policy).map(\.words).joined(separator: ", ")
        return "select(\(conditions.isEmpty ? "all" : conditions))" + (order == .listed ? "" : " \(order.rawValue)")
    }
}

extension FieldReader {
    fileprivate mutating func refuseEmptyList(_ key: String) {
        if let node = node(key), case .sequence(let nodes) = node.content, nodes.isEmpty {
            report(key, "'\(key)' is empty", hint: "name something, or remove the line")
        }
    }
}

extension PolicySchema {
    static let tagKind = "tags with ',' or a list for or, '&' for and, '!' for not"

    mutating func readSelection(_ entries: [ConfigEntry], at position: SourcePosition) -> RouteStep? {
        var fields = FieldReader(entries, at: position)
        var step = StepOptions()
        read(StepOptions.section, &fields, into: &step)
        if step.isValid, let selection = step.selection, let node = fields.node("order") {
            warnOfWeights(selection.models, step.order, at: node.position)
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
        let found = issues.count
        var conditions = FieldReader(entry.value, of: entry.key)
        var selector = Selector()
        read(Selector.section, &conditions, into: &selector)
        let kept = selected(selector)
        step.isValid = conditions.issues.isEmpty && issues.count == found && names.broken.isEmpty && !models.models.isEmpty
        if kept.isEmpty, step.isValid { warnOfNothing(selector, &conditions, at: entry.key.position) }
        finish(&conditions, Selector.section)
        step.selection = Selection(selector: selector, models: kept)
    }

    /// `tags:` as an expression.
    func readTagExpression(_ fields: inout FieldReader) -> TagExpression? {
        guard let texts = fields.texts("tags"), !texts.contains(where: \.isUnresolved) else { return nil }
        if let tags = TagExpression(texts.map(\.text)) { return tags }
        // A mistake inside a text has been reported.
        if !texts.isEmpty || fields.node("tags")?.isScalar == false {
            fields.report(
                "tags", "this is not a tag expression",
                hint: "',' or a list means or, '&' means and, '!' means not: \"llama & !paid, gemini\"")
        }
        return nil
    }

    fileprivate mutating func readMaxPrice(_ fields: inout FieldReader) -> MaxPrice? {
        guard let entry = fields.entry("max_price") else { return nil }
        guard case .mapping(let entries) = entry.value.content else {
            return fields.money("max_price").map { MaxPrice(input: $0, output: $0) }
        }
        return read(MaxPrice.section, at: "max_price", of: &fields) { fields, _, price in
            if entries.isEmpty {
                fields.report(
                    ConfigIssue(
                        at: entry.value.position, "'max_price' bounds nothing", hint: "write a number, or '{ input: …, output: … }'"))
            }
            return true
        }
    }

    /// Whether one of `models:` stands for a model. Reports it if not.
    fileprivate mutating func checkPattern(_ pattern: ConfigText) -> Bool {
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

    /// The models that a selector keeps. Routes tend to share their selectors, so each is evaluated once.
    private mutating func selected(_ selector: Selector) -> [Int] {
        if let known = selections[selector] { return known }
        let kept = SelectorConditions(selector, models, patterns: patterns).kept
        selections[selector] = kept
        return kept
    }

    private mutating func warnOfNothing(_ selector: Selector, _ fields: inout FieldReader, at position: SourcePosition) {
        guard let emptiness = SelectorConditions(selector, models, patterns: patterns).emptiness else { return }
        let others = emptiness.others.map { "'\($0)'" }.joined(separator: " and ")
        let message =
            others.isEmpty
            ? "the selector keeps no model: no model meets '\(emptiness.condition)'"
            : "the selector keeps no model: no model that meets \(others) also meets '\(emptiness.condition)'"
        report(
            ConfigIssue(
                .warning, at: fields.node(emptiness.condition)?.position ?? position, message, hint: hint(forEmptiness: emptiness.condition)
            ))
    }

    private func hint(forEmptiness condition: String) -> String {
        switch condition {
        case "tags": "check the spelling; 'type' is also a tag, and models that support images have the tag 'vision'"
        case "min_context": "models without a 'context' are left out"
        case "min_output": "models without a 'max_output' are left out"
        case "max_price": "models without a 'price' are left out"
        default: "check it against 'models:'"
        }
    }

    private mutating func warnOfWeights(_ kept: [Int], _ order: Order, at position: SourcePosition) {
        guard [.weighted, .best, .top3].contains(order), !kept.isEmpty, kept.allSatisfy({ models.models[$0].weight == 0 }) else { return }
        report(
            ConfigIssue(
                .warning, at: position, "every model that this selector keeps has the weight 0, so '\(order.rawValue)' cannot rank them",
                hint: "give one of them a 'weight' above 0, or use another order"))
    }
}
