/// Resolves the `models` of keys to the models and routes that a key may reach. Each text and each list of texts is
/// resolved once, because many keys share them.
struct KeyScopes {
    private let models: ModelIndex
    private let routes: NameIndex
    private let names: PolicyNames
    private var parts: [String: ModelScope] = [:]
    private var known: [[String]: ModelScope] = [:]

    init(models: ModelIndex, routes: [RouteDefinition], names: PolicyNames) {
        self.models = models
        self.routes = NameIndex(routes.enumerated().map { ($1.name, $0) })
        self.names = names
    }

    /// The scope of one text: a name, a glob or `tag:NAME`.
    mutating func part(_ text: String) -> ModelScope {
        if let known = parts[text] { return known }
        var scope = ModelScope(models: [], routes: [])
        if text.hasPrefix("tag:") {
            scope.models = Set(models.models(tagged: String(text.dropFirst(4))))
        } else {
            scope.models = names.models(of: text, in: models)
            if let glob = Glob(text) {
                scope.routes = routes.indices(matching: glob)
                scope.patterns = [glob]
            } else if let route = names.routes[text] {
                scope.routes = [route]
            } else if scope.models.isEmpty, names.wildcard(for: text) != nil {
                scope.names = [text]
            }
        }
        parts[text] = scope
        return scope
    }

    /// The union of the scopes of all texts.
    mutating func combined(_ texts: [String]) -> ModelScope {
        if let known = known[texts] { return known }
        let parts = texts.map { part($0) }
        // Starting with the largest set avoids a copy of it for each key whose other texts add no model.
        var scope = ModelScope(models: parts.map(\.models).max { $0.count < $1.count } ?? [], routes: [])
        for part in parts {
            if !part.models.isSubset(of: scope.models) { scope.models.formUnion(part.models) }
            scope.routes.formUnion(part.routes)
            scope.patterns += part.patterns
            scope.names.formUnion(part.names)
        }
        var hash = MeaningHash()
        hash.add(indices: scope.models.sorted())
        hash.add(indices: scope.routes.sorted())
        hash.add(list: scope.patterns.map(\.text) + scope.names.sorted())
        scope.digest = hash.digestBytes()
        known[texts] = scope
        return scope
    }
}
