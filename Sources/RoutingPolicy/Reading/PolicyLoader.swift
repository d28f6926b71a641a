internal import ConfigTree
package import ProviderKit

/// Reads a policy: files -> tree -> `RoutingPolicy`. The same files and variables always give the same policy.
package struct PolicyLoader: Sendable {
    private let plugins: [any ProviderPlugin.Type]
    private let source: any PolicySource
    private let environmentFile: EnvironmentFile.Choice
    private let pluginLoader: (any PluginLoader)?
    private let pluginAdvice: @Sendable (String) -> String?
    private let now: @Sendable () -> Int
    private let vocabulary: Vocabulary

    /// - Parameters:
    ///   - plugins: what is built in. If several have the same name, the first one is used.
    ///   - environmentFile: a file with variables that the source's environment lacks. Each load reads it anew.
    ///   - pluginLoader: loads what `plugins:` names; nil if that can't be loaded.
    ///   - pluginAdvice: what to write instead of the name of a plugin that doesn't exist; nil if nothing is known.
    ///   - now: returns the time in seconds since 1970, for the warning about keys that have expired.
    package init(
        plugins: [any ProviderPlugin.Type], source: some PolicySource, environmentFile: EnvironmentFile.Choice = .none,
        pluginLoader: (any PluginLoader)? = nil, pluginAdvice: @escaping @Sendable (String) -> String? = { _ in nil },
        now: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.plugins = plugins
        self.pluginLoader = pluginLoader
        self.pluginAdvice = pluginAdvice
        self.now = now
        self.source = source
        self.environmentFile = environmentFile
        vocabulary = Vocabulary(OptionReference(plugins: plugins))
    }

    /// Reports all errors at once. If a file can't be read or parsed, the policy's content is not checked.
    ///
    /// - Parameters:
    ///   - needsModels: whether a policy without models has an error.
    ///   - hidden: what `<secret>` stands for in a copy of a masked policy; nil if the file is no such copy.
    package func load(path: String, needsModels: Bool = true, hidden: MaskedValues? = nil) -> PolicyReport {
        load(path, needsModels, hidden, from: source)
    }

    private func load(_ path: String, _ needsModels: Bool, _ hidden: MaskedValues?, from source: some PolicySource) -> PolicyReport {
        let environment = EnvironmentFile(environmentFile, of: path, source: source)
        let extended = ExtendedSource(base: source, variables: environment.variables)
        var files = PolicyFiles(path: path, source: extended)
        if let hidden { files.restore(hidden, from: extended) }
        let issues = environment.issues + files.issues
        guard files.isComplete else {
            return PolicyReport(
                policy: nil, issues: issues, root: files.entries, isParsed: false, texts: files.texts, vocabulary: vocabulary)
        }
        var schema = PolicySchema(
            plugins: plugins, vocabulary: vocabulary, source: source, pluginLoader: pluginLoader, pluginAdvice: pluginAdvice, now: now(),
            needsModels: needsModels)
        let top = SourcePosition(file: files.texts.first?.path ?? path, line: 1, column: 1)
        var policy = schema.read(files.entries, at: top)
        let mask = SecretMask(of: files.entries, secrets: schema.secrets, vocabulary: vocabulary)
        policy?.text = PolicyText(files.texts, secrets: schema.secrets, plain: schema.plain, vocabulary: vocabulary, mask: mask)
        return PolicyReport(
            policy: policy, issues: issues + schema.issues, root: files.entries, isParsed: true, texts: files.texts,
            vocabulary: schema.vocabulary, secrets: schema.secrets, plain: schema.plain, mask: mask, plugins: schema.policy.plugins)
    }
}
