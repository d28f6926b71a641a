/// The models of a policy, arranged for the conditions and patterns that pick some of them. Built once for a load.
struct ModelIndex {
    let models: [ModelDefinition]
    /// All that a pattern may match: names, keys and `provider/name`. Sorted by name.
    private let names: [(name: String, model: Int)]
    private let tagged: [String: [Int]]

    /// - Parameter providers: their names, as the models refer to them.
    init(_ models: [ModelDefinition], providers: [String]) {
        self.models = models
        var names: [(name: String, model: Int)] = []
        var tagged: [String: [Int]] = [:]
        names.reserveCapacity(models.count * 2)
        for (index, model) in models.enumerated() {
            let qualified = "\(providers[model.provider])/\(model.name)"
            names += [(model.name, index), (qualified, index)]
            if model.key != model.name, model.key != qualified { names.append((model.key, index)) }
            for tag in model.tags { tagged[tag, default: []].append(index) }
        }
        self.names = names.sorted { $0.name < $1.name }
        self.tagged = tagged
    }

    /// Ascending.
    func models(tagged tag: String) -> [Int] { tagged[tag] ?? [] }

    /// Only the names that begin as the pattern does are looked at.
    func models(matching glob: Glob) -> Set<Int> {
        var found: Set<Int> = []
        for (name, model) in names[names.partitioningIndex { $0.name >= glob.start }...] {
            guard name.hasPrefix(glob.start) else { break }
            if glob.matches(name) { found.insert(model) }
        }
        return found
    }
}
