import ConfigTree
import Glibc

/// What the globs of a pattern stand for in a path that it matches, for a pattern that is shown with its variables:
/// ` (b.so)` for `${FOLDER}/*.so`, ` (a/b.so)` for `${FOLDER}/*/*.so`. Empty if the pattern has no glob.
///
/// - Parameters:
///   - path: a path that the pattern matches.
///   - pattern: the pattern, with the variables' values in it.
func shownMatch(_ path: String, of pattern: String) -> String {
    let (parts, globs) = (path.split(separator: "/"), pattern.split(separator: "/"))
    guard parts.count == globs.count else { return "" }
    // A part without a glob may be the value of a variable.
    let matched = zip(parts, globs).filter { $1.isGlob }.map { String($0.0) }
    return matched.isEmpty ? "" : " (\(matched.joined(separator: "/")))"
}

extension PolicySource {
    /// The report on a pattern that matches no file.
    ///
    /// - Parameters:
    ///   - pattern: the pattern, with the variables' values in it.
    ///   - text: the pattern as it is shown.
    func noMatch(of pattern: String, shown text: String, at position: SourcePosition) -> ConfigIssue {
        let parts = pattern.split(separator: "/").prefix { !$0.isGlob }.joined(separator: "/")
        let folder = pattern.hasPrefix("/") ? "/\(parts)" : parts.isEmpty ? "." : parts
        guard let problem = problem(listing: folder) else {
            return ConfigIssue(
                .warning, at: position, "'\(abbreviated(text))' matches no file", hint: "paths are relative to the file that names them")
        }
        return ConfigIssue(
            at: position, "'\(abbreviated(text))' can't be looked for: its folder can't be read: \(problem)",
            hint: "let the user of the router (\(geteuid())) list the folder: 'chgrp' and 'chmod g+rx'")
    }
}

extension StringProtocol {
    fileprivate var isGlob: Bool { utf8.contains { "*?[".utf8.contains($0) } }
}
