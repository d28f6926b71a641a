package import ConfigTree

/// The text of a policy, as it was loaded: its files, and where their secrets are.
package final class PolicyText: Sendable {
    private let files: [(path: String, text: SourceText)]
    private let secrets: [String: [SourcePosition]]
    private let plain: Set<SourcePosition>
    private let vocabulary: Vocabulary
    /// Masks the values of the secrets wherever else the policy has them.
    package let mask: SecretMask
    /// The warnings about the policy, without secrets.
    package let issues: [ConfigIssue]

    init(
        _ files: [(path: String, text: SourceText)], secrets: [SourcePosition], plain: [SourcePosition], vocabulary: Vocabulary,
        mask: SecretMask, issues: [ConfigIssue] = []
    ) {
        self.mask = mask
        self.issues = issues
        self.files = files
        self.secrets = Dictionary(grouping: secrets, by: \.file)
        self.plain = Set(plain)
        self.vocabulary = vocabulary
    }

    private init(_ text: PolicyText, issues: [ConfigIssue]) {
        (files, secrets, plain, vocabulary, mask) = (text.files, text.secrets, text.plain, text.vocabulary, text.mask)
        self.issues = issues
    }

    /// This text with what was found in it.
    func reporting(_ issues: [ConfigIssue]) -> PolicyText { PolicyText(self, issues: issues) }

    /// The files, the main one first, each with its text and `<secret>` in the place of whatever may be a secret. They
    /// are valid YAML with the same structure.
    ///
    /// The files are parsed again, so it takes as long as a load.
    ///
    /// - Parameter mask: masks further secrets, such as tokens in files.
    package func masked(by mask: SecretMask? = nil) -> [(path: String, text: String)] {
        guard !files.isEmpty else { return [] }
        let entries = entries(of: files)
        var known = SecretTexts(of: entries, vocabulary: vocabulary).known
        // In a policy without errors, the names under `keys` are names.
        for case .mapping(let keys) in entries.filter({ $0.key.text == "keys" }).map(\.value.content) {
            known.formUnion(keys.map(\.key.text))
        }
        var names = 0
        return files.map { path, text in
            var file = MaskedFile(
                file: path, vocabulary: vocabulary, known: known, secrets: secrets[path] ?? [], plain: plain,
                masks: [self.mask] + (mask.map { [$0] } ?? []))
            return (path, file.masked(text, names: &names))
        }
    }

    /// What `<secret>` stands for in the masked text.
    ///
    /// - Parameter mask: the one with which the text was masked.
    package func maskedValues(by mask: SecretMask? = nil) -> MaskedValues {
        let masked = masked(by: mask).map { (path: $0.path, text: SourceText(Array($0.text.utf8))) }
        return MaskedValues(of: entries(of: files), shownAs: entries(of: masked))
    }

    private func entries(of files: [(path: String, text: SourceText)]) -> [ConfigEntry] {
        PolicyFiles(path: files.first?.path ?? "", source: LoadedSource(texts: files)).entries
    }
}

/// The files of a policy that was loaded before. What they refer to otherwise is read from the system, or is missing.
private struct LoadedSource: PolicySource {
    let texts: [(path: String, text: SourceText)]

    func read(_ path: String, limit: Int) throws(PolicySourceError) -> [UInt8] {
        guard let file = texts.first(where: { $0.path == path }) else { throw .notFound }
        return file.text.bytes
    }

    func environment(_ name: String) -> String? { SystemPolicySource().environment(name) }

    func glob(_ pattern: String) -> [String] { SystemPolicySource().glob(pattern).filter { path in texts.contains { $0.path == path } } }
}
