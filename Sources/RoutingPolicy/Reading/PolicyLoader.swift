internal import ConfigTree
package import ProviderKit

/// Reads a policy: files -> tree -> `RoutingPolicy`. The same files and variables always give the same report.
package struct PolicyLoader: Sendable {
    private let plugins: [any ProviderPlugin.Type]
    private let source: any PolicySource
    private let pluginLoader: (any PluginLoader)?
    private let vocabulary: Vocabulary

    /// - Parameters:
    ///   - plugins: what is built in. If several have the same name, the first one is used.
    ///   - pluginLoader: loads what `plugins:` names; nil if that can't be loaded.
    package init(plugins: [any ProviderPlugin.Type], source: some PolicySource, pluginLoader: (any PluginLoader)? = nil) {
        self.plugins = plugins
        self.pluginLoader = pluginLoader
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
        var schema = PolicySchema(
            plugins: plugins, vocabulary: vocabulary, source: source, pluginLoader: pluginLoader, needsModels: needsModels)
        let top = SourcePosition(file: files.texts.first?.path ?? path, line: 1, column: 1)
        let policy = schema.read(files.entries, at: top)
        return PolicyReport(
            policy: policy, issues: files.issues + schema.issues, root: files.entries, isParsed: true, texts: files.texts,
            vocabulary: schema.vocabulary, secrets: schema.secrets, plain: schema.plain, plugins: schema.policy.plugins)
    }
}
