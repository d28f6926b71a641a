import Glibc
import RoutingPolicy

/// A copy of a library that nobody else knows, with a name that no other library has had.
///
/// The dynamic linker takes a path that it has seen for the same library, whatever the file contains, and a library
/// that is overwritten while it is mapped crashes the process. Source: dlopen(3).
final class PrivateCopy {
    let path: String
    private let folder: String

    /// - Parameter name: a name that no other copy of this process has.
    init(_ bytes: [UInt8], name: String) throws(PluginProblem) {
        let base = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        var template = Array("\(base)/llm-router-plugin-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Self.problem(base) }
        folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        path = "\(folder)/\(name)"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o500)
        guard file >= 0 else { throw Self.problem(base) }
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count > 0 { rest = rest.dropFirst(count) } else if errno != EINTR { throw Self.problem(base) }
        }
    }

    /// Removes the copy. What is loaded from it stays.
    deinit {
        unlink(path)
        rmdir(folder)
    }

    private static func problem(_ folder: String) -> PluginProblem {
        PluginProblem(
            "can't be copied to '\(folder)': \(String(cString: strerror(errno)).lowercased())",
            hint: "make room there, or name another folder in TMPDIR")
    }
}
