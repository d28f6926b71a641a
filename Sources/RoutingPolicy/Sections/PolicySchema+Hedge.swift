import ConfigTree

/// The options of `hedge:` as they are read: a hedge without a delay is no hedge.
struct HedgeOptions: OptionHolder {
    var delay: Hedge.Delay?
    var maxCost: Double?
}

extension HedgeOptions {
    static let section = OptionSection<HedgeOptions>(
        "hedge", "may be set on a route: calls a second model beside a slow first one",
        [
            Option(
                "after", takes: .other("time, 1ms to 24h, or p95"), .required,
                help: "how long to wait for content before the next model is called too; with p95, as long as 95 of 100 requests needed",
                entries: { hedge, _ in hedge.delay.map { [OptionEntry("after", .text($0.written))] } ?? [] },
                read: { fields, _, hedge in hedge.delay = fields.hedgeDelay() }),
            Option(
                "max_cost", \.maxCost, .money, .words("no limit"),
                help: "what the second attempt may cost at most; excludes models without a price"),
        ])
}

extension Hedge.Delay {
    fileprivate var written: String {
        switch self {
        case .after(let time): time.asWritten
        case .p95: "p95"
        }
    }
}

extension Option where Section == RouteDefinition {
    init(hedge path: Path<Hedge?>, help: String) {
        let section = HedgeOptions.section
        self.init(
            "hedge", takes: .other("see hedge"), .words("none"), help: help,
            entries: { route, policy in
                guard let hedge = route[keyPath: path] else { return [] }
                return [
                    OptionEntry(
                        "hedge", .section(section.entries(of: HedgeOptions(delay: hedge.delay, maxCost: hedge.maxCost), in: policy)))
                ]
            },
            read: { fields, schema, route in
                let place = fields.entry("hedge")?.key.position
                let options = schema.read(section, at: "hedge", of: &fields) { fields, schema, hedge in
                    guard let place else { return false }
                    schema.hedges.append((schema.currentRoute, place, hedge.maxCost == nil ? nil : fields.node("max_cost")?.position))
                    return true
                }
                route[keyPath: path] = options.flatMap { options in options.delay.map { Hedge(delay: $0, maxCost: options.maxCost) } }
            })
    }
}

extension PolicySchema {
    /// Warns of a hedge that cannot ever happen, or not at some models. Only for routes without cycles.
    mutating func checkHedges(_ routes: [RouteDefinition], models: [ModelDefinition], hasDefaultFallback: Bool) {
        for (route, position, maxCost) in hedges {
            let reached = RouteReach(routes, from: route)
            if !reached.hasSeveralModels, routes[route].fallback != nil || !hasDefaultFallback {
                report(
                    ConfigIssue(
                        .warning, at: position, "route '\(routes[route].name)' has only one model, so there is none to call beside it",
                        hint: "name a second one in 'try' or 'fallback', or remove 'hedge'"))
            }
            let unpriced = maxCost == nil ? [] : reached.models(atMost: 4) { models[$0].price == nil }
            if let maxCost, !unpriced.isEmpty {
                let names = unpriced.prefix(3).map { "'\(models[$0].key)'" }.joined(separator: ", ") + (unpriced.count > 3 ? ", …" : "")
                report(
                    ConfigIssue(
                        .warning, at: maxCost, "'max_cost' rules out the models without a price: \(names)",
                        hint: "give them a 'price'; '{ input: 0, output: 0 }' is one too"))
            }
        }
    }
}

extension FieldReader {
    /// nil with an issue.
    fileprivate mutating func hedgeDelay() -> Hedge.Delay? {
        if case .scalar(let scalar)? = node("after")?.content, scalar.text.lowercased().hasPrefix("p"), !scalar.isUnresolved {
            if scalar.text == "p95" { return .p95 }
            report(
                "after", "'after' takes a time, or 'p95', not '\(abbreviated(scalar.source))'", hint: "write 'p95', or a time such as 3s")
            return nil
        }
        return duration("after", required: true).map { .after($0) }
    }
}
