/// The models of a policy, indexed for the conditions and patterns that select some of them. Built once per load.
struct ModelIndex {
    let models: [ModelDefinition]
    /// The models that selectors choose among, in ascending order: all but wildcards.
    let selectable: [Int]
    /// Every text that a pattern may match: names, keys and `provider/name`.
    private let names: NameIndex
    private let tagged: [String: [Int]]

    /// - Parameter providers: the names of the providers, at the indices that `ModelDefinition.provider` uses.
    init(_ models: [ModelDefinition], providers: [String]) {
        self.models = models
        selectable = models.indices.filter { !models[$0].isWildcard }
        var names: [(name: String, index: Int)] = []
        var tagged: [String: [Int]] = [:]
        names.reserveCapacity(models.count * 2)
        for (index, model) in models.enumerated() {
            let qualified = "\(providers[model.provider])/\(model.name)"
            names += [(model.name, index), (qualified, index)]
            if model.key != model.name, model.key != qualified { names.append((model.key, index)) }
            for tag in model.tags { tagged[tag, default: []].append(index) }
        }
        self.names = NameIndex(names)
        self.tagged = tagged
    }

    /// Indices in ascending order.
    func models(tagged tag: String) -> [Int] { tagged[tag] ?? [] }

    /// For each model, whether its tags match the expression.
    func matches(of tags: TagExpression) -> [Bool] {
        var matches = [Bool](repeating: false, count: models.count)
        for terms in tags.alternatives {
            var fulfilled = [Bool](repeating: true, count: models.count)
            for term in terms {
                var lacks = [Bool](repeating: !term.isNegated, count: models.count)
                for model in models(tagged: term.tag) { lacks[model].toggle() }
                for model in models.indices where lacks[model] { fulfilled[model] = false }
            }
            for model in models.indices where fulfilled[model] { matches[model] = true }
        }
        return matches
    }

    func models(matching glob: Glob) -> Set<Int> { names.indices(matching: glob) }
}
