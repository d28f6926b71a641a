import Glibc
import RoutingPolicy

/// A copy of a library that nobody else knows, with a name that no other library has had.
///
/// The dynamic linker takes a path that it has seen for the same library, whatever the file contains, and a library
/// that is overwritten while it is mapped crashes the process. Source: dlopen(3).
final class PrivateCopy {
    /// The folder of the copy, for other files about it.
    let folder: String
    let path: String
    /// The files that may be beside the copy, which go with it.
    static let companions = ["steps", "errors"]

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

    /// The name of a library's copy: that of the file, for reports of a crash, and the beginning of the library's hash,
    /// which the log and `/health` show.
    ///
    /// - Parameter path: where the library is.
    static func name(of path: String, _ digest: String) -> String {
        let file = path.split(separator: "/").last ?? "plugin"
        let plain = file.unicodeScalars.prefix(100).map { scalar -> Character in
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
            return isPlain || "-_+".unicodeScalars.contains(scalar) ? Character(scalar) : "_"
        }
        let stem = String(plain)
        return "\(stem.hasSuffix("_so") ? String(stem.dropLast(3)) : stem)-\(digest.prefix(12)).so"
    }

    /// Removes the copy. What is loaded from it stays.
    deinit {
        for path in [path] + Self.companions.map({ "\(folder)/\($0)" }) { unlink(path) }
        rmdir(folder)
    }

    private static func problem(_ folder: String) -> PluginProblem {
        PluginProblem(
            "can't be copied to '\(folder)': \(String(cString: strerror(errno)).lowercased())",
            hint: "make room there, or name another folder in TMPDIR")
    }
}
