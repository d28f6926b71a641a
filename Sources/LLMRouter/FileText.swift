import ArgumentParser
import Glibc
import RoutingPolicy

/// Files that a command updates.
enum FileText {
    /// The bytes of a file; nil if there is none.
    static func existing(_ path: String) throws -> [UInt8]? {
        if access(path, F_OK) != 0, errno == ENOENT { return nil }
        return try PolicyFile.bytes(path)
    }

    /// Replaces a file as a whole, so that a reader sees the old text or the new one. A link stays one, and so do the
    /// permissions of an existing file.
    static func replace(_ path: String, with text: String) throws {
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        let target = resolved.map { String(cString: $0) } ?? path
        var status = stat()
        let mode = stat(target, &status) == 0 ? status.st_mode & 0o777 : 0o644
        let temporary = "\(target).\(getpid()).tmp"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else { throw failure(path) }
        let isWritten = write(text, to: file) && rename(temporary, target) == 0
        let problem = failure(path)
        close(file)
        guard isWritten else {
            unlink(temporary)
            throw problem
        }
    }

    /// Writes a new file. A file that exists stays as it is.
    ///
    /// - Parameter mode: the permissions, as far as the process's mask allows them.
    static func create(_ path: String, with text: String, mode: mode_t = 0o644) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard file >= 0 else {
            if errno == EEXIST { throw ValidationError("file '\(path)' exists already; remove it, or name another one") }
            throw failure(path)
        }
        let isWritten = write(text, to: file)
        let problem = failure(path)
        close(file)
        guard isWritten else {
            unlink(path)
            throw problem
        }
    }

    /// Returns false with `errno` if not everything could be written.
    private static func write(_ text: String, to file: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 { bytes = bytes.dropFirst(count) } else if errno != EINTR { return false }
        }
        return fsync(file) == 0
    }

    private static func failure(_ path: String) -> Failure {
        Failure("file '\(path)' can't be written: \(String(cString: strerror(errno)))")
    }
}
