extension ModelDefinition {
    package var isWildcard: Bool { Self.isWildcard(key) }

    package static func isWildcard(_ key: String) -> Bool { key.utf8.last == UInt8(ascii: "*") }

    /// The model with this name that the wildcard stands for. nil if the name doesn't begin like the key, or if what
    /// follows is not 1 to 256 characters of visible ASCII.
    package func model(named name: String) -> ModelDefinition? {
        let prefix = key.utf8.dropLast()
        guard isWildcard, name != key, name.utf8.starts(with: prefix) else { return nil }
        let rest = String(Substring(name.utf8.dropFirst(prefix.count)))
        guard RoutingOverride.isName(rest), let star = upstream.firstIndex(of: "*") else { return nil }
        var model = self
        (model.key, model.name) = (name, name)
        model.upstream = upstream[..<star] + rest + upstream[star...].dropFirst()
        return model
    }
}

extension ModelScope {
    /// Whether the scope contains a model that a wildcard stands for.
    ///
    /// - Parameter wildcard: an index into the policy's models.
    package func allows(_ name: String, of wildcard: Int, in policy: RoutingPolicy) -> Bool {
        models.contains(wildcard) || names.contains(name) || hasPattern(matching: name)
            || hasPattern(matching: "\(policy.providers[policy.models[wildcard].provider].name)/\(name)")
    }
}
