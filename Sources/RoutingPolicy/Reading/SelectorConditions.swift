/// The conditions of a selector that can be evaluated when the policy is loaded.
struct SelectorConditions {
    private struct Condition {
        /// The condition's key in the policy file.
        var key: String
        /// Whether the model with this index meets the condition.
        var isMet: (Int) -> Bool
    }

    /// Why a selector selects no model.
    struct UnmetCondition {
        /// The key of the condition that leaves no model.
        var condition: String
        /// The keys of the conditions before it, which some models meet together. Empty if no model meets
        /// `condition` by itself.
        var others: [String]
    }

    private let index: ModelIndex
    private var conditions: [Condition] = []

    /// - Parameter patterns: the models that each text of the selector's `models` matches.
    init(_ selector: Selector, _ index: ModelIndex, patterns: [String: Set<Int>]) {
        self.index = index
        let models = index.models
        if let matches = selector.tags.map(index.matches) { add("tags") { matches[$0] } }
        if let type = selector.type { add("type") { models[$0].type == type } }
        if let providers = selector.providers { add("provider") { providers.contains(models[$0].provider) } }
        if !selector.supports.isEmpty { add("supports") { models[$0].supports.isSuperset(of: selector.supports) } }
        if let minimum = selector.minContext { add("min_context") { models[$0].context.map { $0 >= minimum } ?? false } }
        if let minimum = selector.minOutput { add("min_output") { models[$0].maxOutput.map { $0 >= minimum } ?? false } }
        if let maximum = selector.maxPrice { add("max_price") { models[$0].price.map(maximum.allows) ?? false } }
        if let texts = selector.models {
            let matching = texts.reduce(into: Set<Int>()) { $0.formUnion(patterns[$1] ?? []) }
            add("models", matching.contains)
        }
    }

    private mutating func add(_ key: String, _ isMet: @escaping (Int) -> Bool) {
        conditions.append(Condition(key: key, isMet: isMet))
    }

    /// The indices of the models that meet every condition, in ascending order.
    var selected: [Int] {
        conditions.reduce(into: index.selectable) { selected, condition in selected.removeAll { !condition.isMet($0) } }
    }

    /// nil if a model is selected.
    var unmetCondition: UnmetCondition? {
        if let condition = conditions.first(where: { !index.selectable.contains(where: $0.isMet) }) {
            return UnmetCondition(condition: condition.key, others: [])
        }
        var selected = index.selectable
        for (position, condition) in conditions.enumerated() {
            selected.removeAll { !condition.isMet($0) }
            if selected.isEmpty { return UnmetCondition(condition: condition.key, others: conditions[..<position].map(\.key)) }
        }
        return nil
    }
}

extension MaxPrice {
    fileprivate func allows(_ price: Price) -> Bool {
        (input.map { price.input <= $0 } ?? true) && (output.map { price.output <= $0 } ?? true)
    }
}

extension PolicyNames {
    /// The models that one text of `models:` matches: a glob, or a name that several models may share.
    func models(of pattern: String, in index: ModelIndex) -> Set<Int> {
        if let glob = Glob(pattern) { return index.models(matching: glob) }
        return Set(models[pattern] ?? qualified[pattern].map { [$0] } ?? [])
    }
}
