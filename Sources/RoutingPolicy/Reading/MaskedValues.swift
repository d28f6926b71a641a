import ConfigTree

/// What `<secret>` stands for in the masked text of a policy, by the place in its tree. With it, an edited copy of the
/// text can be checked: each `<secret>` that still stands in its place means what the policy has there.
package struct MaskedValues: Sendable {
    /// The mark of a value that is hidden.
    static let mark = "<secret"

    private var scalars: [[String]: ConfigScalar] = [:]
    private var names: [[String]: String] = [:]

    /// - Parameters:
    ///   - original: the policy's tree.
    ///   - masked: the tree of its masked text, which has the same structure.
    init(of original: [ConfigEntry], shownAs masked: [ConfigEntry]) {
        add(original, masked, at: [])
    }

    private mutating func add(_ original: [ConfigEntry], _ masked: [ConfigEntry], at path: [String]) {
        for (original, masked) in zip(original, masked) {
            let path = path + [masked.key.source]
            if original.key.source != masked.key.source { names[path] = original.key.source }
            add(original.value, masked.value, at: path)
        }
    }

    private mutating func add(_ original: ConfigNode, _ masked: ConfigNode, at path: [String]) {
        switch (original.content, masked.content) {
        case (.scalar(let original), .scalar(let masked)): if original.source != masked.source { scalars[path] = original }
        case (.sequence(let original), .sequence(let masked)):
            for (index, nodes) in zip(original, masked).enumerated() { add(nodes.0, nodes.1, at: path + ["\(index)"]) }
        case (.mapping(let original), .mapping(let masked)): add(original, masked, at: path)
        default: return
        }
    }

    /// The tree of a copy with the hidden values in it. One that has no place in the policy is reported.
    ///
    /// - Parameter substitution: replaces the variables in the values.
    func restored(_ copy: [ConfigEntry], _ substitution: inout Substitution, issues: inout [ConfigIssue]) -> [ConfigEntry] {
        restored(copy, at: [], &substitution, &issues)
    }

    private func restored(
        _ copy: [ConfigEntry], at path: [String], _ substitution: inout Substitution, _ issues: inout [ConfigIssue]
    ) -> [ConfigEntry] {
        copy.map { entry in
            var entry = entry
            let path = path + [entry.key.source]
            if let name = names[path] { entry.key = ConfigText(name, at: entry.key.position) }
            entry.value = restored(entry.value, at: path, &substitution, &issues)
            return entry
        }
    }

    private func restored(
        _ copy: ConfigNode, at path: [String], _ substitution: inout Substitution, _ issues: inout [ConfigIssue]
    ) -> ConfigNode {
        var node = copy
        switch copy.content {
        case .mapping(let entries): node.content = .mapping(restored(entries, at: path, &substitution, &issues))
        case .sequence(let nodes):
            node.content = .sequence(
                nodes.enumerated().map { restored($1, at: path + ["\($0)"], &substitution, &issues) })
        case .scalar(let scalar) where scalar.source.contains(Self.mark):
            if let original = scalars[path] {
                node.content = .scalar(substitution.scalar(original.source, style: original.style, at: copy.position))
            } else {
                node.content = .scalar(ConfigScalar("", source: scalar.source, style: scalar.style, isUnresolved: true))
                issues.append(
                    ConfigIssue(
                        at: copy.position, "the policy in service hides no value here, so it isn't known what '<secret>' stands for",
                        hint: "write the value, or '${NAME}' with a variable that has it"))
            }
        case .scalar: break
        }
        return node
    }
}
