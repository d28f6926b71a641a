import ConfigTree
import ProviderKit

extension PolicySchema {
    /// The largest library that is read.
    static let maxPluginBytes = 256 << 20
    /// Far more than anyone has. It bounds the cost of a wrong glob.
    static let maxPlugins = 100

    /// Loads the plugins that `plugins:` names. Later sections know them, and what they call their options.
    mutating func readPlugins(_ fields: inout FieldReader) -> [LoadedPlugin] {
        guard let patterns = fields.texts("plugins"), !patterns.isEmpty else { return [] }
        guard source.followsFiles else {
            fields.report(
                ConfigIssue(
                    .warning, at: patterns[0].position, "plugins are not loaded here; those of the running policy are known",
                    hint: "run 'llm-router check' on the machine that has the files"))
            return []
        }
        guard let pluginLoader else {
            fields.report(
                ConfigIssue(
                    at: patterns[0].position, "this is the static build of the router, which loads no plugins",
                    hint: "use a build with 'libProviderKit.so' beside the router ('make build'), or add the provider to the built-in ones")
            )
            return []
        }
        var loaded: [LoadedPlugin] = []
        for file in pluginFiles(patterns, &fields) {
            let problem = "plugin '\(file.displayName)'"
            do throws(PluginProblem) {
                var plugin = try pluginLoader.load(file.path, try library(at: file.path))
                plugin.path = file.displayName
                try checkName(of: plugin, among: loaded)
                loaded.append(plugin)
                if let reason = plugin.unprobed {
                    fields.report(
                        ConfigIssue(
                            .warning, at: file.position, "\(problem) is loaded without a probe in another process: \(reason)",
                            hint: "let the router start processes; without that, a damaged library can crash it"))
                }
            } catch {
                hasBrokenPlugins = true
                fields.report(ConfigIssue(at: file.position, "\(problem) \(error.message)", hint: error.hint))
            }
        }
        guard !loaded.isEmpty else { return [] }
        plugins += loaded.map(\.plugin)
        vocabulary = Vocabulary(OptionReference(plugins: plugins))
        return loaded
    }

    private struct PluginFile {
        var path: String
        /// The path itself may contain the value of a variable.
        var displayName: String
        var position: SourcePosition
    }

    /// The files that match, each once. A path is relative to the file that names it.
    private func pluginFiles(_ patterns: [ConfigText], _ fields: inout FieldReader) -> [PluginFile] {
        var files: [PluginFile] = []
        var seen: Set<String> = []
        for pattern in patterns where !pattern.isUnresolved {
            let (file, text) = (pattern.position.file, pattern.text)
            let folder = text.hasPrefix("/") ? "" : file.lastIndex(of: "/").map { String(file[...$0]) } ?? ""
            let path = normalized(folder + text)
            let isLiteral = text == pattern.source
            let isGlob = path.utf8.contains { "*?[".utf8.contains($0) }
            let found = isGlob ? source.glob(path) : [path]
            if found.isEmpty {
                fields.report(source.noMatch(of: path, shown: isLiteral ? path : pattern.source, at: pattern.position))
            }
            for match in found where seen.insert(match).inserted {
                let name = isLiteral ? match : pattern.source + shownMatch(match, of: path)
                files.append(PluginFile(path: match, displayName: name, position: pattern.position))
            }
        }
        guard files.count > Self.maxPlugins else { return files }
        fields.report(
            ConfigIssue(
                at: files[Self.maxPlugins].position, "'plugins' names more than \(Self.maxPlugins) files",
                hint: "give the plugins a folder of their own"))
        return []
    }

    private func library(at path: String) throws(PluginProblem) -> [UInt8] {
        do throws(PolicySourceError) {
            return try source.read(path, limit: Self.maxPluginBytes)
        } catch {
            let hint =
                switch error {
                case .tooLarge: "strip its symbols: 'strip --strip-unneeded'"
                case .notFound, .unreadable, .tooManyOpenFiles: error.hint
                }
            throw PluginProblem(error.reason(limit: Self.maxPluginBytes), hint: hint)
        }
    }

    private func checkName(of plugin: LoadedPlugin, among loaded: [LoadedPlugin]) throws(PluginProblem) {
        let name = plugin.name
        guard LoadedPlugin.isName(name) else {
            throw PluginProblem(
                "calls itself '\(abbreviated(name))', which is no name of a plugin", hint: "a name has \(LoadedPlugin.nameRule)")
        }
        guard plugins.contains(where: { $0.name == name }) || loaded.contains(where: { $0.name == name }) else { return }
        let other = loaded.first { $0.name == name }.map { "'\($0.path)' has already" } ?? "a built-in plugin has"
        throw PluginProblem("has the name '\(name)', which \(other)", hint: "remove one of the two, or rename the plugin and rebuild it")
    }
}
