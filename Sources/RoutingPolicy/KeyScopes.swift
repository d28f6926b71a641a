/// What the `models` of keys stand for. Each text, and each list of them, is worked out once: keys tend to share them.
struct KeyScopes {
    struct Combined {
        var scope: ModelScope
        /// Equal for equal scopes.
        var digest: [UInt8]
    }

    private let models: ModelIndex
    private let routes: NameIndex
    private let names: PolicyNames
    private var parts: [String: ModelScope] = [:]
    private var known: [[String]: Combined] = [:]

    init(models: ModelIndex, routes: [RouteDefinition], names: PolicyNames) {
        self.models = models
        self.routes = NameIndex(routes.enumerated().map { ($1.name, $0) })
        self.names = names
    }

    /// One text: a name, a glob or `tag:NAME`.
    mutating func part(_ text: String) -> ModelScope {
        if let known = parts[text] { return known }
        var scope = ModelScope(models: [], routes: [])
        if text.hasPrefix("tag:") {
            scope.models = Set(models.models(tagged: String(text.dropFirst(4))))
        } else {
            scope.models = names.models(of: text, in: models)
            if let glob = Glob(text) {
                scope.routes = routes.things(matching: glob)
            } else if let route = names.routes[text] {
                scope.routes = [route]
            }
        }
        parts[text] = scope
        return scope
    }

    mutating func combined(_ texts: [String]) -> Combined {
        if let earlier = known[texts] { return earlier }
        let parts = texts.map { part($0) }
        // The largest first, so that what many keys share is copied for none that adds nothing to it.
        var scope = ModelScope(models: parts.map(\.models).max { $0.count < $1.count } ?? [], routes: [])
        for part in parts {
            if !part.models.isSubset(of: scope.models) { scope.models.formUnion(part.models) }
            scope.routes.formUnion(part.routes)
        }
        var hash = MeaningHash()
        hash.add(indices: scope.models.sorted())
        hash.add(indices: scope.routes.sorted())
        let combined = Combined(scope: scope, digest: hash.digestBytes())
        known[texts] = combined
        return combined
    }
}
