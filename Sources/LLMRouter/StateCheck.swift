import ConfigTree
import Glibc
import RoutingPolicy

/// What `check` says of the file of `state`. That it can't be used here is only a warning: the router may run
/// elsewhere, and as another user.
struct StateCheck {
    private(set) var issues: [ConfigIssue] = []

    init(_ policy: RoutingPolicy) {
        guard let path = policy.state.file, let position = policy.state.filePosition, let problem = Self.problem(with: path) else { return }
        issues.append(
            ConfigIssue(
                .warning, at: position, "\(problem), so the router would keep usage in memory, and a restart would forget it",
                hint: "make a folder that the router's user may write, and name a file in it: '/var/lib/llm-router/state.db'"))
    }

    private static func problem(with path: String) -> String? {
        var status = stat()
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { return "'\(path)' is no file" }
            return access(path, R_OK | W_OK) == 0 ? nil : "'\(path)' can't be written by this user"
        }
        let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
        // Whether a file can be made, only an attempt tells.
        var template = Array("\(folder)/.llm-router-check-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor < 0 else {
            close(descriptor)
            unlink(template)
            return nil
        }
        let reason = String(cString: strerror(errno)).lowercased()
        return "no file can be made in '\(folder.isEmpty ? "/" : folder)' (\(reason))"
    }
}
