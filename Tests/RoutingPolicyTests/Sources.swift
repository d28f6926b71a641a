import ConfigTree
import RoutingPolicy

/// Files and variables in memory.
struct MemorySource: PolicySource {
    var files: [String: [UInt8]] = [:]
    var variables: [String: String] = [:]
    /// Why folders can't be listed, by their paths.
    var unlisted: [String: String] = [:]

    init(_ files: [String: String] = [:], variables: [String: String] = [:]) {
        self.files = files.mapValues { Array($0.utf8) }
        self.variables = variables
    }

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        guard let bytes = files[path] else { throw .notFound }
        guard bytes.count <= limit else { throw .tooLarge }
        return bytes
    }

    func environment(_ name: String) -> String? { variables[name] }

    func problem(listing folder: String) -> String? { unlisted[folder] }

    /// Supports only a `*` that matches all files of a folder.
    func glob(_ pattern: String) -> [String] {
        let folder = pattern.prefix { $0 != "*" && $0 != "[" }
        return files.keys.filter { $0.hasPrefix(folder) }.sorted()
    }
}

/// The folder `Goldens/`, with a fixed environment.
struct FolderSource: PolicySource {
    static let goldens = String(#filePath.dropLast("Sources.swift".count)) + "Goldens/"

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        try SystemPolicySource().read(FolderSource.goldens + path, limit: limit)
    }

    func environment(_ name: String) -> String? {
        ["NEAR_KEY": "near-secret-0123456789", "ADMIN_KEY": "admin-secret-0123456789", "EMPTY": ""][name]
    }

    func glob(_ pattern: String) -> [String] {
        SystemPolicySource().glob(FolderSource.goldens + pattern).map { String($0.dropFirst(FolderSource.goldens.count)) }
    }
}

/// Loads `routes.yaml` from memory.
func load(_ text: String, variables: [String: String] = [:]) -> PolicyReport {
    load(MemorySource(["routes.yaml": text], variables: variables))
}

func load(_ source: some PolicySource, path: String = "routes.yaml") -> PolicyReport {
    PolicyLoader(plugins: [FakePlugin.self, EchoPlugin.self, TwinPlugin.self, MutePlugin.self], source: source).load(path: path)
}
