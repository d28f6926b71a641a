import RoutingPolicy

/// The source of a policy that comes from standard input. What it refers to is read from files, relative to the working
/// directory.
struct StandardInputSource: PolicySource {
    /// What reports call the policy. No other file has this name, because paths are written without `./`.
    static let name = "<stdin>"

    private let files = SystemPolicySource()

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        try path == Self.name ? files.readStandardInput(limit: limit) : files.read(path, limit: limit)
    }

    func environment(_ name: String) -> String? { files.environment(name) }

    func problem(writing path: String) -> String? { files.problem(writing: path) }

    func problem(keepingFilesIn folder: String) -> String? { files.problem(keepingFilesIn: folder) }

    func problem(listing folder: String) -> String? { files.problem(listing: folder) }

    func glob(_ pattern: String) -> [String] { files.glob(pattern) }
}
