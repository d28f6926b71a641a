internal import ConfigTree
package import ProviderKit

/// Reads a policy: files -> tree -> `RoutingPolicy`. The same files and variables always give the same report.
package struct PolicyLoader: Sendable {
    private let plugins: [any ProviderPlugin.Type]
    private let source: any PolicySource
    private let vocabulary: Vocabulary

    /// If several plugins have the same name, the first one is used.
    package init(plugins: [any ProviderPlugin.Type], source: some PolicySource) {
        self.plugins = plugins
        self.source = source
        vocabulary = Vocabulary(OptionReference(plugins: plugins))
    }

    /// Reports all errors at once. If a file can't be read or parsed, the policy's content is not checked.
    ///
    /// - Parameter needsModels: whether a policy without models has an error.
    package func load(path: String, needsModels: Bool = true) -> PolicyReport {
        let files = PolicyFiles(path: path, source: source)
        guard files.isComplete else {
            return PolicyReport(
                policy: nil, issues: files.issues, root: files.entries, isParsed: false, texts: files.texts, vocabulary: vocabulary)
        }
        var schema = PolicySchema(plugins: plugins, vocabulary: vocabulary, needsModels: needsModels)
        let top = SourcePosition(file: files.texts.first?.path ?? path, line: 1, column: 1)
        var policy = schema.read(files.entries, at: top)
        policy?.text = PolicyText(files.texts, secrets: schema.secrets, plain: schema.plain, vocabulary: vocabulary)
        return PolicyReport(
            policy: policy, issues: files.issues + schema.issues, root: files.entries, isParsed: true, texts: files.texts,
            vocabulary: vocabulary, secrets: schema.secrets, plain: schema.plain)
    }
}
