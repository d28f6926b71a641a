package import ConfigTree

/// An option that the schema reads.
package struct KnownOption: Sendable, Equatable {
    package var key: String
    /// What it takes, and what its plugin says of it.
    package var field: KnownField
    /// Whether this policy gives it anywhere.
    package var isUsed: Bool
}

/// The options by section, in the order in which they are read. A section's name is that of its key; many sections may share one (`timeouts`).
struct KnownOptions {
    private(set) var sections: [String: [KnownOption]] = [:]
    private var indices: [String: [String: Int]] = [:]

    /// - Parameter naming: the option that a key stands for, where it isn't the option itself.
    mutating func add(_ fields: FieldReader, of section: String, naming: (String) -> String) {
        let present = Set(fields.presentKeys)
        for field in fields.known {
            let option = naming(field.key)
            let isUsed = present.contains(field.key)
            if let index = indices[section]?[option] {
                if isUsed { sections[section]?[index].isUsed = true }
            } else {
                indices[section, default: [:]][option] = sections[section]?.count ?? 0
                sections[section, default: []].append(KnownOption(key: option, field: field, isUsed: isUsed))
            }
        }
    }
}
