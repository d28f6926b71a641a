import CBuild

/// The version of the program. The Makefile reads it from this file.
enum Version {
    static let number = "0.1.0"

    /// What `--version` shows, such as `0.1.0 (commit 0123456789ab, Swift 6.3)`.
    static var text: String {
        let commit = String(cString: llm_router_commit())
        let swift = "\(_SwiftStdlibVersion.current)".split(separator: ".").prefix(2).joined(separator: ".")
        let parts = (commit.isEmpty ? [] : ["commit \(commit)"]) + ["Swift \(swift)"]
        return "\(number) (\(parts.joined(separator: ", ")))"
    }
}
