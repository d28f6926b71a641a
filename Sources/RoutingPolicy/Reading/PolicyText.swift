import ConfigTree

/// The text of a policy, as it was loaded: its files, and where their secrets are.
package final class PolicyText: Sendable {
    private let files: [(path: String, text: SourceText)]
    private let secrets: [String: [SourcePosition]]
    private let plain: Set<SourcePosition>
    private let vocabulary: Vocabulary
    /// Masks the values of the secrets wherever else the policy has them.
    package let mask: SecretMask

    init(
        _ files: [(path: String, text: SourceText)], secrets: [SourcePosition], plain: [SourcePosition], vocabulary: Vocabulary,
        mask: SecretMask
    ) {
        self.mask = mask
        self.files = files
        self.secrets = Dictionary(grouping: secrets, by: \.file)
        self.plain = Set(plain)
        self.vocabulary = vocabulary
    }

    /// The files, the main one first, each with its text and `<secret>` in the place of whatever may be a secret: under
    /// `keys` and `providers` everything that isn't known to be harmless, comments included.
    ///
    /// The files are parsed again, so it takes as long as a load.
    package func masked() -> [(path: String, text: String)] {
        guard let main = files.first else { return [] }
        let entries = PolicyFiles(path: main.path, source: LoadedSource(texts: files)).entries
        let texts = SecretTexts(of: entries, vocabulary: vocabulary)
        return files.map { file in
            let regions = SecretRegions(of: file.text, file: file.path, vocabulary: vocabulary, known: texts.known, shown: texts.shown)
            return (file.path, masked(file.text, file: file.path, regions))
        }
    }

    private func masked(_ text: SourceText, file: String, _ regions: SecretRegions) -> String {
        // The lines above that the current one belongs to, from the outermost to the innermost.
        var outer: [(indent: Int, isSecret: Bool)] = []
        var result = ""
        for number in 1...max(1, text.lineCount) {
            defer { if number < text.lineCount { result += "\n" } }
            guard let line = text.line(number), let indent = text.indent(ofLine: number) else { continue }
            while let last = outer.last, last.indent >= indent { outer.removeLast() }
            let isBelowSecret = outer.last?.isSecret == true
            guard text.isShort(line: number) else {
                outer.append((indent, true))
                result += "<secret>"
                continue
            }
            let scalars = Array(line.unicodeScalars)
            outer.append((indent, isBelowSecret || Excerpt.mayHoldSecretBelow(scalars)))
            let hidden = Excerpt.hiddenColumns(
                of: scalars, at: SourcePosition(file: file, line: number, column: 1), isBelowSecret: isBelowSecret,
                secrets: secrets[file] ?? [], plain: plain, regions: regions.hidden[number] ?? [], mask: mask)
            var start = 0
            for range in hidden {
                result.unicodeScalars.append(contentsOf: scalars[start..<range.lowerBound])
                result += "<secret>"
                start = range.upperBound
            }
            result.unicodeScalars.append(contentsOf: scalars[start...])
        }
        return result
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
