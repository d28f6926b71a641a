import Glibc

/// A new folder under /tmp. It is removed with its files when the last reference is released.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        var template = Array("/tmp/llm-router-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SocketError("mkdtemp", errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in entries(path) { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// Replaces a file atomically, as editors do.
    package func write(_ name: String, _ content: [UInt8]) throws {
        let (target, draft) = ("\(path)/\(name)", "\(path)/\(name).new")
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SocketError("open \(draft)", errno) }
        var rest = content[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        close(descriptor)
        guard rest.isEmpty, rename(draft, target) == 0 else { throw SocketError("write of \(target)", errno) }
    }
}
