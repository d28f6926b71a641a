import RoutingPolicy

/// The source of a policy that was posted as text. Environment variables are read, files are not.
struct PostedPolicySource: PolicySource {
    static let name = "routes.yaml"

    let text: [UInt8]
    /// Variables that the environment lacks.
    let variables: [String: String]

    let followsFiles = false

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        guard path == Self.name else { throw .notFound }
        guard text.count <= limit else { throw .tooLarge }
        return text
    }

    func environment(_ name: String) -> String? {
        Console.environment(name).flatMap { $0.isEmpty ? nil : $0 } ?? variables[name]
    }

    func glob(_ pattern: String) -> [String] { [] }
}
