/// The models of a policy, arranged for the conditions and patterns that pick some of them. Built once for a load.
struct ModelIndex {
    let models: [ModelDefinition]
    /// All that a pattern may match: names, keys and `provider/name`.
    private let names: NameIndex
    private let tagged: [String: [Int]]

    /// - Parameter providers: their names, as the models refer to them.
    init(_ models: [ModelDefinition], providers: [String]) {
        self.models = models
        var names: [(name: String, thing: Int)] = []
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

    /// Ascending.
    func models(tagged tag: String) -> [Int] { tagged[tag] ?? [] }

    /// For each model whether the expression holds for its tags.
    func marks(of tags: TagExpression) -> [Bool] {
        var marks = [Bool](repeating: false, count: models.count)
        for terms in tags.alternatives {
            var fulfilled = [Bool](repeating: true, count: models.count)
            for term in terms {
                var lacks = [Bool](repeating: !term.isNegated, count: models.count)
                for model in models(tagged: term.tag) { lacks[model].toggle() }
                for model in models.indices where lacks[model] { fulfilled[model] = false }
            }
            for model in models.indices where fulfilled[model] { marks[model] = true }
        }
        return marks
    }

    func models(matching glob: Glob) -> Set<Int> { names.things(matching: glob) }
}
