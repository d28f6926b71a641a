import ConfigTree

/// The deployments of one name, which LiteLLM calls a model group.
struct LiteLLMGroup {
    struct Deployment {
        var model: DraftEntry
        /// Deployments of a lower order come first. Those without one come last.
        let order: Double
        /// What it says of each of `Share.allCases`.
        let shares: [ConfigNode?]
    }

    /// What says how often a deployment is drawn.
    enum Share: String, CaseIterable {
        case weight, rpm, tpm
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

    /// Sets the weights by which LiteLLM's `simple-shuffle` draws among deployments of one order: of what `Share`
    /// names, the first that the first deployment has. A deployment without it isn't drawn. Source: `simple_shuffle`
    /// in LiteLLM.
    mutating func setWeights() {
        for order in Set(deployments.map(\.order)) {
            let members = deployments.indices.filter { deployments[$0].order == order }
            let first = deployments[members[0]].shares
            guard members.count > 1, let kind = first.firstIndex(where: { $0 != nil }) else { continue }
            let nodes = members.map { deployments[$0].shares[kind] }, values = nodes.map { $0.map(\.foreignNumber) ?? 0 }
            let share = Share.allCases[kind]
            guard let weights = Self.weights(values.compactMap(\.self), areCounts: share != .weight), weights.count == members.count else {
                if values.contains(nil) {
                    deployments[members[0]].model.comments.append(
                        "LiteLLM draws by '\(share.rawValue)', which can't be read here: write a 'weight' for each.")
                }
                continue
            }
            for (index, weight) in zip(members, weights) where weight != 1 { deployments[index].model.set("weight", .number(weight)) }
        }
    }

    /// Numbers of the same proportions from 0 to 1000; nil if there are none. Counts become the least whole numbers:
    /// 60, 600, 60000 → 1, 10, 1000.
    private static func weights(_ shares: [Double], areCounts: Bool) -> [Double]? {
        guard let most = shares.max(), most > 0, shares.allSatisfy({ 0...1e12 ~= $0 }) else { return nil }
        let counts = shares.compactMap { Int(exactly: $0) }
        let unit = areCounts && counts.count == shares.count ? Double(counts.reduce(0, greatestCommonDivisor)) : 1
        return shares.map { most / unit > 1000 ? $0 * 1000 / most : $0 / unit }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }

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
        return LiteLLMGroup(name: model, deployments: [Deployment(model: entry, order: deployment.order, shares: deployment.shares)])
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
