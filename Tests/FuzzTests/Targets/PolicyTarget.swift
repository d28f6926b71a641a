import ConfigTree
import OpenAI
import OpenAICompatible
import RoutingPolicy

/// A policy file gives the same report each time. Every issue is at a place inside the file, the report has no policy
/// if and only if an issue is an error, and it shows no value of the environment.
func checkPolicy(_ bytes: [UInt8]) throws {
    let report = load(bytes)
    let text = report.rendered(), lines = report.issues.map(report.line)
    let again = load(bytes)
    try ensure(again.rendered() == text && again.policy?.digest == report.policy?.digest, "the second report differs")
    try ensure((report.policy == nil) == report.issues.contains { $0.severity == .error }, "errors and policy don't agree:\n\(text)")
    try ensure(text.isEmpty == report.issues.isEmpty, "the report is '\(text)'")
    let lineCount = bytes.count { $0 == 0x0A || $0 == 0x0D } + 1
    for issue in report.issues where issue.position.file == path {
        try ensure((1...lineCount).contains(issue.position.line) && issue.position.column >= 1, "no such place: \(issue.position)")
    }
    // A report may quote an included file.
    let written = String(decoding: bytes, as: UTF8.self)
    for part in Variables.parts where !written.contains(part) && !written.contains("include") {
        try ensure(!(text + lines.joined()).contains(part), "it shows a secret:\n\(text)")
    }
}

private let path = "routes.yaml"

private func load(_ bytes: [UInt8]) -> PolicyReport {
    PolicyLoader(plugins: [OpenAIPlugin.self, OpenAICompatiblePlugin.self], source: Variables(policy: bytes)).load(path: path)
}

/// One file, and an environment in which every variable that a policy names has a secret value.
private struct Variables: PolicySource {
    var policy: [UInt8]

    private static let secret = "Zq7-vK2m.Xw9_Lp4s"
    static let parts = [secret.prefix(8), secret.suffix(8)].map(String.init)

    func read(_ file: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        guard file == path else { return Array("\(Self.secret)\n".utf8) }
        guard policy.count <= limit else { throw .tooLarge }
        return policy
    }

    func environment(_ name: String) -> String? { name.count == 1 ? nil : Self.secret }

    func glob(_ pattern: String) -> [String] { [pattern] }
}
