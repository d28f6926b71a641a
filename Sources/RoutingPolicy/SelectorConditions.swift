/// What a selector asks of a model that can be told when the policy is loaded.
struct SelectorConditions {
    private struct Condition {
        /// As routes.yaml names it.
        var key: String
        var holds: (Int) -> Bool
    }

    /// Why a selector keeps nothing.
    struct Emptiness {
        /// The condition at which nothing was left.
        var condition: String
        /// The conditions that something still fulfilled before it; empty where no model fulfils this one by itself.
        var others: [String]
    }

    private let index: ModelIndex
    private var conditions: [Condition] = []

    /// - Parameter patterns: what each of the selector's `models` stands for.
    init(_ selector: Selector, _ index: ModelIndex, patterns: [String: Set<Int>]) {
        self.index = index
        let models = index.models
        if let marks = selector.tags.map(index.marks) { add("tags") { marks[$0] } }
        if let type = selector.type { add("type") { models[$0].type == type } }
        if let providers = selector.providers { add("provider") { providers.contains(models[$0].provider) } }
        if !selector.supports.isEmpty { add("supports") { selector.supports.isSubset(of: models[$0].supports) } }
        if let least = selector.minContext { add("min_context") { models[$0].context.map { $0 >= least } ?? false } }
        if let least = selector.minOutput { add("min_output") { models[$0].maxOutput.map { $0 >= least } ?? false } }
        if let most = selector.maxPrice { add("max_price") { models[$0].price.map(most.covers) ?? false } }
        if let given = selector.models {
            let matching = given.reduce(into: Set<Int>()) { $0.formUnion(patterns[$1] ?? []) }
            add("models", matching.contains)
        }
    }

    private mutating func add(_ key: String, _ holds: @escaping (Int) -> Bool) {
        conditions.append(Condition(key: key, holds: holds))
    }

    /// Ascending.
    var kept: [Int] {
        conditions.reduce(into: Array(index.models.indices)) { kept, condition in kept.removeAll { !condition.holds($0) } }
    }

    /// nil where something is kept.
    var emptiness: Emptiness? {
        if let condition = conditions.first(where: { !index.models.indices.contains(where: $0.holds) }) {
            return Emptiness(condition: condition.key, others: [])
        }
        var kept = Array(index.models.indices)
        for (place, condition) in conditions.enumerated() {
            kept.removeAll { !condition.holds($0) }
            if kept.isEmpty { return Emptiness(condition: condition.key, others: conditions[..<place].map(\.key)) }
        }
        return nil
    }
}

extension MaxPrice {
    fileprivate func covers(_ price: Price) -> Bool {
        (input.map { price.input <= $0 } ?? true) && (output.map { price.output <= $0 } ?? true)
    }
}

extension PolicyNames {
    /// What one of `models:` stands for: a glob, or a name of one or several.
    func models(of pattern: String, in index: ModelIndex) -> Set<Int> {
        if let glob = Glob(pattern) { return index.models(matching: glob) }
        return Set(models[pattern] ?? qualified[pattern].map { [$0] } ?? [])
    }
}
