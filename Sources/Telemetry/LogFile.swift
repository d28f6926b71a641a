import Glibc

/// What the lines of a log are written to: standard output or standard error, or a file that is opened anew after a
/// rename. The thread that writes uses it alone.
struct LogFile {
    private(set) var descriptor: Int32
    /// nil for a descriptor that the process was started with, which is never closed.
    private let path: String?

    init(descriptor: Int32) { (self.descriptor, path) = (descriptor, nil) }

    /// Opens a file, or creates it for the owner and the group.
    init(path: String) throws(LogFileFailure) {
        (descriptor, self.path) = (try Self.open(path), path)
    }

    func close() {
        if path != nil { _ = Glibc.close(descriptor) }
    }

    /// Whether the path leads to another file than the open one, or to none, as after `logrotate` has renamed it.
    var hasMoved: Bool {
        guard let path else { return false }
        var (there, here) = (stat(), stat())
        guard fstat(descriptor, &here) == 0 else { return true }
        return stat(path, &there) != 0 || there.st_ino != here.st_ino || there.st_dev != here.st_dev
    }

    /// Opens the path anew. If that fails, the open file stays.
    mutating func reopen() throws(LogFileFailure) {
        guard let path else { return }
        let opened = try Self.open(path)
        close()
        descriptor = opened
    }

    private static func open(_ path: String) throws(LogFileFailure) -> Int32 {
        // Without O_NONBLOCK, opening a named pipe waits for a reader. A regular file ignores it.
        let descriptor = Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0o640)
        guard descriptor >= 0 else { throw LogFileFailure(errno) }
        return descriptor
    }
}

/// Why a log can't be opened or written, in the system's words.
package struct LogFileFailure: Error, Equatable, CustomStringConvertible {
    private let code: Int32

    init(_ code: Int32) { self.code = code }

    package var description: String {
        var buffer = [CChar](repeating: 0, count: 128)
        // The POSIX variant, which fills the buffer and returns 0.
        guard strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased()
    }
}
