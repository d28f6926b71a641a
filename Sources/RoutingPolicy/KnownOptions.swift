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

    /// - Parameter naming: the option that a key stands for, where it isn't the option itself.
    mutating func add(_ fields: FieldReader, of section: String, naming: (String) -> String) {
        KnownOptions.add(fields, to: &sections[section, default: []], naming)
    }

    private static func add(_ fields: FieldReader, to options: inout [KnownOption], _ naming: (String) -> String) {
        for (place, field) in fields.known.enumerated() {
            let name = naming(field.key)
            // Sections of one name read the same keys in the same order, as a rule.
            let isInPlace = place < options.count && options[place].key == name
            if let index = isInPlace ? place : options.firstIndex(where: { $0.key == name }) {
                if !options[index].isUsed { options[index].isUsed = fields.isPresent(field.key) }
            } else {
                options.append(KnownOption(key: name, field: field, isUsed: fields.isPresent(field.key)))
            }
        }
    }
}
