package import ConfigTree

/// The result of a load: the policy, or the errors because of which there is none.
package struct PolicyReport: Sendable {
    /// Nil if an issue is an error.
    package let policy: RoutingPolicy?
    /// The issues of the main file, then those of the included files in the order in which they were read. The issues
    /// of a file are in the order of their lines and columns.
    package let issues: [ConfigIssue]
    /// The plugins that were loaded, also if there is no policy.
    package let plugins: [LoadedPlugin]
    /// The files that were read, the main one first.
    package let files: [String]
    private let texts: [String: SourceText]
    private let secrets: [String: [SourcePosition]]
    private let plain: Set<SourcePosition>
    private let mask: SecretMask
    /// Of the files with issues.
    private let regions: [String: SecretRegions]

    /// - Parameters:
    ///   - root: the policy's tree, as far as it was read.
    ///   - isParsed: whether all files are valid YAML. If not, an issue may be anywhere in its line.
    ///   - mask: masks the policy's secrets wherever they are.
    init(
        policy: RoutingPolicy?, issues: [ConfigIssue], root: [ConfigEntry], isParsed: Bool, texts: [(path: String, text: SourceText)],
        vocabulary: Vocabulary, secrets: [SourcePosition] = [], plain: [SourcePosition] = [], mask: SecretMask = SecretMask([]),
        plugins: [LoadedPlugin] = []
    ) {
        self.mask = mask
        self.plugins = plugins
        files = texts.map(\.path)
        let texts = Dictionary(texts) { first, _ in first }
        self.texts = texts
        self.secrets = Dictionary(grouping: secrets, by: \.file)
        self.plain = Set(plain)
        guard !issues.isEmpty else {
            self.issues = []
            self.policy = policy
            regions = [:]
            return
        }
        let secretTexts = SecretTexts(of: root, vocabulary: vocabulary)
        var regions: [String: SecretRegions] = [:]
        for file in Set(issues.map(\.position.file)) {
            guard let text = texts[file] else { continue }
            regions[file] = SecretRegions(
                of: text, file: file, vocabulary: vocabulary, known: secretTexts.known, shown: secretTexts.shown)
        }
        self.regions = regions
        let reported = issues.map { issue in
            var issue = issue
            let region = regions[issue.position.file]
            if let hint = texts[issue.position.file]?.lookAlikeHint(for: issue, isParsed: isParsed, vocabulary: vocabulary) {
                issue.hint = hint
            }
            let isInside = region?.contains(issue.position) == true
            func masked(_ text: String) -> String { secretTexts.masked(text, at: issue.position, isInside: isInside) }
            issue.message = printable(masked(issue.message))
            issue.hint = issue.hint.map(masked).map(printable)
            return issue.masked(mask)
        }
        self.issues = inFileOrder(reported, files: files)
        self.policy = issues.contains { $0.severity == .error } ? nil : policy?.reporting(self.issues)
    }

    private init(_ report: PolicyReport, adding more: [ConfigIssue]) {
        plugins = report.plugins
        files = report.files
        texts = report.texts
        secrets = report.secrets
        plain = report.plain
        mask = report.mask
        regions = report.regions
        issues = inFileOrder(report.issues + more.map { $0.masked(report.mask) }, files: files)
        policy = more.contains { $0.severity == .error } ? nil : report.policy?.reporting(issues)
    }

    /// This report with further issues, which were found after the load.
    package func adding(_ issues: [ConfigIssue]) -> PolicyReport {
        issues.isEmpty ? self : PolicyReport(self, adding: issues)
    }

    /// - Parameter strict: whether warnings count as errors.
    package func hasErrors(strict: Bool = false) -> Bool {
        policy == nil || strict && !issues.isEmpty
    }

    /// The report as text for a person: the first 500 issues, each with its line, a caret and the next step. Empty if
    /// there are no issues. Never shows a secret.
    ///
    /// - Parameter messages: issues with these messages are left out.
    package func rendered(leavingOut messages: Set<String> = []) -> String {
        let issues = issues.filter { !messages.contains($0.message) }
        let shown = issues.prefix(500)
        let rest = issues.count - shown.count
        return shown.map(rendered).joined() + (rest > 0 ? "and \(rest) more\n" : "")
    }

    /// One issue on one line, for a log: `routes.yaml:3:5: error: …; hint`.
    package func line(_ issue: ConfigIssue) -> String {
        summary(issue) + (issue.hint.map { "; \($0)" } ?? "")
    }

    private func summary(_ issue: ConfigIssue) -> String {
        let position = issue.position
        return "\(withoutControls(position.file)):\(position.line):\(position.column): \(issue.severity.rawValue): \(issue.message)"
    }

    private func rendered(_ issue: ConfigIssue) -> String {
        var text = summary(issue) + "\n"
        if let source = texts[issue.position.file],
            let excerpt = Excerpt(
                of: source, at: issue.position, secrets: secrets[issue.position.file] ?? [], plain: plain,
                hidden: regions[issue.position.file]?.hidden[issue.position.line] ?? [], mask: mask)
        {
            let (line, caret) = excerpt.lines
            text += "    \(line)\n    \(caret)\n"
        }
        if let hint = issue.hint { text += "  \(hint)\n" }
        return text
    }
}

extension SourceText {
    /// The hint of an issue that a look-alike character causes; nil if there is none.
    fileprivate func lookAlikeHint(for issue: ConfigIssue, isParsed: Bool, vocabulary: Vocabulary) -> String? {
        let position = issue.position
        guard isShort(line: position.line), let line = line(position.line) else { return nil }
        let scalars = Array(line.unicodeScalars)
        return LookAlike(in: scalars, at: isParsed ? position.column : nil, isName: vocabulary.isOption)?.hint
    }
}

extension RoutingPolicy {
    /// The policy with what was found in its text.
    fileprivate func reporting(_ issues: [ConfigIssue]) -> RoutingPolicy {
        var policy = self
        policy.text = text?.reporting(issues)
        return policy
    }
}

extension ConfigIssue {
    fileprivate func masked(_ mask: SecretMask) -> ConfigIssue {
        func masked(_ text: String) -> String { mask(CredentialText.masked(text)) }
        return ConfigIssue(severity, at: position, masked(message), hint: hint.map(masked))
    }
}

/// The issues in the order of `files`, lines and columns. Issues at the same position keep their order.
private func inFileOrder(_ issues: [ConfigIssue], files: [String]) -> [ConfigIssue] {
    let ranks = Dictionary(files.enumerated().map { ($1, $0) }) { first, _ in first }
    func key(_ position: SourcePosition) -> (Int, Int, Int) { (ranks[position.file] ?? -1, position.line, position.column) }
    return issues.enumerated().sorted { a, b in
        let (left, right) = (key(a.element.position), key(b.element.position))
        return left == right ? a.offset < b.offset : left < right
    }.map(\.element)
}

/// The path without control characters: a file's name may contain any character except NUL and `/`.
private func withoutControls(_ path: String) -> String {
    path.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : String($0) }.joined()
}

/// The text with its invisible characters in a form that can be seen, as excerpts show them.
private func printable(_ text: String) -> String {
    text.unicodeScalars.allSatisfy(\.isASCII) ? text : text.unicodeScalars.map(Excerpt.escaped).joined()
}
