import ConfigTree

/// `hedge` of a route.
extension PolicySchema {
    mutating func readHedge(_ fields: inout FieldReader, of route: Int) -> Hedge? {
        let place = fields.entry("hedge")?.key.position
        return section("hedge", of: &fields) { fields, schema in
            let delay = fields.hedgeDelay()
            let maxCost = fields.money("max_cost")
            if let place { schema.hedges.append((route, place, maxCost == nil ? nil : fields.node("max_cost")?.position)) }
            return delay.map { Hedge(delay: $0, maxCost: maxCost) }
        } ?? nil
    }

    /// A hedge that can't ever happen, or not at some models, is told. Only for routes without circles.
    mutating func checkHedges(_ routes: [RouteDefinition], models: [ModelDefinition]) {
        for (route, position, maxCost) in hedges {
            let reached = RouteReach(routes, from: route)
            if !reached.hasSeveralModels {
                report(
                    ConfigIssue(
                        .warning, at: position, "route '\(routes[route].name)' has one model alone, so there is none to ask beside it",
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
        declare("after", as: .other("time, 1ms to 24h, or p95"))
        if case .scalar(let scalar)? = node("after")?.content, scalar.text.lowercased().hasPrefix("p"), !scalar.isUnresolved {
            if scalar.text == "p95" { return .p95 }
            report(
                "after", "'after' takes a time, or 'p95', not '\(abbreviated(scalar.source))'", hint: "write 'p95', or a time such as 3s")
            return nil
        }
        return duration("after", required: true).map { .after($0) }
    }
}
