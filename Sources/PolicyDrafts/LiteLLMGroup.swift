/// The deployments of one name, which LiteLLM calls a model group.
struct LiteLLMGroup {
    struct Deployment {
        var model: DraftEntry
        /// Deployments of a lower order come first. Those without one come last.
        let order: Double
    }

    let name: String
    var deployments: [Deployment]

    var isWildcard: Bool { name.hasSuffix("*") }

    /// The steps that name the models: one for each order.
    func steps(_ order: String) -> [DraftValue] {
        Set(deployments.map(\.order)).sorted().map { number in
            let members = deployments.filter { $0.order == number }.map { DraftValue.text($0.model.name) }
            if members.count == 1 { return members[0] }
            let selector = DraftValue.mapping([DraftField("models", .list(members))])
            return .mapping([DraftField("select", selector), DraftField("order", .text(order))])
        }
    }

    /// The group of one of a wildcard's models; nil if the wildcard doesn't stand for it.
    func group(ofModel model: String) -> LiteLLMGroup? {
        let prefix = name.dropLast()
        guard isWildcard, let deployment = deployments.first, model.hasPrefix(prefix), model.count > prefix.count, !model.contains("*")
        else {
            return nil
        }
        let rest = String(model.dropFirst(prefix.count))
        let upstream = if case .text(let pattern)? = deployment.model["upstream"] { pattern.replacing("*", with: rest) } else { rest }
        var entry = deployment.model.renamed(model)
        entry.set("upstream", upstream == model ? nil : .text(upstream))
        return LiteLLMGroup(name: model, deployments: [Deployment(model: entry, order: deployment.order)])
    }

    /// The group with the names that its models have beside a route of the group's name. Clients don't see them.
    func behindRoute(_ names: inout ForeignNames) -> LiteLLMGroup {
        var group = self
        for index in group.deployments.indices {
            let model = group.deployments[index].model
            guard case .text(let provider)? = model["provider"] else { continue }
            var member = model.renamed(names.free("\(name)@\(provider)", separator: "."))
            if member["upstream"] == nil { member.set("upstream", .text(model.name)) }
            member.set("hidden", .bool(true))
            group.deployments[index].model = member
        }
        return group
    }
}

extension DraftEntry {
    /// The same entry with another name.
    func renamed(_ name: String) -> DraftEntry {
        var entry = DraftEntry(name)
        entry.comments = comments
        for field in fields { entry.set(field.key, field.value) }
        return entry
    }
}
