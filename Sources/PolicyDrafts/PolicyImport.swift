package import ConfigTree
package import RoutingPolicy

/// Turns the configuration of another program into a policy.
package enum PolicyImport {
    /// The programs whose files are understood.
    enum Origin: CaseIterable {
        /// LiteLLM's `config.yaml`.
        case liteLLM
        /// `providers.yaml`, `models.yaml` and `user_keys.yaml` of the LLM Router in Python.
        case threeFiles
        /// `config.yaml` and `models.yaml` of the Free LLM Router.
        case freeRouter
    }

    /// The policy that the files describe together. Throws an issue if they are not the files of one program that is
    /// understood.
    package static func draft(of files: [ForeignFile]) throws(ConfigIssue) -> PolicyDraft {
        var root: [ConfigEntry] = []
        for file in files {
            for entry in file.entries {
                if let first = root.first(where: { $0.key.text == entry.key.text }) {
                    throw ConfigIssue(
                        at: entry.key.position, "'\(abbreviated(entry.key.text))' is in two files; the other is at \(first.key.position)",
                        hint: "name the files of one installation")
                }
                root.append(entry)
            }
        }
        guard let origin = origin(of: root) else {
            let place = files.first.map { SourcePosition(file: $0.path, line: 1, column: 1) }
            throw ConfigIssue(
                at: place ?? SourcePosition(file: "", line: 1, column: 1), "this is no configuration that can be imported",
                hint: "name LiteLLM's config.yaml; or providers.yaml, models.yaml and user_keys.yaml; or config.yaml and models.yaml")
        }
        var draft =
            switch origin {
            case .liteLLM: LiteLLMImport(ForeignMapping(root)).draft()
            case .threeFiles: ThreeFilesImport(ForeignMapping(root)).draft()
            case .freeRouter: FreeRouterImport(ForeignMapping(root)).draft()
            }
        let names = files.map { $0.path.split(separator: "/").last.map(String.init) ?? $0.path }
        draft.header.insert("Made by 'llm-router import' from \(names.joined(separator: ", ")). Read it before you serve it.", at: 0)
        return draft
    }

    private static func origin(of root: [ConfigEntry]) -> Origin? {
        func value(_ key: String) -> ConfigNode.Content? { root.first { $0.key.text == key }?.value.content }
        if value("model_list") != nil { return .liteLLM }
        if value("user_keys") != nil { return .threeFiles }
        switch (value("providers"), value("models")) {
        case (.mapping?, .sequence?): return .freeRouter
        case (.mapping?, .mapping?): return .threeFiles
        case (.mapping?, nil): return value("modelsFile") != nil || value("routing") != nil ? .freeRouter : .threeFiles
        default: return nil
        }
    }
}

/// The words that the importers share.
enum ImportWords {
    /// A comment about keys that were not taken; nil if there are none.
    static func leftOver(_ keys: [String], of owner: String = "") -> String? {
        guard !keys.isEmpty else { return nil }
        let names = keys.map { "'\(printable($0))'" }.joined(separator: ", ")
        return (owner.isEmpty ? "" : "\(owner): ") + "\(names) \(keys.count == 1 ? "is" : "are") not taken over."
    }

    /// A text of another file as a comment shows it.
    static func printable(_ text: String) -> String { abbreviated(text) }
}
