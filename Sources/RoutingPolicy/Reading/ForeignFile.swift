package import ConfigTree

/// A YAML file of another program, whose values are as the file has them: nothing is substituted.
package struct ForeignFile: Sendable {
    package let path: String
    /// The entries of the mapping that the file is.
    package let entries: [ConfigEntry]

    package init(_ path: String, source: some PolicySource) throws(ConfigIssue) {
        self.path = path
        let top = SourcePosition(file: path, line: 1, column: 1)
        let bytes: [UInt8]
        do {
            bytes = try source.read(path, limit: PolicyFiles.maxFileBytes)
        } catch {
            throw ConfigIssue(at: top, "the file \(error.reason(limit: PolicyFiles.maxFileBytes))", hint: "check the path")
        }
        let substitution = Substitution(source: NoVariables(), directory: "")
        guard let root = try YAMLTree.read(SourceText(bytes), file: path, substitution: substitution).root, !root.isNull else {
            throw ConfigIssue(at: top, "the file is empty", hint: "name a configuration file")
        }
        guard case .mapping(let entries) = root.content else {
            throw ConfigIssue(at: root.position, "the file is not a mapping (key: value)", hint: "name a configuration file")
        }
        self.entries = entries
    }
}

/// No variable and no file. A text with a variable keeps it in its source.
private struct NoVariables: PolicySource {
    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] { throw .notFound }
    func environment(_ name: String) -> String? { nil }
    func glob(_ pattern: String) -> [String] { [] }
    let followsFiles = false
}
