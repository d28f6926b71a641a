package import ConfigTree

/// What a load found: the policy, or why there is none.
package struct PolicyReport: Sendable {
    /// nil where an issue is an error.
    package let policy: RoutingPolicy?
    /// In file order: the main file's first, then those of the included ones as they were read; by line and column in each.
    package let issues: [ConfigIssue]
    /// The files that were read, the main one first.
    package let files: [String]
    /// The options that the schema knows, by section, in the order in which it reads them.
    package let options: [String: [KnownOption]]
    private let texts: [String: SourceText]
    private let secrets: [String: [SourcePosition]]
    private let plain: Set<SourcePosition>

    init(
        policy: RoutingPolicy?, issues: [ConfigIssue], texts: [(path: String, text: SourceText)], secrets: [SourcePosition] = [],
        plain: [SourcePosition] = [], options: [String: [KnownOption]] = [:]
    ) {
        let ranks = Dictionary(texts.enumerated().map { ($1.path, $0) }) { first, _ in first }
        func order(_ position: SourcePosition) -> (Int, Int, Int) { (ranks[position.file] ?? -1, position.line, position.column) }
        self.issues = issues.map(\.masked).enumerated().sorted { a, b in
            let (left, right) = (order(a.element.position), order(b.element.position))
            return left == right ? a.offset < b.offset : left < right
        }.map(\.element)
        self.policy = issues.contains { $0.severity == .error } ? nil : policy
        self.files = texts.map(\.path)
        self.texts = Dictionary(texts) { first, _ in first }
        self.secrets = Dictionary(grouping: secrets, by: \.file)
        self.plain = Set(plain)
        self.options = options
    }

    private init(_ report: PolicyReport, adding more: [ConfigIssue]) {
        files = report.files
        options = report.options
        texts = report.texts
        secrets = report.secrets
        plain = report.plain
        let ranks = Dictionary(uniqueKeysWithValues: report.files.enumerated().map { ($1, $0) })
        func order(_ position: SourcePosition) -> (Int, Int, Int) { (ranks[position.file] ?? -1, position.line, position.column) }
        issues = (report.issues + more.map(\.masked)).sorted { order($0.position) < order($1.position) }
        policy = more.contains { $0.severity == .error } ? nil : report.policy
    }

    /// This report, with what was found out about the policy after its load.
    package func adding(_ issues: [ConfigIssue]) -> PolicyReport {
        issues.isEmpty ? self : PolicyReport(self, adding: issues)
    }

    /// Strict: warnings count as errors.
    package func hasErrors(strict: Bool = false) -> Bool {
        policy == nil || strict && !issues.isEmpty
    }

    /// For a person: each issue with its line, a caret and the next step; the first 500 of them. Empty without issues. Never shows a secret.
    package func rendered(color: Bool = false) -> String {
        let shown = issues.prefix(500)
        let rest = issues.count - shown.count
        return shown.map { rendered($0, color: color) }.joined() + (rest > 0 ? "and \(rest) more\n" : "")
    }

    /// One issue on one line, for a log: `routes.yaml:3:5: error: …; hint`.
    package func line(_ issue: ConfigIssue) -> String {
        "\(printable(issue.position.file)):\(issue.position.line):\(issue.position.column): \(issue.severity.rawValue): \(issue.message)"
            + (issue.hint.map { "; \($0)" } ?? "")
    }

    private func rendered(_ issue: ConfigIssue, color: Bool) -> String {
        func styled(_ text: String, _ code: Int) -> String { color ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
        let place = "\(printable(issue.position.file)):\(issue.position.line):\(issue.position.column):"
        let severity = styled("\(issue.severity.rawValue):", issue.severity == .error ? 31 : 33)
        var text = "\(styled(place, 1)) \(severity) \(issue.message)\n"
        if let source = texts[issue.position.file],
            let excerpt = Excerpt(of: source, at: issue.position, secrets: secrets[issue.position.file] ?? [], plain: plain)
        {
            let (line, caret) = excerpt.lines
            text += "    \(line)\n    \(styled(caret, 32))\n"
        }
        if let hint = issue.hint { text += "  \(hint)\n" }
        return text
    }
}

extension ConfigIssue {
    fileprivate var masked: ConfigIssue {
        ConfigIssue(severity, at: position, CredentialText.masked(message), hint: hint.map(CredentialText.masked))
    }
}

/// A file's name may hold anything but NUL and `/`.
private func printable(_ path: String) -> String {
    path.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }.joined()
}
